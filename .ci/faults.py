"""Runs parsim with one libc call failing, or being the last one before a kill.

faults.py PARSIM FOLDER SECONDS, with fault.so in FOLDER. What has to hold whatever
fails: parsim ends, by itself, without a panic; a green status means that all is there;
a row that says done stands for output that is where it belongs; a failure is told; no
temporary is left; and a run that goes on from there brings the rest.
"""
import csv, errno, itertools, os, shutil, signal, subprocess, sys, threading, time

PARSIM, FOLDER, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
JOBS = [str(n) for n in range(1, 6)]
KILL = 0
PATIENCE = 20

# Each call with the errors that it may have; EINTR is no error but a word to try again.
FAULTS = {
    "write": ["EINTR", "ENOSPC", "EIO", KILL], "writev": ["ENOSPC"], "pwrite64": ["ENOSPC"],
    "read": ["EINTR", "EIO", KILL], "pread64": ["EIO"], "open64": ["EMFILE", "EACCES", KILL],
    "poll": ["EINTR", "ENOMEM", KILL], "pipe2": ["EMFILE"], "socketpair": ["EMFILE"],
    "rename": ["ENOSPC", KILL], "unlink": ["EACCES", KILL], "mkdir": ["ENOSPC", KILL],
    "ftruncate64": ["EIO", KILL], "flock": ["EINTR", "ENOLCK"], "clone": ["EAGAIN", KILL],
    "wait4": ["EINTR", KILL], "waitid": ["EINTR"], "pthread_create": ["EAGAIN"],
}

JOB = ["-q", "sh", "-c", 'echo "out $1"; echo "err $1" >&2; echo e >>eff/"$1"', "sh", "{}", ":::", *JOBS]
BATCHES = {
    "kept": (["-k"], "stdout"),
    "kept with records": (["-k", "--records", "rec"], "stdout"),
    "grouped": ([], "stdout"),
    "lines": (["--line-buffer", "--tag"], "stdout"),
    "results": (["-k", "--results", "res"], "tree"),
    "table": (["-k", "--results", "t.csv"], "table"),
}
CSV = ["csv", "--files", "2", "--rows", "30", "--cols", "30", "--matrix", "per-file", "--progress=never"]
OTHERS = {
    "csv": [*CSV, "--out-dir", "."],
    "csv in processes": [*CSV, "-j2", "--workers", "processes", "--out-dir", "."],
    "pipe": ["parallel", "-j2", "-k", "--pipe", "-N3", "cat"],
    "round robin": ["parallel", "-j2", "--pipe", "--round-robin", "--block", "20", "cat"],
    "compare": ["compare", "-j2", "--progress=never", "echo", ":::", "1", "2", "3"],
    "report": ["report", "study.json"],
}
LINES = "".join(f"line {n}\n" for n in range(20))


