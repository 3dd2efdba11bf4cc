

# This part: how a process is begun that leads a group of its own.

SCARCE = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)

# Python ignores these, and what is ignored would be in a job's program, too.
NOT_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)


class NotStarted(Exception):
    def __init__(self, status, cause, error=None):
        Exception.__init__(self, cause)
        self.status, self.error = status, error


def not_entered(number):
    return NotStarted(126, "cannot enter the working directory: %s" % os.strerror(number).lower(), number)


def enter(directory):
    try:
        if directory:
            os.chdir(directory)
    except OSError as error:
        raise not_entered(error.errno)


def not_started(error):
    """Why a job could not be started, with the status that a shell has for that."""
    if isinstance(error, NotStarted):
        return error
    number = error.errno if isinstance(error, OSError) else errno.EINVAL
    if number in SCARCE:
        return NotStarted(126, "cannot start a process: %s (see ulimit -u, -n and -v)" % reason(error), number)
    if number == errno.EINVAL:
        return NotStarted(126, "an argument cannot hold a NUL byte")
    if number == errno.ENOENT:
        return NotStarted(127, "no such program (or its interpreter is missing)")
    if number == errno.E2BIG:
        return NotStarted(126, "arguments and environment are longer than the system allows")
    return NotStarted(126, reason(error))


def set_niceness(nice):
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    except OSError:
        # What is not granted is no reason not to run.
        pass


def begun(worker, nice, argv, environment, directory, theirs):
    """Begins a process; its number."""
    if hasattr(os, "posix_spawn") and nice is None:
        return spawned(worker, argv, environment, directory, theirs)
    return forked(worker, nice, argv, environment, directory, theirs)


def spawned(worker, argv, environment, directory, theirs):
    """Copies nothing of this process, which takes half the time; python3 has it from 3.8 on."""
    places = [(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in enumerate(theirs)]
    # One thread does all of it: nobody else is in the wrong place meanwhile.
    enter(directory)
    try:
        worker.limit_descriptors(worker.descriptors)
        return os.posix_spawn(
            argv[0], argv, environment, file_actions=places, setpgroup=0, setsigdef=NOT_IGNORED
        )
    finally:
        worker.limit_descriptors((worker.descriptors[1],) * 2)
        if directory:
            os.fchdir(worker.home)


def forked(worker, nice, argv, environment, directory, theirs):
    told, to_told = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(told)
        os.close(to_told)
        raise
    if pid == 0:
        number = errno.EINVAL
        try:
            os.setpgid(0, 0)
            for place, fd in enumerate(theirs):
                os.dup2(fd, place)
            enter(directory)
            for ignored in NOT_IGNORED:
                signal.signal(ignored, signal.SIG_DFL)
            worker.limit_descriptors(worker.descriptors)
            if nice is not None:
                set_niceness(nice)
            os.execve(argv[0], argv, environment)
        except OSError as error:
            number = error.errno
        except NotStarted as why:
            number = -why.error
        finally:
            os.write(to_told, b"%d" % number)
            os._exit(127)
    os.close(to_told)
    why = os.read(told, 64)
    os.close(told)
    if not why:
        return pid
    os.waitpid(pid, 0)
    number = int(why)
    raise not_entered(-number) if number < 0 else OSError(number, os.strerror(number))
