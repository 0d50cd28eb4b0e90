"""Starts of a batch one after the other: without a compiled core, and where a start is stiff."""

import functools
import itertools
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from thalweg._core import Array
from thalweg.integrate._field import Field
from thalweg.integrate._lanes import BatchLimits
from thalweg.integrate._passages import at_rest, passages
from thalweg.integrate._project import project
from thalweg.integrate._rock4 import table
from thalweg.integrate._rows import UNFINISHED, Results, no_events
from thalweg.integrate._slices import STATUS
from thalweg.integrate._solution import DOP853, REST, RODAS4, Solution
from thalweg.integrate._solve import solve
from thalweg.integrate._status import Status
from thalweg.network import end_to_end, loss, unpack

CODES = {status: code for code, status in STATUS.items()}
STAGES = {RODAS4: 6, DOP853: 12, REST: 0}
Problem = tuple[Array, Array, tuple[int, ...]]


def solve_each(
    problem: Problem,
    starts: Array,
    limits: BatchLimits,
    results: Results,
    which: npt.NDArray[np.intp],
    *,
    engine: str,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Fill the rows `which` of the results by the single-run solver.

    Ctrl-C ends it between two steps: rows not reached keep the status `UNFINISHED`.
    """
    dims = problem[2]
    told = time.monotonic()
    results.rows["status"][which] = UNFINISHED
    for count, k in enumerate(which):
        run = _Run(problem, starts[k], limits, engine)
        if run.status is Status.INTERRUPTED:
            return
        layers = unpack(starts[k], dims)
        end = run.y[-1]
        repaired = end
        if np.all(np.isfinite(end)):
            repaired = project(end[np.newaxis], dims, _conserved(layers))[0]
        results.ends[k] = repaired
        drifts = (relative_drift(layers, unpack(y, dims)) for y in (end, repaired))
        last = (float(item[-1]) for item in (run.t, run.loss, run.gradient_norm))
        codes = (CODES[run.status], *(run.count(name) for name in ("steps", "rejected", "rhs")))
        results.rows[k] = (
            *(*last, run.basin_time(), *drifts, run.least_gradient()),
            *(*codes, *run.until_basin(), run.plateaus(results, k)),
        )
        if progress is not None and time.monotonic() - told > 0.1:
            told = time.monotonic()
            progress(count + 1, len(which))


class _Run:
    """One trajectory; without a time to stop at it goes on until rounding is all that is left."""

    def __init__(self, problem: Problem, start: Array, limits: BatchLimits, engine: str) -> None:
        self._problem, self._limits = problem, limits
        target, metric, dims = problem
        self._pieces: list[Solution] = []
        stop, budget, state = limits.gradient_stop or limits.rest, limits.max_steps, None
        while True:
            piece = solve(
                target,
                metric,
                unpack(start, dims),
                t_end=limits.t_end,
                rtol=limits.rtol,
                loss_stop=limits.loss_stop,
                gradient_stop=stop,
                max_steps=budget,
                engine=engine,
                state=state,
            )
            self._pieces.append(piece)
            state, budget = piece.state, budget - piece.stats["steps"]
            self.status = piece.status
            if piece.status is not Status.GRADIENT_STOP or limits.gradient_stop > 0:
                break
            slope = Field(target, metric, dims).rhs(piece.y[-1])[1]
            if at_rest(piece.y[-1], slope, problem):
                break
            stop = 0.1 * float(np.linalg.norm(slope))
        self.t, self.loss, self.gradient_norm, self.y = (
            np.concatenate([getattr(p, name)[min(i, 1) :] for i, p in enumerate(self._pieces)])
            for name in ("t", "loss", "gradient_norm", "y")
        )

    def count(self, name: str) -> int:
        return sum(int(piece.stats[name]) for piece in self._pieces)

    def _at(self, t: float) -> list[Array]:
        return next((p for p in self._pieces if p.t[-1] >= t), self._pieces[-1]).at(t)

    @functools.cached_property
    def _inside(self) -> int:
        """Number of the first accepted step in the basin, as many as there are if none is."""
        below = np.flatnonzero(self.loss < self._limits.basin_level)
        return int(below[0]) if below.size else len(self.loss)

    def basin_time(self) -> float:
        """Return when the loss fell below the level, by dense output inside the step, or NaN."""
        if self._inside in {0, len(self.loss)}:
            return float("nan") if self._inside else float(self.t[0])
        low, high = float(self.t[self._inside - 1]), float(self.t[self._inside])
        for _ in range(30):
            middle = 0.5 * (low + high)
            below = loss(self._at(middle), *self._problem[:2]) < self._limits.basin_level
            low, high = (low, middle) if below else (middle, high)
        return high

    def least_gradient(self) -> float:
        return float(np.min(self.gradient_norm[: max(self._inside, 1)]))

    def until_basin(self) -> tuple[int, int]:
        """Return accepted steps until the basin and their right-hand sides, -1 if never."""
        if self._inside == len(self.loss):
            return -1, -1
        every = [piece._steps["kind"] for piece in self._pieces]  # noqa: SLF001
        kinds = np.concatenate(every)[: self._inside]
        return self._inside, sum(STAGES[k] if k < 0 else table()[k].stages for k in kinds)

    def plateaus(self, results: Results, k: int) -> int:
        if results.modes is None:
            return 0
        dims = self._problem[2]

        def product(y: list[Array]) -> Array:
            return np.asarray(end_to_end(y) * self._problem[1])

        maps = np.array([product(unpack(y, dims)) for y in self.y])
        events = results.events[k]
        events[:] = no_events(1, len(events))[0]
        return passages(self.t, maps, lambda t: product(self._at(t)), results.modes, events)


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


def _conserved(layers: list[Array]) -> list[Array]:
    return [b.T @ b - a @ a.T for a, b in itertools.pairwise(layers)]
