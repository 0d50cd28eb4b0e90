"""Gradient flow of a deep linear network from a given start."""

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array, as_count, as_scalar, as_weights
from thalweg.certificate import levels
from thalweg.conserved import imbalance
from thalweg.integrate import project
from thalweg.network import unpack
from thalweg.problem import Compression, Problem, compress, reduce_weights
from thalweg.trajectory._decide import Ending, Runner, run_until_decided
from thalweg.trajectory._doubt import doubted
from thalweg.trajectory._path import Path
from thalweg.trajectory._trajectory import Trajectory

REPAIRED = 20_000
"""Weights up to which the conserved matrices are put right for a glance at a running flow."""


def flow(
    p: Problem,
    w0: Any,
    t_end: float | None = None,
    *,
    rtol: float = 1e-8,
    max_steps: int = 1_000_000,
    method: str = "auto",
    engine: str = "auto",
    progress: Callable[..., None] | None = None,
    observe: Callable[[float, list[Array]], None] | None = None,
) -> Trajectory:
    """Integrate ``dW/dt = -grad L`` from `w0` and say where it ends.

    Parameters
    ----------
    p
        The problem; its metric decides which flow is meant.
    w0
        Start ``[W_1, ..., W_L]`` in the coordinates of the data.
    t_end
        Time to stop at. ``None`` integrates until the limit is decided: by the basin certificate
        (Spec 3.4) and a closed tail, or because zeros or low rank of the start, which the flow
        keeps, lead to a saddle.
    rtol
        Tolerance of the integration, relative to the size of the weights.
    max_steps
        Budget of steps; when it is used up the status is ``"horizon"``.
    method
        ``"auto"``, ``"rock4"`` (stabilized explicit), ``"dop853"`` (explicit of order eight) or
        ``"rodas4"`` (linearly implicit).
    engine
        ``"auto"``, ``"native"`` or ``"numpy"``.
    progress
        Called as ``progress(t, steps, loss)`` about ten times a second.
    observe
        Called as ``observe(t, weights)`` at the same moments, weights in the coordinates of the
        data.

    Returns
    -------
    Trajectory
        Times, losses, weights at any time, plateaus, limit, certificate.

    Raises
    ------
    DimensionError
        If `w0` does not fit the problem.
    DataError
        If a parameter is out of range.

    Notes
    -----
    Status: every trajectory is bounded and converges (theorem, Spec 2.4; paper Prop. 1); the
    trajectory itself is computed with controlled error. Frozen components and hidden directions
    that never matter (Spec 1.3, 1.5) are left out during the integration and put back. Ctrl-C
    returns what there is. Where the run ends is decided here; series, verdict and certificate are
    computed when they are asked for.

    Examples
    --------
    >>> import thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    >>> run = tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0))
    >>> run.limit.verdict.kind, run.limit.verdict.learned, run.limit.certified
    ('global_minimum', (0, 1), True)
    """
    began = time.perf_counter()
    start = as_weights(w0, p.dims, "w0")
    rtol = as_scalar(rtol, "rtol", low=1e-13, high=1e-1)
    if t_end is not None:
        t_end = as_scalar(t_end, "t_end", low=0.0)
    budget = as_count(max_steps, "max_steps")
    target, metric = p.flow_data()
    compression = compress(reduce_weights(start, p.moments, p.metric), target, metric)
    runner = Runner(
        start=compression,
        levels=levels(compression.target, min(compression.dims)),
        rtol=rtol,
        max_steps=budget,
        options={"method": method, "engine": engine},
        progress=progress,
        observe=observe and _in_data(p, start, compression, observe),
    )
    if t_end is None:
        ending = run_until_decided(runner)
    else:
        runner.advance(t_end=t_end, loss_stop=-np.inf, gradient_stop=0.0)
        ending = Ending(parts=runner.parts, jump=None, tail_error=None, saddle=None)
    runner.forget()
    path = Path(problem=p, start=start, compression=compression, pieces=runner.parts)
    return Trajectory(
        problem=p,
        start=tuple(start),
        stats=_stats(path, time.perf_counter() - began),
        _path=path,
        _ended=functools.partial(doubted, runner, ending),
    )


def _in_data(
    p: Problem,
    start: list[Array],
    compression: Compression,
    observe: Callable[[float, list[Array]], None],
) -> Callable[[float, Array], None]:
    conserved = imbalance(compression.weights)

    def tell(t: float, y: Array) -> None:
        if conserved and y.size <= REPAIRED:
            y = project(y[np.newaxis], compression.dims, conserved)[0]
        observe(t, p.lift(compression.expand(unpack(y, compression.dims)), like=start))

    return tell


def _stats(path: Path, seconds: float) -> dict[str, Any]:
    """Add up the counts of all pieces."""
    first, *others = path.pieces
    total: dict[str, Any] = dict(first.stats)
    for part in others:
        for key, value in part.stats.items():
            total[key] = total[key] + value if isinstance(value, int) else value
    return total | {
        "seconds": seconds,
        "stop": path.pieces[-1].status.value,
        "compressed_dims": list(path.compression.dims),
        "compression_exact": path.compression.exact,
    }
