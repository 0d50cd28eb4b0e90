"""Threads that never keep a program from ending."""

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

Job = tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class DaemonThreads(Executor):
    """An executor like `ThreadPoolExecutor`, whose threads are not waited for at exit.

    A compiled kernel cannot be interrupted from outside; after Ctrl-C its chunk is dropped.

    Parameters
    ----------
    count
        How many threads.
    """

    def __init__(self, count: int) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._ended = False
        self._threads = [
            threading.Thread(target=self._work, name=f"thalweg-chunks-{i}", daemon=True)
            for i in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call.

        Raises
        ------
        RuntimeError
            After `shutdown`.
        """
        if self._ended:
            raise RuntimeError("cannot submit after shutdown")
        future: Future[Any] = Future()
        self._jobs.put((future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  as in the base class
        """Take no more calls; those that run go on."""
        self._ended = True
        if cancel_futures:
            with contextlib.suppress(queue.Empty):
                while True:
                    if job := self._jobs.get_nowait():
                        job[0].cancel()
        for _ in self._threads:
            self._jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        while job := self._jobs.get():
            future, call, args, kwargs = job
            if future.set_running_or_notify_cancel():
                try:
                    result = call(*args, **kwargs)
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
                    del result
            # Held until the next call otherwise, with the rows of a chunk.
            del job, future, call, args, kwargs
