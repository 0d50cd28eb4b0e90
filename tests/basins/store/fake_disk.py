"""Stand-ins for `os`: one that fails at the k-th call, one that remembers, and a power failure."""

import os
from pathlib import Path

CALLS = {"open", "read", "write", "fsync", "close", "replace", "unlink", "mkdir"}


class FailingOS:
    """Passes everything through, but the k-th call that touches files fails."""

    def __init__(self, fails_at, number):
        self.fails_at, self.number, self.count = fails_at, number, 0

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in CALLS:
            return real

        def call(*arguments):
            self.count += 1
            if self.count != self.fails_at:
                return real(*arguments)
            if name == "close":
                real(*arguments)
            if name == "write":
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            raise OSError(self.number, os.strerror(self.number))

        return call


class RecordingOS:
    """Passes everything through and remembers what changed on the disk."""

    def __init__(self, root):
        self.root, self.log, self.handles = Path(root), [], {}

    def __getattr__(self, name):
        return getattr(os, name)

    def place(self, path):
        return Path(path).relative_to(self.root)

    def open(self, path, flags, mode=0o777):
        new = bool(flags & os.O_CREAT) and not Path(path).exists()
        handle = os.open(path, flags, mode)
        self.handles[handle] = self.place(path)
        if new:
            self.log.append(("create", self.place(path)))
        elif flags & os.O_TRUNC:
            self.log.append(("empty", self.place(path)))
        return handle

    def close(self, handle):
        self.handles.pop(handle, None)
        os.close(handle)

    def write(self, handle, content):
        count = os.write(handle, content)
        self.log.append(("write", self.handles[handle], bytes(content[:count])))
        return count

    def fsync(self, handle):
        os.fsync(handle)
        self.log.append(("sync", self.handles[handle]))

    def replace(self, source, goal):
        Path(source).replace(goal)
        self.log.append(("rename", self.place(source), self.place(goal)))

    def unlink(self, path):
        Path(path).unlink()
        self.log.append(("remove", self.place(path)))

    def mkdir(self, path):
        Path(path).mkdir()
        self.log.append(("folder", self.place(path)))


class File:
    """Content as programs see it, and as it is on the disk."""

    def __init__(self):
        self.seen, self.safe = b"", b""


class Disk:
    """A model of a disk before a power failure.

    What was written to a file is safe after a sync of the file, and a name after a sync of its
    folder. Of anything else an arbitrary part survives: any subset of the names' changes, any
    beginning of a content, blocks of zeros.
    """

    def __init__(self):
        self.seen = {Path(): None}  # names as programs see them; None is a folder
        self.safe = {Path(): None}
        self.changes = []  # of names, not safe yet

    def apply(self, entry):
        action, place, *more = entry
        if action in {"create", "folder"}:
            self.change(("link", place, File() if action == "create" else None))
        elif action == "empty":
            self.seen[place].seen = b""
        elif action == "write":
            self.seen[place].seen += more[0]
        elif action == "rename":
            self.change(("rename", place, more[0], self.seen[place]))
        elif action == "remove":
            self.change(("unlink", place))
        elif action == "sync":
            self.sync(place)

    def change(self, change):
        move(self.seen, change)
        self.changes.append(change)

    def sync(self, place):
        file = self.seen[place]
        if file is not None:
            file.safe = file.seen
            return
        for change in self.changes:
            if change[1].parent == place:
                move(self.safe, change)
        self.changes = [change for change in self.changes if change[1].parent != place]

    def fail(self, draw, folder):
        """Write into a folder what a power failure may leave."""
        names = dict(self.safe)
        for change in self.changes:
            if draw.random() < 0.5:
                move(names, change)
        for place, file in sorted(names.items()):
            goal = folder / place
            if not goal.parent.is_dir():
                continue
            if file is None:
                goal.mkdir(exist_ok=True)
            else:
                goal.write_bytes(file.safe if file.safe == file.seen else torn(file, draw))


def torn(file, draw):
    """Return what may be left of a content that was not synced."""
    length = draw.randint(0, len(file.seen))
    kind = draw.randrange(4)
    if kind == 0:
        return file.safe
    if kind == 1:
        return file.seen
    if kind == 2:
        return file.seen[:length]
    return file.seen[:length] + bytes(len(file.seen) - length)


def move(names, change):
    """Make one change of names."""
    if change[0] == "link":
        names[change[1]] = change[2]
    elif change[0] == "unlink":
        names.pop(change[1], None)
    else:
        names.pop(change[1], None)
        names[change[2]] = change[3]
