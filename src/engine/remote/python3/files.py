

# This part: files that go with a job and come back behind it, the other end of
# `workload/command/transfer/client.rs`. Each function that asks is a generator: what it
# yields is asked of parsim, and it is sent the answer.

PIECE = 512 << 10
MOST_FILES = 100000


class NotPassed(Exception):
    """Why a file did not come or go, in words for a person."""


def reason(error):
    return error.strerror.lower() if error.strerror else str(error)


def of_file(path, error):
    return NotPassed("%s: %s" % (os.fsdecode(path), reason(error)))


def stamp_of(data):
    """What tells a file from every other, seen from two machines that may share it."""
    return {
        "inode": data.st_ino,
        "length": data.st_size,
        "changed": list(divmod(data.st_ctime_ns, 10**9)),
        "modified": list(divmod(data.st_mtime_ns, 10**9)),
        "mode": data.st_mode & 0o777,
    }


def is_at(stamp, path):
    try:
        return stamp_of(os.stat(path)) == stamp
    except OSError:
        return False


def name_there(name):
    """The part of a name behind /./, if there is one: what stands before it is the other side's."""
    return name.partition(b"/./")[2] if b"/./" in name else name


def place_within(folder, within):
    """The place of a file in a folder; None where the name leads out of it, up or by a link."""
    place = folder
    for part in within.split(b"/"):
        if part in (b"", b"."):
            continue
        place = os.path.join(place, part)
        if part == b".." or os.path.islink(place):
            return None
    return None if within.startswith(b"/") or place == folder else place


def others_link(path, trusted):
    """The first link on the way to a path that belongs to none of the trusted."""
    folders = []
    folder = os.path.dirname(path)
    while folder and folder not in folders:
        folders.append(folder)
        folder = os.path.dirname(folder)
    for folder in reversed(folders):
        try:
            data = os.lstat(folder)
        except OSError:
            continue
        if stat.S_ISLNK(data.st_mode) and data.st_uid not in trusted:
            return folder
    return None


def refuse_others_links(path):
    """Files do not land where somebody chose who is neither this user nor the system."""
    link = others_link(path, (os.geteuid(), 0))
    if link:
        why = (os.fsdecode(path), os.fsdecode(link))
        raise NotPassed("%s: %s is a link that somebody else made" % why)


def files_in(folder):
    """The files in a folder and in those in it, without what links lead to."""
    found, folders = [], [b""]
    while folders:
        within = folders.pop()
        for entry in os.scandir(os.path.join(folder, within)):
            if entry.is_dir(follow_symlinks=False):
                folders.append(os.path.join(within, entry.name))
            elif entry.is_file(follow_symlinks=False):
                found.append(os.path.join(within, entry.name))
        if len(found) + len(folders) > MOST_FILES:
            raise NotPassed("%s: a folder of more than %d files" % (os.fsdecode(folder), MOST_FILES))
    return sorted(found)


class ComingFile:
    """A file on its way here, which has its name only when it is whole."""

    def __init__(self, path):
        refuse_others_links(path)
        folder, name = os.path.split(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        self.path = path
        self.draft = os.path.join(folder, b".%s.parsim-%s" % (name[:100], os.urandom(6).hex().encode()))
        self.file = os.open(self.draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.length = 0

    def put(self, some):
        while some:
            n_bytes = os.write(self.file, some)
            self.length += n_bytes
            some = some[n_bytes:]

    def commit(self, stamp):
        os.fchmod(self.file, stamp["mode"])
        modified = stamp["modified"][0] * 10**9 + stamp["modified"][1]
        os.utime(self.file, ns=(modified, modified))
        os.rename(self.draft, self.path)
        self.draft = None

    def close(self):
        os.close(self.file)
        if self.draft:
            os.unlink(self.draft)


def receive_one(file, within, path):
    """Has a file sent; says whether it is a new one. A folder is a list of names."""
    coming = inode = None
    try:
        while True:
            question = {"file": file, "within": within and list(within), "from": coming.length if coming else 0}
            answer = yield {"Piece": question}
            if "No" in answer:
                raise NotPassed(answer["No"])
            if "Folder" in answer:
                return [bytes(name) for name in answer["Folder"]]
            piece = answer["Piece"]
            stamp = piece["stamp"]
            if inode not in (None, stamp["inode"]):
                raise NotPassed("%s: replaced by another while it was sent" % os.fsdecode(path))
            inode = stamp["inode"]
            if coming is None and is_at(stamp, path):
                return False
            coming = coming or ComingFile(path)
            coming.put(base64.b64decode(piece["bytes"]))
            if piece["is_last"]:
                coming.commit(stamp)
                return True
    except OSError as error:
        raise of_file(path, error)
    finally:
        if coming:
            coming.close()


def receive(file, path, mine):
    """Has a file sent, or all files of a folder; new ones are added to `mine`."""
    came = yield from receive_one(file, None, path)
    names = came if isinstance(came, list) else [None]
    if isinstance(came, list):
        try:
            refuse_others_links(path)
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            raise of_file(path, error)
    elif came:
        mine.append(path)
    for within in filter(None, names):
        place = place_within(path, within)
        if place and (yield from receive_one(file, within, place)):
            mine.append(place)


def send_one(fetched, within, path, mine):
    """Sends back a file; a folder is a list of names."""
    try:
        data = os.stat(path)
        if stat.S_ISDIR(data.st_mode):
            return files_in(path)
        if not stat.S_ISREG(data.st_mode):
            raise NotPassed("%s: neither a file nor a folder" % os.fsdecode(path))
        with open(path, "rb") as file:
            stamp = stamp_of(os.fstat(file.fileno()))
            answer = yield {"Offer": {"fetched": fetched, "within": within and list(within), "stamp": stamp}}
            start = 0
            while answer != "Same":
                if "No" in answer:
                    raise NotPassed(answer["No"])
                piece = file.read(PIECE)
                text = base64.b64encode(piece).decode()
                answer = yield {"Take": {"fetched": fetched, "from": start, "bytes": text, "is_last": not piece}}
                if not piece and "No" not in answer:
                    mine.append(path)
                    break
                start += len(piece)
    except OSError as error:
        raise of_file(path, error)
    return []


def send(fetched, path, mine):
    """Sends back a file, or all files of a folder; those that went are added to `mine`."""
    for within in (yield from send_one(fetched, None, path, mine)):
        place = place_within(path, within)
        if place:
            yield from send_one(fetched, within, place, mine)


def remove_file(path, directory):
    """Removes a file, and the folders above it that are empty then, up to `directory`."""
    try:
        os.unlink(path)
    except OSError:
        # Another job may have removed it.
        pass
    folder = os.path.dirname(path)
    try:
        while folder and folder != directory and (not directory or folder.startswith(directory + b"/")):
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    except OSError:
        # There is something else in it.
        pass
