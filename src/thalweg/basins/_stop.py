"""How a computation in a thread learns that its run was told to stop."""

import contextlib
import threading
from collections.abc import Iterator

_here = threading.local()


class StoppedError(Exception):
    """The run was told to stop, so its chunk is dropped."""


def check_stop() -> None:
    """Leave a computation whose run was told to stop; cheap, for loops and progress callbacks.

    Raises
    ------
    StoppedError
        Inside `run_chunks`, in a thread of its own, once the run was told to stop.
    """
    stop: threading.Event | None = getattr(_here, "stop", None)
    if stop is not None and stop.is_set():
        raise StoppedError


@contextlib.contextmanager
def stopped_by(stop: threading.Event) -> Iterator[None]:
    """Let `check_stop` look at this event in this thread."""
    _here.stop = stop
    try:
        yield
    finally:
        del _here.stop
