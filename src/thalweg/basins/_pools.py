"""Where chunks are computed, and what takes its place when it breaks."""

import contextlib
import dataclasses
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from thalweg._core import DataError
from thalweg.basins import _worker
from thalweg.basins._dask import connect_dask
from thalweg.basins._notice import notice
from thalweg.basins._threads import DaemonThreads

Report = Callable[[str], None] | None
SECONDS = 120.0  # for a new pool of processes to answer once


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

    def submit(self, compute: Callable[[int], Any], chunk: int) -> Future[Any]:
        """Start the computation of a chunk."""
        call = compute if self.shares_memory else _worker.Task(compute)
        return self.executor.submit(call, chunk)


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
        return _given(client.get_executor(), count, report, client.close)
    raise DataError(
        f"executor {executor!r} is not known; give a concurrent.futures.Executor, "
        f"'processes', 'dask:ADDRESS' or None"
    )


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
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_worker.begin)
    try:
        executor.submit(_worker.ready).result(SECONDS)
    except Exception as error:  # whatever keeps processes from starting
        _kill(executor)
        notice(
            f"worker processes do not start here ({type(error).__name__}); "
            f"going on with threads in this process",
            report,
        )
        return _threads(2, report)
    return Pool(
        executor=executor,
        window=2 * count,
        shares_memory=False,
        end=lambda: _kill(executor),
        replace=lambda: _replaced(executor, count, context, report),
    )


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


def _kill(executor: ProcessPoolExecutor) -> None:
    """End a pool of our own at once, with its processes."""
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
