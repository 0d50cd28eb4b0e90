"""What pictures of a sweep show, gathered chunk by chunk."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg._core import Array
from thalweg.basins.plan import Plan

MOST_TIMES = 400
"""Points of a curve of certification times."""
MOST_STARTS = 20_000
"""Starts that a staircase is drawn from, the first by index."""


def plotted_axes(plan: Plan) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the parameters that take several values."""
    return [(name, values) for name, values in plan.axes if len(values) > 1]


def certificate_times(plan: Plan, batches: Iterable[Any]) -> list[tuple[Array, Array]]:
    """Return for each point of the grid times and the share of starts certified by then."""
    times: list[list[Array]] = [[] for _ in plan.points]
    counts = np.zeros(len(plan.points))
    for batch in batches:
        point = np.asarray(batch["index"]) % len(plan.points)
        t = batch["t_certificate"].to_numpy()
        for place in range(len(plan.points)):
            own = t[point == place]
            counts[place] += len(own)
            times[place].append(own[np.isfinite(own)])
    out = []
    for place, parts in enumerate(times):
        ordered = np.sort(np.concatenate([np.zeros(0), *parts]))
        share = np.arange(1, len(ordered) + 1) / max(1.0, counts[place])
        if len(ordered) > MOST_TIMES:
            keep = np.unique(np.linspace(0, len(ordered) - 1, MOST_TIMES).astype(int))
            ordered, share = ordered[keep], share[keep]
        out.append((ordered, share))
    return out


def staircase(plan: Plan, batches: Iterable[Any], times: Array) -> Array:
    """Return the mean number of directions learned, for each point of the grid and time.

    Parameters
    ----------
    plan
        The plan.
    batches
        Rows, in parts.
    times
        Increasing times, shape ``(K,)``.

    Returns
    -------
    ndarray
        Shape ``(G, K)``. From a start's plateaus: it counts as on one until half way, in
        logarithmic time, to the next; after the last plateau it has learned what its limit has.
        NaN where no start was.
    """
    total = np.zeros((len(plan.points), len(times)))
    count = np.zeros(len(plan.points))
    for batch in _first(batches):
        for point, steps in _steps(batch, len(plan.points)):
            when = np.array([t for t, _ in steps])
            level = np.array([0.0, *(size for _, size in steps)])
            total[point] += level[np.searchsorted(when, times, side="right")]
            count[point] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / count[:, np.newaxis], dtype=np.float64)


def _first(batches: Iterable[Any]) -> Iterable[Any]:
    left = MOST_STARTS
    for batch in batches:
        if left <= 0:
            return
        yield batch.slice(0, left)
        left -= batch.num_rows


def _steps(batch: Any, points: int) -> Iterable[tuple[int, list[tuple[float, int]]]]:
    """Return for each start when its number of learned directions changes, and to what."""
    columns = [batch[name].to_pylist() for name in ("index", "plateaus", "rank", "t_certificate")]
    for index, passed, rank, certified in zip(*columns, strict=True):
        steps = []
        for before, after in itertools.pairwise(passed):
            middle = float(np.sqrt(max(before["t_exit"], 1e-300) * max(after["t_enter"], 1e-300)))
            steps.append((middle, len(after["learned"])))
        if passed and certified is not None:
            steps.append((max(passed[-1]["t_exit"], certified), rank))
        elif certified is not None:
            steps.append((certified, rank))
        yield index % points, steps


def time_range(batches: Iterable[Any]) -> tuple[float, float] | None:
    """Return the earliest and latest positive times of plateaus and certificates."""
    low, high = np.inf, 0.0
    for batch in batches:
        t = batch["t_certificate"].to_numpy()
        good: npt.NDArray[np.float64] = t[np.isfinite(t) & (t > 0.0)]
        if len(good):
            low, high = min(low, float(good.min())), max(high, float(good.max()))
    return (low, high) if high > low > 0.0 else None
