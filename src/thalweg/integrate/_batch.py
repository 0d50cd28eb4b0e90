"""Integrate many starts of one problem, each with its own steps and its own end."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg._core import Array, DataError, IntegrationError
from thalweg.integrate._lanes import BatchLimits, library, run_lanes
from thalweg.integrate._modes import MOST_MODES, Modes
from thalweg.integrate._native import instruction_set
from thalweg.integrate._rows import ROW, Results, Rows, no_events
from thalweg.integrate._single import CODES, solve_each
from thalweg.integrate._slices import IMPLICIT, STATUS
from thalweg.integrate._solve import ENGINES, FINEST
from thalweg.integrate._status import Status

LARGEST = 2000  # unknowns beyond which one start after the other is at least as fast


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class BatchSolution:
    """Ends of many trajectories in reduced coordinates; every array has one row for each start.

    Attributes
    ----------
    t, loss, gradient_norm
        Where each start ended.
    weights
        End weights, one stack ``(N, d_{j+1}, d_j)`` for each layer.
    status
        Why it ended; `Status.INTERRUPTED` where Ctrl-C came first, with the weights NaN.
    basin_time, basin_steps, basin_stages
        Time at which the loss fell below `basin_level`, NaN where it did not; accepted steps and
        right-hand sides until then, -1 where it did not.
    least_gradient
        The smallest gradient norm at accepted steps before the basin: how near a saddle was.
    plateaus, plateau_count
        Slow passages near saddles (Spec 5.4), shape ``(N, room)`` with the fields ``learned``
        (bit i tells whether direction i is, -1 where there is no plateau), ``t_enter``,
        ``t_exit`` and ``closest`` as in `thalweg.limit.Plateau`; and how many there were, which
        may be more than `room`. Times are by dense output inside the steps.
    drift, repaired
        Bound on the relative drift of the conserved matrices (Spec 2.2) when the integration
        ended, and after they were restored by a change of hidden coordinates.
    steps, rejected, stages
        Accepted and rejected steps, right-hand sides.
    single
        Whether the start was too stiff for a batch and was integrated by `solve` instead.
    stats
        The engine, threads, and the share of computed stages that were needed.
    """

    t: Array
    loss: Array
    gradient_norm: Array
    weights: list[Array]
    status: npt.NDArray[np.object_]
    basin_time: Array
    drift: Array
    repaired: Array
    steps: npt.NDArray[np.int64]
    rejected: npt.NDArray[np.int64]
    stages: npt.NDArray[np.int64]
    single: npt.NDArray[np.bool_]
    least_gradient: Array
    basin_steps: npt.NDArray[np.int64]
    basin_stages: npt.NDArray[np.int64]
    plateau_count: npt.NDArray[np.int64]
    plateaus: Rows
    stats: dict[str, Any]

    def passed(self, k: int) -> list[tuple[tuple[int, ...], float, float, float]]:
        """Return the plateaus of start `k`: learned set, entry, exit, closest relative distance."""
        out = []
        for row in self.plateaus[k][: self.plateau_count[k]]:
            bits = int(row["learned"])
            learned = tuple(i for i in range(MOST_MODES) if bits >> i & 1)
            times = float(row["t_enter"]), float(row["t_exit"])
            out.append((learned, *times, float(row["closest"])))
        return out


def solve_batch(
    target: Array,
    metric: Array,
    starts: Sequence[Array],
    *,
    t_end: float = np.inf,
    rtol: float = 1e-8,
    loss_stop: float = -np.inf,
    gradient_stop: float | None = None,
    basin_level: float = -np.inf,
    stop_at_basin: bool = False,
    plateaus: int = 0,
    max_steps: int = 100_000,
    threads: int | None = None,
    engine: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> BatchSolution:
    """Integrate ``dW/dt = -grad 0.5 ||T - W_L ... W_1 D||_F^2`` from every start (Spec 2.1).

    What one start gives does not depend on the others, their order or the threads, bit by bit.
    A step of the compiled core serves as many starts as a vector register has doubles.

    Parameters
    ----------
    target, metric
        ``T`` of shape ``(d_y, k)`` and the diagonal of ``D``, shape ``(k,)``.
    starts
        One stack of weights ``(N, d_{j+1}, d_j)`` for each layer, ``W_1`` first.
    t_end
        Time to stop at, may be infinite if something else ends every start.
    rtol
        An accepted step errs by at most `rtol` times the start's root mean square. `solve` asks for
        less of networks with more than two layers (docs/engine.md), and so do starts that are
        `single`: deep networks with small starts need a smaller `rtol` here for the same error.
    loss_stop, gradient_stop
        A start ends when its loss or gradient norm has fallen that far. Without `gradient_stop`
        it is 0 with a finite `t_end`; else a start ends when every entry of its gradient is
        within rounding of the terms it is a sum of, which a tiny start near a saddle is not.
    basin_level
        Loss below which the limit is known (Spec 3.4); when it is passed is recorded.
    stop_at_basin
        Whether a start ends there, with the status `Status.LOSS_STOP`: its verdict is a theorem.
        To know the final loss to some accuracy as well, let `loss_stop` be the least critical
        value plus that accuracy instead.
    plateaus
        How many plateaus are kept of each start.
    max_steps
        Budget of accepted steps for each start.
    threads
        Threads of the compiled core; without it, one for each core that may be used.
    engine
        ``"auto"``, ``"native"`` or ``"numpy"``; the last takes one start after the other.
    progress
        Called as ``progress(done, count)`` about ten times a second.

    Raises
    ------
    DataError
        If shapes do not fit, a name is unknown, or a limit is not a number.
    IntegrationError
        If the engine asked for is not there.
    """
    dims, rows = _packed(target, metric, starts)
    if np.isnan([t_end, rtol, loss_stop, basin_level]).any():
        raise DataError("t_end, rtol, loss_stop and basin_level must be numbers, got NaN")
    if engine not in ENGINES:
        raise DataError(f"unknown engine {engine!r}; choose one of {', '.join(ENGINES)}")
    problem = (np.asarray(target, dtype=np.float64), np.asarray(metric, dtype=np.float64), dims)
    rest = 0.0
    if gradient_stop is None:
        gradient_stop = 0.0
        rest = 0.0 if np.isfinite(t_end) else _rounding(*problem[:2], len(dims) - 1)
    if stop_at_basin:
        loss_stop = max(loss_stop, float(np.nextafter(basin_level, -np.inf)))
    modes = Modes.of(problem[0], dims, plateaus) if plateaus > 0 else None
    limits = BatchLimits(
        *(float(x) for x in (t_end, loss_stop, gradient_stop, basin_level)),
        *(float(rtol), FINEST, _grown(*problem[:2], rows.shape[1], len(dims) - 1)),
        rest,
        max_steps,
    )
    lanes = engine != "numpy" and library(instruction_set()) is not None
    if engine == "native" and not lanes:
        raise IntegrationError("the compiled core has no batches here; use engine='numpy'")
    how: dict[str, Any] = {"engine": engine, "progress": progress}
    results = Results(
        ends=np.full_like(rows, np.nan),
        rows=np.zeros(len(rows), dtype=ROW),
        events=no_events(len(rows), max(plateaus, 0)),
        modes=modes,
    )
    if not lanes or (engine == "auto" and rows.shape[1] > LARGEST) or rows.shape[1] == 0:
        solve_each(problem, rows, limits, results, np.arange(len(rows)), **how)
        single = np.ones(len(rows), dtype=bool)
        stats: dict[str, Any] = {"engine": "native" if lanes else "numpy", "threads": 1}
    else:
        threads = threads or _cores()
        queue = run_lanes(problem, rows, limits, results, threads, progress=progress)
        single = results.rows["status"] == IMPLICIT
        _rest(results.rows, limits)
        if not queue.stop:
            stiff = np.flatnonzero(single)
            solve_each(problem, rows, limits, results, stiff, **how)
        stats = {"engine": "native", "instruction_set": instruction_set(), "threads": threads}
        stats["needed"] = queue.useful / queue.spent if queue.spent else 1.0
    return _solution(results, dims, single, stats)


def _rest(rows: Rows, limits: BatchLimits) -> None:
    """Let starts whose gradient is zero rest until the time that was asked for, as in `solve`."""
    if limits.gradient_stop == 0 and np.isfinite(limits.t_end):
        still = (rows["status"] == CODES[Status.GRADIENT_STOP]) & (rows["gradient_norm"] == 0)
        rows["t"][still], rows["status"][still] = limits.t_end, CODES[Status.T_END]


def _solution(
    results: Results,
    dims: tuple[int, ...],
    single: npt.NDArray[np.bool_],
    stats: dict[str, Any],
) -> BatchSolution:
    ends, rows = results.ends, results.rows
    known = [STATUS.get(code, Status.INTERRUPTED) for code in range(-1, IMPLICIT + 1)]
    status = np.array(known, dtype=object)[rows["status"] + 1]
    missing = status == Status.INTERRUPTED
    ends[missing] = np.nan
    columns = {name: rows[name].copy() for name in ROW.names or () if name != "status"}
    for name, column in columns.items():
        if column.dtype.kind == "f":
            column[missing] = np.nan
        elif name.startswith("basin"):
            column[missing] = -1
    results.events[missing] = no_events(1, results.events.shape[1])
    weights, position = [], 0
    for low, high in itertools.pairwise(dims):
        part = ends[:, position : position + low * high]
        weights.append(part.reshape(-1, high, low).copy())
        position += low * high
    return BatchSolution(
        **columns,
        plateaus=results.events,
        weights=weights,
        status=status,
        single=single,
        stats=stats,
    )


def _packed(target: Array, metric: Array, starts: Sequence[Array]) -> tuple[tuple[int, ...], Array]:
    stacks = [np.asarray(item, dtype=np.float64) for item in starts]
    if not stacks or any(item.ndim != 3 for item in stacks):
        raise DataError("starts are one stack (N, d_out, d_in) for each layer")
    dims = (stacks[0].shape[2], *(item.shape[1] for item in stacks))
    chained = all(item.shape[1:] == dims[j : j + 2][::-1] for j, item in enumerate(stacks))
    if not chained or len({len(item) for item in stacks}) != 1:
        raise DataError(f"the layers do not fit: {[item.shape for item in stacks]}")
    if np.shape(target) != (dims[-1], dims[0]) or np.shape(metric) != (dims[0],):
        raise DataError(f"a network {dims} needs T of shape {(dims[-1], dims[0])}, D {(dims[0],)}")
    rows = np.concatenate(
        [item.reshape(len(item), item.shape[1] * item.shape[2]) for item in stacks], axis=1
    )
    return dims, np.ascontiguousarray(rows)


def _grown(target: Array, metric: Array, size: int, depth: int) -> float:
    """Return the size that single weights reach because of the target."""
    least = float(np.min(metric, initial=np.inf))
    scale = float(np.linalg.norm(target)) / least if 0 < least < np.inf else 0.0
    return float(scale ** (1.0 / depth) / np.sqrt(max(size, 1)))


def _rounding(target: Array, metric: Array, depth: int) -> float:
    """Return the size of a gradient that rounding alone leaves at a minimum."""
    norm, least = float(np.linalg.norm(target)), float(np.min(metric, initial=np.inf))
    reach = norm / least if least > 0 and np.isfinite(least) else norm
    most = float(np.max(metric, initial=0.0))
    return float(1000 * np.finfo(float).eps * norm * most * reach ** ((depth - 1) / depth))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
