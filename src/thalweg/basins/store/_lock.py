"""One writer for each chunk: locks that the system drops when their process dies.

A lock is an advisory lock of the system (`flock`) on a file of its own, so nothing stale is left
after a crash, and files left behind mean nothing. Children never inherit it: the descriptor closes
on `exec`, and after a plain `fork` by the hook below; a worker that outlives its parent would else
keep the store locked.
"""

import contextlib
import errno
import os
import re
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

from thalweg._core import StoreError
from thalweg.basins.store import _disk
from thalweg.basins.store._shard import Shard

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]

FOLDER = "_locks"
PATIENCE = 30.0  # seconds for the short lock under which locks are taken
_NAME = re.compile(r"(\d+)-of-(\d+)")
_held: "weakref.WeakSet[Lock]" = weakref.WeakSet()


class StoreLockedError(StoreError):
    """Another process writes the same chunks."""

    exit_code = 75


class Lock:
    """The right to write the chunks of one part of a store.

    Parameters
    ----------
    store
        The folder of the store.
    shard
        The part; parts that share no chunk do not hinder each other.
    """

    def __init__(self, store: Path, shard: Shard) -> None:
        self.path = store / FOLDER / f"{shard.part}-of-{shard.of}"
        self._store, self._shard = store, shard
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._handle is not None

    def acquire(self) -> None:
        """Take it or say who has it.

        Raises
        ------
        StoreLockedError
            If a living process holds a part that shares chunks with this one.
        StoreError
            If the folder cannot be written or its file system has no locks.
        """
        _disk.make_folder(self.path.parent)
        try:
            with guard(self._store):
                for name in sorted(os.listdir(self.path.parent)):  # noqa: PTH208
                    match = _NAME.fullmatch(name)
                    if match and self._shard.meets(Shard(int(match[1]), int(match[2]))):
                        self._clear(self.path.parent / name)
                self._take()
        except BaseException as error:
            self.release()  # taken already if only the end of the guard failed
            if isinstance(error, OSError) and not isinstance(error, StoreError):
                _disk.fail(self.path, error, "lock")
            raise

    def release(self) -> None:
        """Give it back; does nothing in a process that does not hold it."""
        if self._handle is not None:
            # The name goes first: whoever gets the lock of the old file then finds it nameless.
            _disk.remove(self.path)
            self.forget()

    def forget(self) -> None:
        """Close the descriptor, which in a forked child leaves the parent's lock alone."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            with contextlib.suppress(OSError):
                os.close(handle)

    def _take(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        handle = os.open(self.path, flags, 0o666)
        try:
            _flock(handle, self.path)
            os.write(handle, f"process {os.getpid()} on {os.uname().nodename}".encode())
        except BaseException:
            _disk.remove(self.path)
            os.close(handle)
            raise
        self._handle = handle
        _held.add(self)

    def _clear(self, path: Path) -> None:
        """Remove what a dead process left; refuse if it lives."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            if not _flock(handle, path):
                holder = os.read(handle, 200).decode("utf-8", "replace") or "another process"
                raise StoreLockedError(
                    f"{self._store} is being written by {holder} ({_words(path.name)}); "
                    f"wait for it, or choose another folder"
                )
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108
        finally:
            os.close(handle)


@contextlib.contextmanager
def guard(store: Path) -> Iterator[None]:
    """Hold the short lock under which locks and the manifest are made.

    Raises
    ------
    StoreLockedError
        If another process does not let go of it.
    """
    path = store / FOLDER / "guard"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        end = time.monotonic() + PATIENCE
        while not _flock(handle, path):
            if time.monotonic() > end:
                raise StoreLockedError(f"{store} is held by a process that does not go on; end it")
            time.sleep(0.02)
        yield
    finally:
        with contextlib.suppress(OSError):  # closed in any case
            os.close(handle)


def _flock(handle: int, path: Path) -> bool:
    """Lock an open file if nobody has; a file system without locks is refused, never ignored."""
    if fcntl is None:  # pragma: no cover
        raise StoreError("this system has no flock, which a store needs; sweep without a store")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise StoreError(
            f"cannot lock {path}: {error.strerror}; "
            f"choose a folder on a file system with locks (flock)"
        ) from error
    return True


def _words(name: str) -> str:
    part, of = name.split("-of-")
    return str(Shard(int(part), int(of)))


def _drop_all() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_drop_all)