def run(arguments, folder, fault=None, hit=None):
    """The status, stdout and stderr; None as a status where it did not end."""
    env = dict(os.environ, TMPDIR=f"{folder}/tmp")
    if fault:
        env.update(LD_PRELOAD=f"{FOLDER}/fault.so", FAULT=fault, FAULT_HIT=hit)
    with open(f"{folder}/in") as given:
        process = subprocess.Popen([PARSIM, *arguments], cwd=folder, env=env, stdin=given,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, "", ""
    if process.returncode == -signal.SIGKILL:
        # What it left running ends by itself, and may hold a file until then.
        while session_has_some(process.pid):
            time.sleep(0.005)
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def session_has_some(leader):
    """Whether a process of the session that `leader` began is left."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        state = text(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if len(state) > 3 and state[3] == str(leader) and state[0] != "Z":
            return True
    return False


def text(path):
    try:
        with open(path, newline="", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def rows(folder):
    """The exit status of each job in the log; the last row counts."""
    lines = [line.split("\t") for line in text(f"{folder}/log").split("\n")[1:-1]]
    return {line[0]: line[6] for line in lines if len(line) >= 9}, [line for line in lines if len(line) < 9]


def shown(folder, place, stdout, job):
    """Whether the output of `job` is where it belongs."""
    if place == "stdout":
        return f"out {job}\n" in stdout
    if place == "tree":
        return text(f"{folder}/res/1/{job}/stdout") == f"out {job}\n"
    table = csv.reader(text(f"{folder}/t.csv").splitlines(keepends=True))
    return any(row[-2] == f"out {job}\n" for row in table if len(row) > 9)


def temporaries(folder):
    names = [os.path.join(at, name) for at, _, files in os.walk(folder) for name in files]
    return [name for name in names if name.endswith(".tmp") or "/tmp/" in name[len(folder):]]


def of_batch(name, folder, fault, hit):
    options, place = BATCHES[name]
    os.mkdir(f"{folder}/eff")
    line = ["parallel", "-j2", "--joblog", "log", *options, *JOB]
    status, out, err = run(line, folder, fault, hit)
    killed = fault and fault.split(":")[1] == str(KILL)
    wrong = ended(status, err, killed)
    logged, torn = rows(folder)
    done = [job for job, exit_status in logged.items() if exit_status == "0"]
    wrong += [f"job {job} is logged, its output is not there" for job in done if not shown(folder, place, out, job)]
    wrong += [f"job {job} is logged and was not run" for job in done if not text(f"{folder}/eff/{job}")]
    if status == 0:
        wrong += [f"green, without a row of job {job}" for job in JOBS if job not in done]
    if not killed:
        wrong += [f"a row {row}" for row in torn]
        wrong += [f"left {name}" for name in temporaries(folder)]
    if status != 0:
        again = [line[0], "--resume-failed" if not killed else "--resume", *line[1:]]
        status, more, err = run(again, folder)
        logged, _ = rows(folder)
        if status != 0 or set(logged) != set(JOBS):
            wrong.append(f"going on: status {status}, rows {sorted(logged)}: {err[:200]}")
        wrong += [f"lost for good: output of job {job}" for job in JOBS if not shown(folder, place, out + more, job)]
        wrong += [f"left for good: {name}" for name in temporaries(folder)]
    return wrong


def ended(status, err, killed):
    if status is None:
        return [f"it did not end within {PATIENCE} s"]
    if "panicked" in err:
        return [f"it panicked: {err[:300]}"]
    if status < 0 and not killed:
        return [f"it ended by signal {-status}: {err[:200]}"]
    return [f"status {status} without a word"] if status > 0 and not err.strip() else []


def of_other(name, folder, fault, hit):
    status, out, err = run(OTHERS[name], folder, fault, hit)
    killed = fault and fault.split(":")[1] == str(KILL)
    # compare tells on stdout what failed.
    wrong = ended(status, err + out, killed)
    if fault and fault.split(":")[1] == str(errno.EINTR) and status not in (0, 102):
        wrong.append(f"a call that a signal cut short ended it: {err[:300]}")
    if name.startswith("csv"):
        if status != 0:
            wrong += [f"half a file: {key}" for key, held in files(folder).items() if held != WHOLE.get(key[1])]
            again, _, err = run(OTHERS[name], folder)
            wrong += [] if again == 0 else [f"the next run ends with {again}: {err[:200]}"]
            wrong += [f"left for good: {name}" for name in temporaries(folder)]
        left = files(folder)
        if WHOLE and (len(left) != 2 * len(WHOLE) or any(held != WHOLE[name] for (_, name), held in left.items())):
            wrong.append("files are missing, or not what they should be")
    elif name == "report":
        if status == 0 and "3 of 3 jobs identical" not in out:
            wrong.append(f"green, but not all came out: {out[:200]!r}")
    elif status == 0 and name != "compare":
        if "".join(sorted(out.splitlines(True))) != "".join(sorted(LINES.splitlines(True))):
            wrong.append(f"green, but not all came out: {out[:200]!r}")
    elif name == "compare" and status in (0, 102) and "identical" not in out:
        wrong.append(f"a difference where there is none: {out[-300:]}")
    return wrong


def files(folder):
    """The text of each file that both ways leave, by folder and name."""
    found = [(at, name) for at, _, names in os.walk(folder) for name in names if name.endswith(".csv")]
    return {(os.path.basename(at), name): text(os.path.join(at, name)) for at, name in found}


def one(name, fault=None):
    """What is wrong, and whether the call was reached."""
    folder = f"{FOLDER}/{threading.get_ident()}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/tmp")
    with open(f"{folder}/in", "w") as given:
        given.write(LINES)
    if name == "report":
        shutil.copy(f"{FOLDER}/study.json", folder)
    hit = f"{FOLDER}/hit.{threading.get_ident()}"
    if os.path.exists(hit):
        os.unlink(hit)
    wrong = (of_batch if name in BATCHES else of_other)(name, folder, fault, hit)
    if name.startswith("csv") and not fault and not WHOLE:
        WHOLE.update({file: held for (_, file), held in files(folder).items()})
    return wrong, os.path.exists(hit)


def orders():
    """Every fault at the first call of its kind, then at the second, and so on."""
    ended_at = set()
    for number in itertools.count(1):
        if len(ended_at) == len(KINDS):
            return
        for kind in KINDS:
            if kind not in ended_at:
                name, function, error = kind
                code = getattr(errno, error) if error else KILL
                yield kind, f"{function}:{code}:{number}", ended_at


WHOLE = {}
KINDS = [(name, function, error) for function, errors in FAULTS.items() for error in errors
         for name in [*BATCHES, *OTHERS]]


def main():
    os.makedirs(f"{FOLDER}/tmp")
    open(f"{FOLDER}/in", "w").close()
    run(["compare", "--export-json", "study.json", *OTHERS["compare"][1:]], FOLDER)
    for name in ["csv", *BATCHES, *OTHERS]:
        # Once to know what is right, and that it is right when nothing fails.
        WHOLE or one(name)
        wrong, _ = one(name)
        if wrong:
            sys.exit(f"{name}, without a fault: {wrong}")
    end, lock, order = time.monotonic() + SECONDS, threading.Lock(), orders()
    tried, bad = [0], []

    def work():
        while time.monotonic() < end:
            with lock:
                kind, fault, ended_at = next(order, (None, None, None))
            if kind is None:
                return
            wrong, reached = one(kind[0], fault)
            with lock:
                if not reached:
                    ended_at.add(kind)
                tried[0] += reached
                bad.extend(f"{kind[0]}, {kind[1]} {kind[2] or 'KILL'} ({fault}): {what}" for what in wrong)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in bad[:40]:
        print(line)
    print(f"faults: {tried[0]} tried, {len(bad)} things wrong")
    sys.exit(1 if bad or not tried[0] else 0)


main()
