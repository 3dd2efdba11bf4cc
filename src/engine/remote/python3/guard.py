# A worker for machines without a parsim that runs there, in the words of `protocol.rs`:
# python3 from 3.6 on, and nothing but its standard library. These files are one text when
# they arrive, in the order guard, files, spawn, job, batch, worker; nothing of it is
# written to a disk.
#
# This part: a process beside the worker that outlives it. When the worker is gone before
# its time, the guard ends the process groups that it leaves behind, as parsim's own does
# (`process/child/guard.rs`).
import base64
import collections
import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import stat
import struct
import sys
import termios
import time

ON_LINUX = sys.platform.startswith("linux")


def signal_group(leader, number):
    """Sends a signal to a process group; False where there is none any more."""
    try:
        os.killpg(leader, number)
    except OSError:
        return False
    return True


def stat_fields(pid):
    """What stands behind the name in the kernel's line about a process, which may hold anything."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            return file.read().rpartition(b") ")[2].split()
    except OSError:
        return None


def has_members(leader):
    """Whether anybody lives in the group of a dead leader."""
    if not ON_LINUX:
        return signal_group(leader, 0)
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == leader:
            continue
        fields = stat_fields(int(name))
        if fields and fields[0] not in (b"Z", b"X") and int(fields[2]) == leader:
            return True
    return False


class Guard:
    """The way to the guard, which is told of each group that begins and that is over."""

    MESSAGE = struct.Struct("=IiQ")
    BEGAN, OVER, STEP, DISMISSED = 1, 2, 3, 4

    def __init__(self):
        read, self.to = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self.to)
                self.keep(read)
            finally:
                os._exit(0)
        os.close(read)
        # A guard that does not read must not hold anybody up.
        os.set_blocking(self.to, False)

    def tell(self, what, number=0, value=0):
        try:
            os.write(self.to, self.MESSAGE.pack(what, number, value))
        except OSError:
            pass

    def dismiss(self):
        """Nothing is left to be guarded."""
        self.tell(self.DISMISSED)
        os.waitpid(self.pid, 0)

    @staticmethod
    def since_boot():
        return int(time.clock_gettime(7) * 1e9) if ON_LINUX else 0

    def keep(self, read):
        """In the guard: away from all that ends the worker, and from all that it has open."""
        os.setsid()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        os.chdir("/")
        null = os.open("/dev/null", os.O_RDWR)
        for standard in range(3):
            os.dup2(null, standard)
        os.closerange(3, read)
        os.closerange(read + 1, 4096)
        if ON_LINUX:
            with open("/proc/self/comm", "w") as name:
                name.write("parsim-guard")
        groups, steps = {}, []
        while True:
            said = os.read(read, 256 * self.MESSAGE.size)
            if not said:
                return self.end(groups, steps)
            for what, number, value in self.MESSAGE.iter_unpack(said):
                if what == self.BEGAN:
                    groups[number] = value
                elif what == self.OVER:
                    groups.pop(number, None)
                elif what == self.STEP:
                    steps.append((number, value / 1000.0))
                else:
                    return None

    @staticmethod
    def end(groups, steps):
        """Ends all that are left: they are asked to, and killed if that does not help."""

        def is_there(leader):
            # One that began after the group of this number did is another.
            fields = stat_fields(leader) if ON_LINUX else None
            tick = 10**9 // os.sysconf("SC_CLK_TCK")
            return (fields is None or int(fields[19]) * tick <= groups[leader]) and signal_group(leader, 0)

        for number, wait in steps + [(signal.SIGKILL, 0)]:
            for leader in filter(is_there, groups):
                signal_group(leader, number)
                signal_group(leader, signal.SIGCONT)
            if number == signal.SIGKILL:
                return
            until = time.monotonic() + wait
            while any(map(is_there, groups)) and time.monotonic() < until:
                time.sleep(0.005)
