

# This part: one job from its start to its end. `live` is a generator, for many jobs are
# under way in one thread: it yields what it waits for.

SUCCESS = {"kind": "success"}
INTERRUPTED = {"kind": "interrupted"}
TIMED_OUT = {"kind": "timed-out"}

# What a job waits for, beside a time in seconds and the answer to a question (a dict).
ITS_PROCESS, BASE_FILES = "its process", "base files"

# Each wait is twice as long as the one before; in all that are five seconds.
FIRST_WAIT, WAITS = 0.01, 9

AGAIN, LOOK = 1.0, 0.01


class Gone(Exception):
    """What was waited for will not come: the job is to end."""


def failed(why):
    return {"kind": "failed", "why": why}


class Job:
    def __init__(self, worker, slot, request):
        self.worker, self.batch, self.slot = worker, worker.batch, slot
        self.seq, self.attempt, self.hosts, self.values, self.block = request
        self.number = struct.pack("<Q", self.seq)
        self.begun = time.monotonic()
        self.record = {"seq": self.seq, "label": "", "slot": slot, "attempt": self.attempt, "start": 0.0}
        self.line, self.bytes = b"", 0
        self.steps, self.waits_for, self.due = self.live(), None, None
        self.pid, self.outputs, self.feed, self.fed = None, {}, None, b""
        self.cause, self.next_step, self.is_killed, self.limit = None, 0, False, None
        self.is_dead, self.ended, self.is_done = False, None, False

    def tell(self, kind, *parts):
        self.worker.say(kind, self.number, *parts)

    def write(self, kind, some):
        self.tell(kind, some)
        if kind == b"O":
            self.bytes += len(some)

    def live(self):
        """Lives, and returns how it ended."""
        batch = self.batch
        head = json.loads(self.values[0].decode())
        texts = [text % {b"slot": self.slot + 1} for text in self.values[1:]]
        self.line = line = texts.pop(0)
        self.record["label"] = line.decode("utf-8", "replace")
        self.tell(b"N", self.record["label"].encode())
        if self.block is not None:
            self.record["input_offered"] = len(self.block)
        if head["skipped"]:
            self.record["skipped"] = True
            return SUCCESS
        if batch.action in ("PrintAndRun", "Print"):
            self.write(b"O", line + b"\n")
        if batch.action == "TraceAndRun":
            self.write(b"E", line + b"\n")
        if batch.action == "Print":
            return SUCCESS
        variables = {
            b"PARALLEL_SEQ": b"%d" % head["number"],
            b"PARALLEL_JOBSLOT": b"%d" % (self.slot + 1),
        }
        if self.hosts:
            variables[b"PARALLEL_ARGHOSTGROUPS"] = self.hosts
        if batch.slot_variable:
            variables[batch.slot_variable] = b"%d" % self.slot
        directory = texts.pop(0) if batch.directory_each else batch.directory
        sent, fetched = texts[: batch.n_sent], texts[batch.n_sent :]
        own_folder = stdin = name = None
        mine = []
        try:
            if batch.directory_each:
                os.makedirs(directory, exist_ok=True)
            if batch.own_folders:
                os.makedirs(batch.own_folders, exist_ok=True)
                name = b"job-%d-%d-%s" % (os.getpid(), self.seq + 1, os.urandom(4).hex().encode())
                own_folder = directory = os.path.join(os.path.abspath(batch.own_folders), name)
                os.mkdir(own_folder, 0o700)
            if batch.stdin_mode == "File" and self.block is not None:
                stdin = self.named_input(variables)
            yield from self.bring(sent, directory, mine)
            words = self.batch.shell_words(line)
            if head["through"]:
                # What the command reads passes through a pipe of this name, which sh makes.
                variables[b"PARALLEL_TMP"] = name = self.free_name()
                dropped = [b"%s=%s" % it for it in self.batch.environment.items() if not it[0].decode("latin-1").isidentifier()]
                words = ([b"/usr/bin/env", b"--"] + dropped if dropped else []) + words
                words = [b"/bin/sh", b"-c", head["through"].encode(), b"sh", name] + words
            outcome = yield from self.run(words, variables, directory, stdin)
            complaints = []
            if fetched:
                complaints = yield from self.timed("fetch", self.take_back(fetched, directory, mine))
            if complaints and outcome is SUCCESS:
                outcome = failed("--return: " + "; ".join(complaints))
            return outcome
        except OSError as error:
            return {"kind": "not-started", "why": {"status": 126, "cause": reason(error)}}
        finally:
            if batch.removed:
                for path in mine:
                    remove_file(path, directory or b"")
            if stdin is not None:
                os.close(stdin)
            if b"PARALLEL_TMP" in variables:
                unlink(variables[b"PARALLEL_TMP"])
            if own_folder:
                remove_tree(own_folder)

    def free_name(self):
        folder = self.batch.temporaries or self.batch.environment.get(b"TMPDIR") or b"/tmp"
        return os.path.join(folder, b"par-%d-%d-%s" % (os.getpid(), self.seq, os.urandom(6).hex().encode()))

    def named_input(self, variables):
        path = self.free_name()
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        some = self.block
        while some:
            some = some[os.write(file, some) :]
        os.lseek(file, 0, os.SEEK_SET)
        variables[b"PARALLEL_TMP"] = path
        self.block = None
        return file

    def timed(self, name, steps):
        begun = time.monotonic()
        result = yield from steps
        self.record.setdefault("spans", []).append({"name": name, "wall": time.monotonic() - begun})
        return result

    def bring(self, sent, directory, mine):
        """Has everything sent that the job needs. It runs all the same where something is not."""
        batch, complaints = self.batch, []

        def each(files):
            for file, path, mine in files:
                try:
                    yield from receive(file, os.path.join(directory or b"", name_there(path)), mine)
                except NotPassed as why:
                    complaints.append(str(why))

        while batch.base and batch.base_there is None:
            if batch.base_comes:
                yield BASE_FILES
                continue
            batch.base_comes, there = True, []
            try:
                base = [({"Base": number}, path, there) for number, path in enumerate(batch.base)]
                yield from self.timed("send", each(base))
                batch.base_there = there
            finally:
                batch.base_comes = False
        if sent:
            files = [({"Sent": number}, path, mine) for number, path in enumerate(sent)]
            yield from self.timed("send", each(files))
        for why in complaints:
            self.write(b"E", os.fsencode("parsim: warning: not sent: %s\n" % why))

    def take_back(self, fetched, directory, mine):
        complaints = []
        for number, path in enumerate(fetched):
            try:
                yield from send(number, os.path.join(directory or b"", name_there(path)), mine)
            except NotPassed as why:
                complaints.append(str(why))
        return complaints

    def run(self, words, variables, directory, stdin):
        """Runs the command, once there is a process for it."""
        environment = dict(self.batch.environment)
        environment.update(variables)
        waits = 0
        while True:
            try:
                self.start(words, environment, directory, stdin)
                break
            except NotStarted as why:
                if why.error not in SCARCE or (not self.worker.runs_something() and waits == WAITS):
                    return {"kind": "not-started", "why": {"status": why.status, "cause": str(why)}}
                waits += not self.worker.runs_something()
                told = {"why": "a job cannot be started yet: %s" % why, "is_news": not self.worker.told_of_waits}
                self.worker.told_of_waits = True
                self.tell(b"I", json.dumps({"WaitsToStart": told}).encode())
                yield FIRST_WAIT * 2 ** (waits - 1) if waits else 0.1
        status, usage = yield ITS_PROCESS
        self.count(usage)
        if self.cause:
            return self.cause
        if os.WIFSIGNALED(status):
            return {"kind": "signaled", "why": os.WTERMSIG(status)}
        status = os.WEXITSTATUS(status)
        return {"kind": "exited", "why": status} if status else SUCCESS

    def count(self, usage):
        peak = usage.ru_maxrss * (1024 if ON_LINUX else 1)
        self.record.update(user=usage.ru_utime, sys=usage.ru_stime, peak_memory=peak)
        if peak <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if ON_LINUX else 1) + (1 << 20):
            self.record["peak_memory_is_bound"] = True
        self.record["counts"] = {
            "major_faults": usage.ru_majflt,
            "block_reads": usage.ru_inblock,
            "block_writes": usage.ru_oublock,
            "voluntary_switches": usage.ru_nvcsw,
            "involuntary_switches": usage.ru_nivcsw,
        }

    def start(self, argv, environment, directory, stdin):
        """Starts the command as the leader of a process group."""
        opened = []
        try:
            for _ in range(2 if self.block is None else 3):
                opened.extend(os.pipe())
            out, to_out, err, to_err = opened[:4]
            takes, feed = opened[4:] or (self.worker.null if stdin is None else stdin, None)
            pid = begun(self.worker, self.batch.nice, argv, environment, directory, (takes, to_out, to_err))
        except (OSError, ValueError, NotStarted) as error:
            for fd in opened:
                os.close(fd)
            raise not_started(error)
        self.worker.guard.tell(Guard.BEGAN, pid, Guard.since_boot())
        for fd in (to_out, to_err) + ((takes,) if feed else ()):
            os.close(fd)
        self.pid, self.limit = pid, self.batch.timeout and time.monotonic() + self.batch.timeout
        self.outputs = {out: b"O", err: b"E"}
        if feed:
            os.set_blocking(feed, False)
            self.feed, self.fed = feed, memoryview(self.block)
        self.worker.watch(self)

    def read(self, fd):
        """Hands on what the command wrote; False at the end."""
        some = os.read(fd, 65536)
        if some:
            self.write(self.outputs[fd], some)
        return bool(some)

    def drain(self):
        """The process has ended: what the pipes hold by now is all there is."""
        for fd in list(self.outputs):
            held = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0]
            while held > 0:
                some = os.read(fd, min(held, 65536))
                held -= len(some)
                self.write(self.outputs[fd], some)

    def pump(self):
        """Feeds the command; False when it has all of it, or wants no more."""
        try:
            self.fed = self.fed[os.write(self.feed, self.fed[:65536]) :]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return len(self.fed) > 0

    def has_ended(self):
        """Whether the process has; as long as it is not reaped its number means its group."""
        if hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        ended = os.wait4(self.pid, os.WNOHANG)
        self.ended = ended if ended[0] else None
        return bool(self.ended)

    def end(self, outcome):
        """Has it end, whatever it is doing."""
        if self.waits_for is not ITS_PROCESS:
            return self.worker.advance(self, gone=True)
        if self.cause is None:
            self.cause = outcome
            self.step()
        return None

    def step(self):
        """Sends the next signal of the kill sequence; KILL once more where that was the last one."""
        steps = self.batch.term_sequence[self.next_step :]
        if self.is_killed or not steps or steps[0][0] == signal.SIGKILL:
            signal_group(self.pid, signal.SIGKILL)
            self.is_killed, self.due = True, time.monotonic() + AGAIN
            return
        self.next_step += 1
        signal_group(self.pid, steps[0][0])
        # Those who are stopped have to run for the signal to do anything.
        signal_group(self.pid, signal.SIGCONT)
        self.due = time.monotonic() + steps[0][1]

    def is_over(self):
        """The leader is dead: whether the others that were to end are, too."""
        if self.cause is None or self.is_killed:
            return True
        if has_members(self.pid):
            return False
        # Who was born while we looked is not to survive, either.
        signal_group(self.pid, signal.SIGKILL)
        return True


def unlink(path):
    try:
        os.unlink(path)
    except OSError:
        pass


def remove_tree(folder):
    """Removes a folder and what is in it; what is left running may still write there."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
