

# This part: what a worker is to be, and where it is.

NO_SHELLS = "false git-shell halt nologin rssh scponly shutdown sync true".split()
DIALECTS = {"fish": "Fish", "csh": "Csh", "tcsh": "Csh", "bsd-csh": "Csh", "rc": "Rc"}
OWN_VARIABLES = b"PARALLEL_SEQ PARALLEL_JOBSLOT PARALLEL_PID PARSIM_WAY PARALLEL_TMP PARALLEL_ENV".split()


class Refused(Exception):
    """Why this worker cannot be what it is to be."""


def os_bytes(text):
    """A path or a variable as serde has it."""
    return text.encode() if isinstance(text, str) else bytes(text["Unix"])


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def usable_cores():
    """As many as the mask, the quota of the control groups and a batch system leave."""
    try:
        limits = [len(os.sched_getaffinity(0))]
    except AttributeError:
        limits = [os.cpu_count() or 1]
    for line in read("/proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if names and "cpu" not in names.split(","):
            continue
        root = "/sys/fs/cgroup" + ("/cpu" if names else "")
        while True:
            folder = root + path.rstrip("/")
            files = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if names else ("cpu.max",)
            words = " ".join(read("%s/%s" % (folder, file)) for file in files).split()
            if len(words) == 2 and words[0].isdigit() and int(words[1]):
                limits.append(max(1, -(-int(words[0]) // int(words[1]))))
            if path in ("", "/"):
                break
            path = os.path.dirname(path)
    granted = [os.environ.get(name, "") for name in ("SLURM_CPUS_PER_TASK", "PBS_NCPUS", "NSLOTS")]
    limits.extend([int(text) for text in granted if text.isdigit() and int(text)][:1])
    return min(limits)


def whereabouts():
    lines = (line.split() for line in read("/proc/meminfo").splitlines())
    memory = [int(words[1]) << 10 for words in lines if words[0] == "MemAvailable:"]
    return {
        "version": "python3 %d.%d.%d" % sys.version_info[:3],
        "host": socket.gethostname(),
        "cores": usable_cores(),
        "memory": memory[0] if memory else None,
        "load": os.getloadavg()[0],
        "boot_id": read("/proc/sys/kernel/random/boot_id").strip() or None,
        "takes_lines": True,
    }


def program(name, path):
    """Where a program is, if it runs commands."""
    places = [name] if b"/" in name else [os.path.join(folder or b".", name) for folder in path.split(b":")]
    for place in places:
        names = [os.path.basename(os.fsdecode(it)) for it in (place, os.path.realpath(place))]
        if os.path.isfile(place) and os.access(place, os.X_OK) and not set(names) & set(NO_SHELLS):
            return place
    return None


class Batch:
    """How the commands of a batch are run: what there is of it in the blueprint."""

    def __init__(self, hello, environment):
        if hello["workload"] != "command":
            raise Refused("python3 there runs commands only, not %s: install parsim there" % hello["workload"])
        spec = hello["blueprint"]
        settings = spec["settings"]
        self.action = settings["line_action"]
        refused = {
            "--no-shell": settings["shell"]["refused"],
            "--shellquote": not isinstance(self.action, str),
            "--pipe-part": spec["parts"] is not None,
        }
        for option in refused:
            if refused[option]:
                raise Refused("%s needs a parsim there, and there is only python3: leave it out, or install parsim there" % option)
        self.stdin_mode = settings["stdin_mode"]
        self.nice = settings["nice"]
        timeout = settings["timeout"]
        self.timeout = timeout and timeout["secs"] + timeout["nanos"] / 1e9
        self.term_sequence = []
        words = settings["term_sequence"].split(",")
        for name, wait in zip(words[::2], words[1::2]):
            number = int(name) if name.isdigit() else getattr(signal, "SIG" + name)
            self.term_sequence.append((number, int(wait) / 1000.0))
        files = settings["files"]
        self.n_sent, self.removed = len(files["sent"]), files["removed"]
        self.base, self.base_there, self.base_comes = [bytes(path) for path in files["base"]], None, False
        self.temporaries = settings["temporaries"] and os_bytes(settings["temporaries"])
        self.slot_variable = settings["slot_variable"] and os_bytes(settings["slot_variable"])
        self.environment = self.variables(environment, settings, spec["client"], hello)
        self.choose_shell(settings["shell"], environment)
        self.choose_directory(settings["directory"])

    def variables(self, environment, settings, client, hello):
        own = set(OWN_VARIABLES) | {self.slot_variable}
        variables = {name: value for name, value in environment.items() if name not in own}
        variables.update((os_bytes(name), os_bytes(value)) for name, value in settings["variables"])
        if hello["node"]:
            login, host = hello["node"]["login"].encode(), hello["node"]["host"].encode()
            variables.update({b"PARALLEL_SSHLOGIN": login, b"PARALLEL_SSHHOST": host, b"PARSIM_NODE": host})
        variables.update({b"PARALLEL_PID": client.encode(), b"PARSIM_WAY": hello["column"]["way"].encode()})
        return variables

    def choose_shell(self, theirs, environment):
        own = [b"/bin/sh"]
        if theirs["chosen_by"] == "User":
            own = [os_bytes(theirs["program"])]
        else:
            names = (b"PARSIM_SHELL", b"PARALLEL_SHELL", b"SHELL")
            own = list(filter(None, map(environment.get, names))) + own
        path = environment.get(b"PATH", b"/usr/bin:/bin")
        shell = next(filter(None, (program(name, path) for name in own)), None)
        if shell is None:
            raise Refused("cannot run the shell %s (--shell PATH names another)" % os.fsdecode(own[0]))
        names = {os.path.basename(os.fsdecode(it)) for it in (shell, os.path.realpath(shell))}
        self.words = [shell, b"sh", b"-c"] if "busybox" in names else [shell, b"-c"]
        dialects = [DIALECTS[name] for name in names if name in DIALECTS]
        # What was defined there is defined in its words.
        is_alike = (dialects or ["Posix"])[0] == theirs["dialect"] == "Posix"
        self.definitions = theirs["definitions"] if is_alike else None

    def choose_directory(self, directory):
        self.directory = self.own_folders = None
        self.directory_each = False
        if directory != "Here":
            (kind, where), = directory.items()
            if kind == "Each":
                self.directory_each = True
            elif kind == "OfItsOwn":
                self.own_folders = os_bytes(where)
            else:
                self.directory = os_bytes(where)
                try:
                    os.makedirs(self.directory, exist_ok=True)
                except OSError as error:
                    raise Refused(
                        "cannot make the working directory %s: %s" % (os.fsdecode(self.directory), reason(error))
                    )

    def shell_words(self, line):
        if not self.definitions:
            return self.words + [line]
        text = bytes(self.definitions["text"])
        if len(text) + len(line) > 100000:
            # A line that is too long to follow the definitions comes as an argument.
            kept = b"parsim_line=$1; shift\n" + text + b'\neval "unset parsim_line\n$parsim_line"'
            return self.words + [kept, self.words[0], line]
        if self.definitions["needs_eval"]:
            line = b"eval '" + line.replace(b"'", b"'\"'\"'") + b"'"
        return self.words + [text + b"\n" + line]
