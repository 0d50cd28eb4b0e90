"""Writing files so that they are either whole or not there."""

import contextlib
import os
from pathlib import Path

from thalweg._core._errors import StoreError


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file through a temporary neighbour, so that no reader ever sees half of it.

    Parameters
    ----------
    path
        Where to; missing folders are made.
    content
        The whole file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If the file cannot be written; an earlier file of that name is then untouched.
    """
    goal = Path(path)
    made: Path | None = None
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        import tempfile  # slow to import, rarely needed

        handle, name = tempfile.mkstemp(dir=goal.parent, prefix=f".{goal.name}.")
        made = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a result is as readable as any other new file.
        mask = os.umask(0)
        os.umask(mask)
        made.chmod(0o666 & ~mask)
        made.replace(goal)
    except OSError as error:
        raise StoreError(
            f"cannot write {goal}: {error.strerror or error}; choose another folder or make room"
        ) from error
    else:
        made = None
        return goal
    finally:
        if made is not None:
            with contextlib.suppress(OSError):
                made.unlink()
