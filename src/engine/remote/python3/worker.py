

# This part: what is heard of parsim and said to it, and the loop that attends to all jobs.

PROTOCOL = "parsim-worker/5"
HEAD = struct.Struct("<Ic")
BEAT = 5.0

# So much may wait to be said before jobs have to wait with what they write.
MOST_UNSAID = 1 << 20


def request_in(payload):
    """A task: its number, try, groups of hosts, values and what it reads."""
    seq, attempt = struct.unpack_from("<QI", payload)
    place = 12

    def string():
        nonlocal place
        length, = struct.unpack_from("<Q", payload, place)
        place += 8 + length
        return payload[place - length : place]

    string()
    hosts = string()
    kind, n_values = struct.unpack_from("<BQ", payload, place)
    place += 9
    values = [string() for _ in range(n_values)]
    return seq, attempt, hosts, values, string() if kind == 3 else None


class Worker:
    def __init__(self, environment):
        self.first_environment, self.started = environment, time.monotonic()
        self.heard, self.unsaid = bytearray(), bytearray()
        self.guard, self.batch = Guard(), None
        self.poll, self.looks, self.fds = select.poll(), set(), {}
        self.slots, self.first_slot = [], 0
        self.waiting = collections.deque()
        self.stops = self.serves = self.told_of_waits = self.is_held = False
        self.null = os.open("/dev/null", os.O_RDONLY)
        self.wakes, wake = os.pipe()
        for fd in (self.wakes, wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake)
        self.asked = False
        for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            if number == signal.SIGCHLD or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.signalled)
        self.descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.limit_descriptors((self.descriptors[1],) * 2)
        self.home = os.open(".", os.O_RDONLY)

    def signalled(self, number, _frame):
        # That a terminal hangs up is for parsim to answer, which says what is to end.
        if number in (signal.SIGCHLD, signal.SIGHUP):
            return
        self.asked = True
        if not self.serves:
            sys.exit(0)

    @staticmethod
    def limit_descriptors(limit):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        except (OSError, ValueError):
            pass

    def say(self, kind, *parts):
        self.unsaid += HEAD.pack(sum(map(len, parts)), kind)
        for part in parts:
            self.unsaid += part

    def flush(self):
        """Says as much as can be without waiting."""
        try:
            while self.unsaid:
                del self.unsaid[: os.write(1, self.unsaid[:65536])]
        except BlockingIOError:
            pass
        except OSError:
            # Nobody listens any more.
            self.unsaid.clear()
            self.stop()
        self.look_for(1, select.POLLOUT if self.unsaid else 0)
        if self.is_held != (len(self.unsaid) > MOST_UNSAID):
            self.is_held = not self.is_held
            for fd, job in self.fds.items():
                if fd in job.outputs:
                    self.look_for(fd, 0 if self.is_held else select.POLLIN)

    def look_for(self, fd, events):
        """Waits for that, too; for nothing of it, not even its end, where that is 0."""
        if events:
            self.poll.register(fd, events)
            self.looks.add(fd)
        elif fd in self.looks:
            self.poll.unregister(fd)
            self.looks.remove(fd)

    def frames(self):
        while len(self.heard) >= HEAD.size:
            length, kind = HEAD.unpack_from(self.heard)
            if len(self.heard) < HEAD.size + length:
                return
            payload = bytes(self.heard[HEAD.size : HEAD.size + length])
            del self.heard[: HEAD.size + length]
            yield kind, payload

    def next_frame(self):
        """Waits for the next frame; None at the end."""
        self.flush()
        while True:
            for frame in self.frames():
                return frame
            select.select([0], [], [])
            some = os.read(0, 65536)
            if not some:
                return None
            self.heard += some

    def is_made(self):
        """Hears what it is to be; False where nobody says it."""
        frame = self.next_frame()
        if frame is None:
            return False
        hello = json.loads(frame[1].decode())
        if hello["protocol"] != PROTOCOL:
            raise Refused("it speaks %s and not %s" % (PROTOCOL, hello["protocol"]))
        if hello["workload"]:
            self.batch = Batch(hello, self.first_environment)
            for number, wait in self.batch.term_sequence:
                self.guard.tell(Guard.STEP, number, int(wait * 1000))
        self.say(b"R", json.dumps(whereabouts()).encode())
        while True:
            frame = self.next_frame()
            if frame is None:
                return False
            if frame[0] == b"?":
                self.tell_time(frame[1])
            elif frame[0] == b"L":
                self.first_slot, count = struct.unpack("<II", frame[1])
                self.slots = [None] * count
            elif frame[0] in (b"S", b"P"):
                self.say(b"R")
                return True
            else:
                raise Refused("a message %r before its time" % frame[0])

    def tell_time(self, question):
        self.say(b"!", question[:8].ljust(8, b"\0"), struct.pack("<Q", int((time.monotonic() - self.started) * 1e9)))

    def hear(self, kind, payload):
        if kind == b"T":
            self.waiting.append(request_in(payload))
            self.fill_slots()
        elif kind == b"U":
            count = min(struct.unpack("<Q", payload)[0], len(self.waiting))
            taken = [self.waiting.pop()[0] for _ in range(count)]
            self.say(b"V", struct.pack("<%dQ" % count, *taken))
        elif kind == b"K":
            wanted = struct.unpack("<Q", payload) if payload else None
            for job in [job for job in self.slots if job and (not wanted or job.seq in wanted)]:
                job.end(INTERRUPTED)
            for request in [request for request in self.waiting if wanted and request[0] in wanted]:
                self.waiting.remove(request)
                self.say(b"V", payload)
        elif kind == b"C":
            seq, = struct.unpack_from("<Q", payload)
            for job in [job for job in self.slots if job and job.seq == seq and isinstance(job.waits_for, dict)]:
                self.advance(job, json.loads(payload[8:].decode()))
        elif kind == b"?":
            self.tell_time(payload)
        else:
            self.stop()

    def stop(self):
        """Gives up what is being done, and begins nothing more."""
        if not self.stops:
            self.stops = True
            self.waiting.clear()
            for job in filter(None, list(self.slots)):
                job.end(INTERRUPTED)

    def runs_something(self):
        return any(job and job.pid for job in self.slots)

    def fill_slots(self):
        while self.waiting and None in self.slots and not self.stops:
            place = self.slots.index(None)
            job = Job(self, self.first_slot + place, self.waiting.popleft())
            now = int((job.begun - self.started) * 1e9)
            self.say(b"G", struct.pack("<QIQ", job.seq, job.slot, now))
            self.flush()
            if self.stops:
                # Who does not hear that it begins has it done by another.
                return
            self.slots[place] = job
            self.advance(job)

    def advance(self, job, value=None, gone=False):
        """Has a job go on: what it waited for is there, or will not come."""
        if job.is_done:
            return None
        try:
            job.waits_for = job.steps.throw(Gone()) if gone else job.steps.send(value)
        except StopIteration as end:
            return self.over(job, end.value)
        except Gone:
            return self.over(job, INTERRUPTED)
        except Exception as error:
            # What is wrong with this text is no reason to lose the other jobs.
            return self.over(job, {"kind": "panicked", "why": "%s: %s" % (type(error).__name__, error)})
        if isinstance(job.waits_for, dict):
            job.tell(b"C", json.dumps(job.waits_for).encode())
        elif isinstance(job.waits_for, float):
            job.due = time.monotonic() + job.waits_for
        return None

    def over(self, job, outcome):
        job.is_done = True
        job.record.update(wall=time.monotonic() - job.begun, bytes=job.bytes, outcome=outcome)
        job.record["cpu"] = job.record.get("user", 0.0) + job.record.get("sys", 0.0)
        line = b"\0"
        if job.line and job.record["label"].encode() != job.line:
            line = b"\1" + struct.pack("<Q", len(job.line)) + job.line
        job.tell(b"D", line, json.dumps(job.record).encode())
        self.slots[job.slot - self.first_slot] = None
        for other in [other for other in self.slots if other and other.waits_for is BASE_FILES]:
            self.advance(other)

    def watch(self, job):
        for fd in job.outputs:
            self.fds[fd] = job
            self.look_for(fd, 0 if self.is_held else select.POLLIN)
        if job.feed is not None:
            self.fds[job.feed] = job
            self.look_for(job.feed, select.POLLOUT)

    def forget(self, fd):
        self.look_for(fd, 0)
        del self.fds[fd]
        os.close(fd)

    def ready(self, fd):
        job = self.fds.get(fd)
        if job is None:
            return
        if fd == job.feed:
            if not job.pump():
                job.feed = None
                self.forget(fd)
        elif not self.is_held and not job.read(fd):
            del job.outputs[fd]
            self.forget(fd)

    def look_for_dead(self):
        for job in [job for job in self.slots if job and job.pid and not job.is_dead]:
            if job.has_ended():
                job.is_dead = True
                self.reap_if_over(job)

    def reap_if_over(self, job):
        if not job.is_over():
            return
        job.drain()
        for fd in list(job.outputs) + ([] if job.feed is None else [job.feed]):
            self.forget(fd)
        self.guard.tell(Guard.OVER, job.pid)
        ended = job.ended or os.wait4(job.pid, 0)
        job.pid, job.outputs, job.feed = None, {}, None
        self.advance(job, ended[1:])

    def look_at_clock(self, beat):
        now = time.monotonic()
        for job in filter(None, list(self.slots)):
            if job.is_dead and job.pid:
                self.reap_if_over(job)
            elif job.pid and job.limit and now >= job.limit and job.cause is None:
                job.end(TIMED_OUT)
            if job.due is not None and now >= job.due:
                job.due = None
                if job.pid:
                    job.step()
                elif isinstance(job.waits_for, float):
                    self.advance(job)
        if now < beat:
            return beat
        if not self.unsaid:
            self.say(b"W")
        return now + BEAT

    def wait(self, beat):
        times = [beat]
        for job in filter(None, self.slots):
            times.append(job.due)
            if job.pid and job.cause is None:
                times.append(job.limit)
            if job.pid and job.is_dead:
                times.append(time.monotonic() + LOOK)
        left = min(filter(None, times)) - time.monotonic()
        return self.poll.poll(max(0, int(left * 1000) + 1))

    def serve(self):
        os.set_blocking(1, False)
        self.serves = True
        self.look_for(0, select.POLLIN)
        self.look_for(self.wakes, select.POLLIN)
        beat = time.monotonic() + BEAT
        while not (self.stops and not any(self.slots)):
            self.fill_slots()
            self.flush()
            for fd, _ in self.wait(beat):
                if fd == 0:
                    self.listen()
                elif fd == self.wakes:
                    os.read(self.wakes, 4096)
                    self.look_for_dead()
                elif fd == 1:
                    self.flush()
                else:
                    self.ready(fd)
            beat = self.look_at_clock(beat)
            if self.asked:
                self.stop()

    def listen(self):
        try:
            some = os.read(0, 1 << 20)
        except BlockingIOError:
            return
        if not some:
            self.look_for(0, 0)
            self.stop()
        self.heard += some
        for kind, payload in self.frames():
            self.hear(kind, payload)

    def finish(self):
        """Says goodbye, and takes along what is to go."""
        if self.batch and self.batch.removed:
            for path in self.batch.base_there or []:
                remove_file(path, b"")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if ON_LINUX else 1)
        self.say(b"B", json.dumps({"peak_memory": peak}).encode())


def main(nonce, locale):
    environment = dict(os.environb)
    # Python may have set it for itself.
    environment.pop(b"LC_CTYPE", None)
    if locale:
        environment[b"LC_CTYPE"] = os.fsencode(locale[1:])
    worker = Worker(environment)
    os.write(1, b"parsim-%s go\n" % nonce.encode())
    try:
        if worker.is_made():
            worker.serve()
            worker.finish()
    except Refused as why:
        worker.say(b"F", str(why).encode())
    os.set_blocking(1, True)
    worker.flush()
    worker.guard.dismiss()


main(*sys.argv[2:])
