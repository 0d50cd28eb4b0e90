"""Starts of a batch one after the other: without a compiled core, and where a start is stiff."""

import itertools
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from thalweg._core import Array
from thalweg.integrate._lanes import UNFINISHED, BatchLimits, Rows
from thalweg.integrate._project import project
from thalweg.integrate._slices import STATUS
from thalweg.integrate._solution import Solution
from thalweg.integrate._solve import solve
from thalweg.integrate._status import Status
from thalweg.network import loss, unpack

CODES = {status: code for code, status in STATUS.items()}
Problem = tuple[Array, Array, tuple[int, ...]]


def solve_each(
    problem: Problem,
    starts: Array,
    limits: BatchLimits,
    results: tuple[Array, Rows],
    which: npt.NDArray[np.intp],
    *,
    engine: str,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Fill the rows `which` of the end points and the table by the single-run solver.

    Ctrl-C ends it between two steps: rows not reached keep the status `UNFINISHED`.
    """
    target, metric, dims = problem
    ends, rows = results
    told = time.monotonic()
    rows["status"][which] = UNFINISHED
    for count, k in enumerate(which):
        done = solve(
            target,
            metric,
            unpack(starts[k], dims),
            t_end=limits.t_end,
            rtol=limits.rtol,
            loss_stop=limits.loss_stop,
            gradient_stop=limits.gradient_stop,
            max_steps=limits.max_steps,
            engine=engine,
        )
        if done.status is Status.INTERRUPTED:
            return
        layers = unpack(starts[k], dims)
        end = done.y[-1]
        repaired = end
        if np.all(np.isfinite(end)):
            repaired = project(end[np.newaxis], dims, _conserved(layers))[0]
        ends[k] = repaired
        drifts = (relative_drift(layers, unpack(y, dims)) for y in (end, repaired))
        last = (float(item[-1]) for item in (done.t, done.loss, done.gradient_norm))
        counts = (done.stats[name] for name in ("steps", "rejected", "rhs"))
        passed = basin_time(done, limits.basin_level, (target, metric))
        rows[k] = (*last, passed, *drifts, CODES[done.status], *counts)
        if progress is not None and time.monotonic() - told > 0.1:
            told = time.monotonic()
            progress(count + 1, len(which))


def relative_drift(start: list[Array], end: list[Array]) -> float:
    """Return a bound on the relative drift of any ``C_j`` (Spec 2.2), as the compiled core does.

    Frobenius norms above; below, squared Frobenius norms by the rank, which spectral ones exceed.
    """
    sizes = [float(np.vdot(w, w)) / max(min(w.shape), 1) for w in start]
    worst = 0.0
    for j, (one, two) in enumerate(zip(_conserved(start), _conserved(end), strict=True)):
        scale = max(sizes[j], sizes[j + 1]) or 1.0
        worst = max(worst, float(np.linalg.norm(two - one)) / scale)
    return worst


def basin_time(done: Solution, level: float, problem: tuple[Array, Array]) -> float:
    """Return when the loss fell below `level`, by dense output inside the step; NaN if never."""
    below = np.flatnonzero(done.loss < level)
    if below.size == 0 or below[0] == 0:
        return float("nan") if below.size == 0 else float(done.t[0])
    low, high = float(done.t[below[0] - 1]), float(done.t[below[0]])
    for _ in range(30):
        middle = 0.5 * (low + high)
        value = loss(done.at(middle), *problem)
        low, high = (low, middle) if value < level else (middle, high)
    return high


def _conserved(layers: list[Array]) -> list[Array]:
    return [b.T @ b - a @ a.T for a, b in itertools.pairwise(layers)]
