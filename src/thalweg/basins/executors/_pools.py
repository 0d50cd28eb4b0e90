"""Where chunks are computed, and what takes its place when it breaks."""

import contextlib
import dataclasses
import functools
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from thalweg._core import DataError
from thalweg.basins._notice import notice
from thalweg.basins._stop import stopped_by
from thalweg.basins.executors import _worker
from thalweg.basins.executors._dask import connect_dask
from thalweg.basins.executors._threads import DaemonThreads

Report = Callable[[str], None] | None
SECONDS = 60.0  # for a new pool of processes to answer once
TRIES = 3


@dataclasses.dataclass(frozen=True)
class Pool:
    """An executor with what the run needs to know about it.

    Attributes
    ----------
    executor
        Takes the calls.
    window
        How many chunks may be under way: enough to keep workers busy, few enough for memory.
    shares_memory
        Whether calls run in this process.
    end
        Drops what still runs, as far as that is ours to decide.
    replace
        Makes the pool that takes over when this one is broken.
    """

    executor: Executor
    window: int
    shares_memory: bool
    end: Callable[[], None]
    replace: Callable[[], "Pool"]

    def submit(
        self, compute: Callable[[int], Any], chunk: int, stop: threading.Event
    ) -> Future[Any]:
        """Start the computation of a chunk."""
        if self.shares_memory:
            return self.executor.submit(_listening, compute, chunk, stop)
        return self.executor.submit(_worker.Task(compute), chunk)


def make_pool(executor: Executor | str | None, workers: int | None, report: Report) -> Pool:
    """Return the pool for what the user asked for.

    Parameters
    ----------
    executor
        None for threads in this process; an executor; ``"processes"``; ``"dask:ADDRESS"``.
    workers
        How many chunks are computed at the same time.
    report
        Called with a line on what was put right.

    Raises
    ------
    DataError
        If there is no such kind of executor.
    """
    if executor is None:
        return _threads(workers or 2, report)
    if isinstance(executor, Executor):
        return _given(executor, workers, report)
    if executor == "processes":
        return _checked(workers or _cores(), multiprocessing.get_context("spawn"), report)
    if str(executor).startswith("dask:"):
        client = connect_dask(str(executor))
        count = workers or max(1, sum(client.nthreads().values()))
        # Impure: a chunk that is tried again must not get the error that is remembered for it.
        return _given(client.get_executor(pure=False), count, report, client.close)
    raise DataError(
        f"executor {executor!r} is not known; give a concurrent.futures.Executor, "
        f"'processes', 'dask:ADDRESS' or None"
    )


def _listening(compute: Callable[[int], Any], chunk: int, stop: threading.Event) -> Any:
    with stopped_by(stop):
        return compute(chunk)


def _threads(count: int, report: Report) -> Pool:
    executor = DaemonThreads(count)
    return Pool(
        executor=executor,
        window=count + 1,
        shares_memory=True,
        end=lambda: executor.shutdown(wait=False, cancel_futures=True),
        replace=lambda: _threads(count, report),
    )


def _checked(count: int, context: Any, report: Report) -> Pool:
    """Make a pool of processes that has answered once, or threads where none does."""
    reason = ""
    for _ in range(TRIES):
        executor = ProcessPoolExecutor(count, mp_context=context, initializer=_worker.begin)
        try:
            executor.submit(_worker.ready).result(SECONDS)
        except Exception as error:  # whatever keeps processes from starting
            _kill(executor)
            reason = type(error).__name__
        else:
            return Pool(
                executor=executor,
                window=2 * count,
                shares_memory=False,
                end=functools.partial(_kill, executor),
                replace=functools.partial(_replaced, executor, count, context, report),
            )
    notice(
        f"worker processes do not start here ({reason}); going on with threads in this process",
        report,
    )
    return _threads(2, report)


def _replaced(executor: ProcessPoolExecutor, count: int, context: Any, report: Report) -> Pool:
    _kill(executor)
    return _checked(count, context, report)


def _given(
    executor: Executor,
    workers: int | None,
    report: Report,
    close: Callable[[], None] = lambda: None,
) -> Pool:
    count = workers or getattr(executor, "_max_workers", None) or _cores()
    if isinstance(executor, ProcessPoolExecutor):
        _watch_from_the_start(executor)

    def replace() -> Pool:
        name = type(executor).__name__
        if isinstance(executor, ProcessPoolExecutor):
            notice(f"a worker of the {name} died; going on with a new pool like it", report)
            context = getattr(executor, "_mp_context", None)
            return _checked(count, context or multiprocessing.get_context("spawn"), report)
        notice(f"the {name} is broken; going on with threads in this process", report)
        with contextlib.suppress(Exception):
            close()
        return _threads(2, report)

    return Pool(
        executor=executor,
        window=2 * count,
        shares_memory=False,
        end=close,
        replace=replace,
    )


def _watch_from_the_start(executor: ProcessPoolExecutor) -> None:
    """Let workers that never get a chunk leave with their parent as well.

    Uses attributes of the standard library that are not documented; where they change, only
    workers with a chunk are covered.
    """
    unset = object()
    if getattr(executor, "_initializer", unset) is None and not getattr(executor, "_processes", 1):
        vars(executor)["_initializer"] = _worker.watch_parent


def _kill(executor: ProcessPoolExecutor) -> None:
    """End a pool of our own at once, with its processes."""
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join(SECONDS)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
