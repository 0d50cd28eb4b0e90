"""Runs a plan: what is missing is computed anywhere, kept in order, looked at when planned."""

import functools
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from thalweg._core import DataError, as_count
from thalweg.basins._result import Sweep
from thalweg.basins.executors import run_chunks
from thalweg.basins.plan import Plan
from thalweg.basins.rows import compute, schema_of
from thalweg.basins.statistics import Tally, looks, narrow_enough
from thalweg.basins.store import WHOLE, MemoryStore, Shard, Store

Progress = Callable[[int, int, dict[str, Any]], None]
ENDINGS = {
    "complete": "every start of the plan was followed",
    "narrow": "every interval is as narrow as until_width asks for",
    "wide": "the largest number of starts was followed, but not every interval is narrow enough",
    "part": "this part of the plan is done; the others are not",
    "interrupted": "stopped before the end; the same call with the same store goes on",
}


def run_plan(
    plan: Plan,
    *,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    shard: Shard = WHOLE,
    report: Callable[[str], None] | None = None,
) -> Sweep:
    """Compute what is missing of a plan.

    Parameters
    ----------
    plan
        The plan.
    store, executor, workers, progress
        As for `thalweg.sweep`.
    shard
        The part of the chunks that is computed here.
    report
        Called with a line on everything that was put right.

    Returns
    -------
    Sweep
        Over all chunks that are there.
    """
    began = time.perf_counter()
    if workers is not None:
        workers = min(as_count(workers, "workers"), max(1, plan.chunks))
    kept: Any = MemoryStore(plan.chunks, schema_of(plan))
    if store is not None:
        kept = Store.create_or_open(
            _folder(store),
            plan.to_dict(),
            plan.fingerprint,
            plan.chunks,
            shard=shard,
            report=report,
        )
    with kept:
        keeper = Keeper(plan, kept, progress)
        missing = keeper.begin()
        status = ""
        try:
            if missing and not keeper.stop.is_set():
                run_chunks(
                    functools.partial(compute, plan),
                    missing,
                    keeper.take,
                    executor=executor,
                    workers=workers or (cores() + 1 if executor is None else None),
                    stop=keeper.stop,
                    report=report,
                )
        except KeyboardInterrupt:
            status = "interrupted"
        status = status or keeper.status()
    seconds = time.perf_counter() - began
    return Sweep(
        plan=plan,
        status=status,
        message=ENDINGS[status],
        folder=None if store is None else os.fspath(store),
        notes=tuple(kept.notes),
        stats={
            "seconds": seconds,
            "computed": keeper.computed,
            "starts_per_second": keeper.computed / seconds if seconds > 0 else 0.0,
        },
        _store=kept,
        _end=min(plan.count, keeper.bound * plan.size),
    )


def open_plan(store: str | os.PathLike[str]) -> Plan:
    """Return the plan of a store."""
    return Plan.from_dict(Store.open(_folder(store)).manifest.plan)


def open_sweep(store: str | os.PathLike[str], report: Callable[[str], None] | None = None) -> Sweep:
    """Read what a store holds, without computing anything.

    Parameters
    ----------
    store
        The folder.
    report
        As for `run_plan`.

    Returns
    -------
    Sweep
        Over the chunks that are there.
    """
    kept = Store.open(_folder(store), report=report)
    plan = Plan.from_dict(kept.manifest.plan)
    keeper = Keeper(plan, kept, None)
    keeper.begin()
    status = keeper.status()
    return Sweep(
        plan=plan,
        status=status,
        message=ENDINGS[status],
        folder=os.fspath(store),
        notes=tuple(kept.notes),
        _store=kept,
        _end=min(plan.count, keeper.bound * plan.size),
    )


def _folder(store: Any) -> str:
    """Return the name of a folder.

    Raises
    ------
    DataError
        If it can be none.
    """
    name = os.fspath(store) if isinstance(store, (str, os.PathLike)) else ""
    if not isinstance(name, str) or not name or "\0" in name:
        raise DataError(f"store must be the name of a folder, got {store!r}")
    return name


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Keeper:
    """Takes chunks in any order, keeps those before the next look, and ends the run at one.

    Chunks beyond the next look wait in memory: whether they belong to the sweep is not known yet.
    There are no more of them than chunks that are computed at the same time.
    """

    def __init__(self, plan: Plan, store: Any, progress: Progress | None) -> None:
        self.plan, self.store, self.progress = plan, store, progress
        self.stop = threading.Event()
        self.computed = 0
        self.done: set[int] = set()
        self.narrow = False
        self._all = Tally(len(plan.points))
        self._tally = Tally(len(plan.points))
        self._looks = looks(plan.chunks) if plan.until_width is not None else iter([plan.chunks])
        self.bound = next(self._looks)
        self._waiting: dict[int, Any] = {}
        self._counted: dict[int, Tally] = {}

    def begin(self) -> list[int]:
        """Count what is there and return what is missing."""
        missing: list[int] = self.store.missing()
        for table in self.store.batches():
            self._count(int(table["index"][0].as_py()) // self.plan.size, table)
        self._look()
        return missing

    def take(self, chunk: int, table: Any) -> None:
        """Keep a chunk."""
        self.computed += table.num_rows
        if chunk < self.bound:
            self.store.write(chunk, table)
        else:
            self._waiting[chunk] = table
        self._count(chunk, table)
        self._look()
        if self.progress is not None:
            total = self.plan.count if self.plan.until_width is None else self._size()
            now = {"counts": self._all.kinds(), "computed": self.computed}
            self.progress(sum(self._all.sizes), total, now)

    def status(self) -> str:
        """Say how far the sweep is."""
        if self.narrow:
            return "narrow"
        if len(self.done) < self.plan.chunks:
            return "part"
        return "complete" if self.plan.until_width is None else "wide"

    def _size(self) -> int:
        return min(self.plan.count, self.bound * self.plan.size)

    def _count(self, chunk: int, table: Any) -> None:
        self.done.add(chunk)
        tally = Tally(len(self.plan.points))
        tally.add(table)
        self._all.merge(tally)
        if self.plan.until_width is not None:
            self._counted[chunk] = tally

    def _look(self) -> None:
        """Look at the rows before the bound as soon as all of them are there."""
        if self.plan.until_width is None:
            return
        while not self.narrow and all(k in self.done for k in range(self.bound)):
            for k in [k for k in self._counted if k < self.bound]:
                self._tally.merge(self._counted.pop(k))
            self.narrow = narrow_enough(self.plan, self._tally)
            following = self.bound if self.narrow else next(self._looks, None)
            if self.narrow:
                self.stop.set()
            if self.narrow or following is None:
                return
            self.bound = following
            for k in sorted(k for k in self._waiting if k < self.bound):
                self.store.write(k, self._waiting.pop(k))
