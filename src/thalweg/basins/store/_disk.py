"""Files that are on the disk, whole and read back, before anyone relies on them."""

import contextlib
import errno
import os
from pathlib import Path
from typing import NoReturn

from thalweg._core import StoreError

TEMPORARY = ".writing-"  # never seen by readers of *.parquet, ignored by PyArrow's data sets
_FULL = "make room; what is stored stays valid and the same command goes on from there"
REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the limit on file sizes (ulimit -f); what is stored stays valid",
    errno.EACCES: "choose a folder in which you may write",
    errno.EPERM: "choose a folder in which you may write",
    errno.EROFS: "choose a folder on a disk that is not mounted read-only",
    errno.ENOTDIR: "choose a folder, not a file",
}
RETRIES = 3
_TRANSIENT = {errno.EIO, errno.ESTALE, errno.EAGAIN, errno.ENOENT}


class _MismatchError(OSError):
    """What was read back is not what was written."""


def fail(path: Path, error: OSError, what: str = "write") -> NoReturn:
    """Raise the one line about a file that could not be written or read.

    Raises
    ------
    StoreError
        Always, with the ``errno`` of its cause.
    """
    reason = error.strerror or str(error)
    number = error.errno or 0
    remedy = REMEDIES.get(number, "what is stored stays valid; check the disk and run again")
    result = StoreError(f"cannot {what} {path}: {reason}; {remedy}")
    result.errno = error.errno
    raise result from error


def put(folder: Path, name: str, content: bytes) -> None:
    """Store a file durably: temporary name, sync, read back, rename, sync of the folder.

    Reading errors and mismatches are tried again, a full disk is not.

    Parameters
    ----------
    folder, name
        Where to; an existing file is replaced as a whole.
    content
        The whole file.

    Raises
    ------
    StoreError
        If it cannot be stored; an earlier file of that name is then untouched.
    """
    for left in reversed(range(RETRIES)):
        try:
            _put_once(folder, name, content)
        except OSError as error:
            if left == 0 or not (isinstance(error, _MismatchError) or error.errno in _TRANSIENT):
                fail(folder / name, error)
        else:
            return


def _put_once(folder: Path, name: str, content: bytes) -> None:
    temporary = folder / f"{TEMPORARY}{name}-{os.uname().nodename}-{os.getpid()}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
            # Reading back would otherwise be answered from memory, not by the disk.
            with contextlib.suppress(AttributeError, OSError):
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)
        if get(temporary) != content:
            raise _MismatchError("the disk returned other bytes than were written")
        os.replace(temporary, folder / name)  # noqa: PTH105  one module does all file operations
    except BaseException:
        remove(temporary)
        raise
    sync_folder(folder)


def remove(path: Path) -> None:
    """Remove a temporary file if that can be done."""
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108


def get(path: Path) -> bytes:
    """Read a whole file."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(handle, 1 << 24):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot, and keep names in order by themselves.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, durably.

    Raises
    ------
    StoreError
        If that cannot be done.
    """
    try:
        missing = [part for part in (folder, *folder.parents) if not part.exists()]
        for part in reversed(missing):
            with contextlib.suppress(FileExistsError):
                os.mkdir(part)  # noqa: PTH102
            sync_folder(part.parent)
        if not folder.is_dir():
            fail(folder, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), "make")
    except StoreError:
        raise
    except OSError as error:
        fail(folder, error, "make")


def set_aside(path: Path, folder: Path) -> Path:
    """Move a file into a folder under a name that is free there, and return the new path.

    Raises
    ------
    StoreError
        If that cannot be done.
    """
    make_folder(folder)
    number = 0
    while (goal := folder / f"{path.name}.{number}").exists():
        number += 1
    try:
        os.replace(path, goal)  # noqa: PTH105
        sync_folder(folder)
        sync_folder(path.parent)
    except OSError as error:
        fail(path, error, "move")
    return goal
