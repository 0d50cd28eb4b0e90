"""What runs inside a worker process."""

import dataclasses
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

import pyarrow as pa

_watch: list[threading.Thread] = []


@dataclasses.dataclass(frozen=True)
class Task:
    """A chunk's computation as it is sent to a worker.

    Attributes
    ----------
    compute
        From the number of a chunk to its rows.
    """

    compute: Callable[[int], pa.Table]

    def __call__(self, chunk: int) -> pa.Table:
        """Compute a chunk; from then on this process does not outlive its parent."""
        watch_parent()
        return self.compute(chunk)


def watch_parent() -> None:
    """End this process as soon as its parent is gone.

    Without it the workers of a killed sweep would go on for ever. Workers of a pool call it with
    their first chunk; as the pool's ``initializer`` it also covers those that never get one.
    """
    parent = multiprocessing.parent_process()
    if parent is None or any(thread.is_alive() for thread in _watch):
        return
    thread = threading.Thread(target=_leave_after, args=(parent, os.getppid()), daemon=True)
    _watch[:] = [thread]
    thread.start()


def begin() -> None:
    """Prepare a worker of a pool of our own: Ctrl-C is the business of the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch_parent()


def ready() -> int:
    """Answer, which shows that the pool works."""
    return os.getpid()


def _leave_after(parent: Any, pid: int) -> None:
    # The pipe may have been inherited by siblings, the id of the parent changes in any case.
    while os.getppid() == pid and not connection.wait([parent.sentinel], timeout=0.5):
        pass
    os._exit(1)
