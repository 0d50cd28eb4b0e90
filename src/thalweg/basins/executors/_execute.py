"""Run chunks on an executor and hand each result over once, whatever dies meanwhile."""

import collections
import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from typing import Any

import pyarrow as pa

from thalweg._core import ThalwegError
from thalweg.basins._notice import notice
from thalweg.basins._stop import StoppedError
from thalweg.basins.executors._pools import Pool, Report, make_pool

RETRIES = 3
GRACE = 3.0  # seconds that chunks under way have to finish after being told to stop
TICK = 0.2


class ChunksFailedError(ThalwegError, RuntimeError):
    """Some chunks could not be computed; all others are stored.

    Attributes
    ----------
    failed
        The reason for each number.
    """

    exit_code = 3

    def __init__(self, failed: dict[int, str], done: int) -> None:
        first, reason = next(iter(failed.items()))
        names = ", ".join(map(str, sorted(failed)[:10])) + (", ..." if len(failed) > 10 else "")
        super().__init__(
            f"{len(failed)} chunks could not be computed ({names}), {done} could; "
            f"chunk {first}: {reason}; run the same command again to try those alone"
        )
        self.failed = dict(failed)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run of chunks came to.

    Attributes
    ----------
    done
        How many chunks were handed over.
    left
        Numbers of those that were not begun or dropped because the run was told to stop.
    """

    done: int
    left: tuple[int, ...]


def run_chunks(
    compute: Callable[[int], pa.Table],
    ids: Iterable[int],
    sink: Callable[[int, pa.Table], None],
    *,
    executor: Executor | str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
    report: Report = None,
) -> Outcome:
    """Compute chunks anywhere and hand each to `sink` in this thread, in the order of finishing.

    A chunk whose worker dies is tried again alone, three times; then it is reported while the
    others finish. Ctrl-C, SIGTERM under `ended_by_signals`, or `stop` end the run within
    seconds: what is finished is handed over, the rest dropped.

    Parameters
    ----------
    compute
        From a chunk's number to its rows. Must be picklable unless `executor` is None.
    ids
        Numbers of the chunks.
    sink
        Takes number and rows; called from this thread alone, while others compute.
    executor
        None: threads in this process, for kernels that release the GIL; works in a REPL, a
        notebook, from standard input. Any `concurrent.futures.Executor`. ``"processes"``: a pool
        of our own. ``"dask:ADDRESS"``: a Dask cluster.
    workers
        How many chunks are computed at the same time; 2 for threads, else what the executor has.
    progress
        Called as ``progress(done, count)`` after each chunk.
    stop
        Set it from anywhere to end the run; it is set when Ctrl-C ends it. In threads `compute`
        should call `check_stop` now and then, so that it ends too.
    report
        Called with a line on everything that was put right; without it, `SweepWarning`.

    Returns
    -------
    Outcome

    Raises
    ------
    ChunksFailedError
        After all other chunks are done, if some could not be computed; at once if the first three
        fail and none succeeds.
    """
    run = _Run(compute, ids, sink)
    run.progress, run.report = progress, report
    run.stop = stop or threading.Event()
    run.pool = make_pool(executor, workers, report)
    return run.go()


class _Run:
    """The state of a run; every method is called from one thread."""

    pool: Pool
    stop: threading.Event
    progress: Callable[[int, int], None] | None
    report: Report

    def __init__(
        self,
        compute: Callable[[int], pa.Table],
        ids: Iterable[int],
        sink: Callable[[int, pa.Table], None],
    ) -> None:
        self.compute, self.sink = compute, sink
        self.waiting = collections.deque(dict.fromkeys(ids))
        self.total = len(self.waiting)
        # Whose worker may have died: each is run alone, so that the guilty one is known.
        self.suspects: collections.deque[int] = collections.deque()
        self.running: dict[Future[Any], int] = {}
        self.alone: int | None = None
        self.broken = False
        self.idle_breaks = 0
        self.deaths: collections.Counter[int] = collections.Counter()
        self.failed: dict[int, str] = {}
        self.done = 0

    def go(self) -> Outcome:
        try:
            while (self.waiting or self.suspects or self.running) and not self.stop.is_set():
                self.submit()
                self.collect(TICK)
                if self.broken:
                    self.replace()
                if len(self.failed) >= RETRIES and not self.done:
                    raise ChunksFailedError(self.failed, self.done)
            if self.stop.is_set():
                self.wind_down()
        except (KeyboardInterrupt, SystemExit):
            self.stop.set()
            self.wind_down()
            raise
        finally:
            for future in self.running:
                future.cancel()
            self.pool.end()
        if self.failed:
            raise ChunksFailedError(self.failed, self.done)
        left = sorted({*self.waiting, *self.suspects, *self.running.values()})
        return Outcome(self.done, tuple(left))

    def submit(self) -> None:
        """Start what may start now: a suspect alone, or as many others as fit."""
        if self.suspects:
            if not self.running:
                self.alone = self.suspects.popleft()
                self.start(self.alone)
            return
        if self.alone is not None and self.running:
            return
        self.alone = None
        while self.waiting and len(self.running) < self.pool.window and not self.broken:
            self.start(self.waiting.popleft())

    def start(self, chunk: int) -> None:
        try:
            future = self.pool.submit(self.compute, chunk, self.stop)
        except Exception as error:  # a dead pool or a closed client; each has its own error
            (self.waiting if self.alone is None else self.suspects).appendleft(chunk)
            self.broken = True
            self.idle_breaks += 1
            if self.idle_breaks > RETRIES:
                raise ChunksFailedError({chunk: _words(error)}, self.done) from error
        else:
            self.running[future] = chunk

    def collect(self, seconds: float) -> None:
        """Hand over what has finished."""
        finished, _ = wait(self.running, seconds, FIRST_COMPLETED)
        for future in finished:
            chunk = self.running.pop(future)
            try:
                table = future.result()
            except (Exception, CancelledError) as error:
                self.trouble(chunk, error)
            else:
                self.idle_breaks = 0
                self.sink(chunk, table)
                self.done += 1
                if self.progress is not None:
                    self.progress(self.done, self.total)

    def trouble(self, chunk: int, error: BaseException) -> None:
        """Decide what becomes of a chunk that did not come back."""
        if isinstance(error, StoppedError):
            self.waiting.append(chunk)
            return
        self.broken = self.broken or isinstance(error, BrokenExecutor)
        if not _is_passing(error):
            self.failed[chunk] = _words(error)
            return
        if self.alone == chunk:
            self.deaths[chunk] += 1
        if self.deaths[chunk] < RETRIES:
            self.suspects.append(chunk)
        else:
            self.failed[chunk] = f"{_words(error)} ({RETRIES} times alone)"
            notice(f"chunk {chunk} is given up: {self.failed[chunk]}; going on", self.report)

    def replace(self) -> None:
        """Empty a broken pool and put another in its place."""
        self.collect(0.0)
        for future, chunk in list(self.running.items()):
            future.cancel()
            self.suspects.append(chunk)
        self.running.clear()
        self.broken = False
        self.pool = self.pool.replace()

    def wind_down(self) -> None:
        """Let chunks under way finish for a short while, and keep those that do."""
        end = time.monotonic() + GRACE
        while self.running and (left := end - time.monotonic()) > 0:
            for future in [future for future in self.running if future.cancel()]:
                self.waiting.append(self.running.pop(future))
            self.collect(min(TICK, left))


def _is_passing(error: BaseException) -> bool:
    """Say whether a failure is one of the surroundings, so that trying again makes sense."""
    if isinstance(error, (BrokenExecutor, CancelledError, MemoryError, OSError, EOFError)):
        return not isinstance(error, ThalwegError)
    # Dask's own, such as KilledWorker, without importing Dask.
    return any(kind.__module__.partition(".")[0] == "distributed" for kind in type(error).__mro__)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")[:300]
