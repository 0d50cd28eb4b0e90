"""`thalweg.sweep`: many starts, each followed to its end."""

import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np

from thalweg._core import DataError, RngLike, as_generator
from thalweg.basins._result import Sweep
from thalweg.basins._run import run_plan
from thalweg.basins.plan import GIVEN, GIVEN_FAMILY, Family, Plan, given_stacks, grid_axes
from thalweg.problem import Problem

MANY, MOST = 1000, 1_000_000
"""Starts for each point of the grid: a planned number, and at most with `until_width`."""


def sweep(
    p: Problem,
    init: Any = "gaussian",
    n: int | None = None,
    *,
    rng: RngLike = 0,
    store: str | os.PathLike[str] | None = None,
    executor: Executor | str | None = None,
    t_end: float | None = None,
    rtol: float = 1e-6,
    max_steps: int = 100_000,
    until_width: float | None = None,
    workers: int | None = None,
    progress: Callable[..., None] | None = None,
    experiment: str | None = None,
    **parameters: Any,
) -> Sweep:
    """Follow many random starts and say how often each ending occurs (Spec 5).

    Parameters
    ----------
    p
        The problem.
    init
        A function of `thalweg.init`, its name, or any ``(p, *, rng, **parameters) -> weights``.
    n
        Starts for each point of the grid, 1000 unless given; with `until_width` at most so many.
    rng
        Seed, or a generator from which a seed is drawn; it is recorded.
    store
        Folder that keeps the rows. A sweep that finds its own plan there goes on where it ended.
    executor
        ``None`` uses the cores of this machine. Any ``concurrent.futures.Executor``,
        ``"processes"``, or ``"dask:ADDRESS"`` for a Dask cluster.
    t_end
        Time at which every start ends; ``None`` follows each until its limit is decided. A start
        that is decided earlier ends earlier.
    rtol
        Tolerance of the integration.
    max_steps
        Steps after which a start counts as undecided.
    until_width
        Stop when the interval of every kind at every point is at most so wide, at planned looks.
    workers
        Threads or processes; without it one for each core.
    progress
        Called as ``progress(done, count, now)`` after each chunk; ``now["counts"]`` says how many
        starts there are of each kind so far, ``now["computed"]`` how many this call has computed.
    experiment
        A name for starts that are chosen, not random: nothing is estimated from them.
    **parameters
        Of the family. A list spans a grid with the others; anything else is one value.

    Returns
    -------
    Sweep
        Table, fractions, times, what is known for this depth.

    Raises
    ------
    DataError
        If a parameter is out of range or the family is unknown.

    Notes
    -----
    Status: a verdict is a theorem about the flow from the computed point (Spec 3.4) where the
    column ``certified`` says so; the fractions are statistics. Row ``i`` depends on the problem,
    the plan and ``i`` alone: not on chunks, threads, workers, executor or interruptions.

    Examples
    --------
    >>> import thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    >>> s = tw.sweep(p, tw.init.gaussian, n=100, scale=[0.01, 1.0], rng=0)
    >>> s.table.num_rows, s.fractions()["global_minimum"].count
    (200, 200)
    """
    plan = make_plan(
        p,
        init,
        n,
        rng=rng,
        t_end=t_end,
        rtol=rtol,
        max_steps=max_steps,
        until_width=until_width,
        experiment=experiment,
        **parameters,
    )
    return run_plan(plan, store=store, executor=executor, workers=workers, progress=progress)


def make_plan(
    p: Problem,
    init: Any = "gaussian",
    n: int | None = None,
    *,
    rng: RngLike = 0,
    t_end: float | None = None,
    rtol: float = 1e-6,
    max_steps: int = 100_000,
    until_width: float | None = None,
    experiment: str | None = None,
    **parameters: Any,
) -> Plan:
    """Return the plan of a sweep without running it; the arguments are those of `sweep`."""
    plan = Plan(
        problem=p,
        family=Family.of(init),
        axes=grid_axes(parameters),
        n=(MANY if until_width is None else MOST) if n is None else n,
        seed=_seed(rng),
        rtol=rtol,
        t_end=t_end,
        max_steps=max_steps,
        until_width=until_width,
        experiment=experiment,
    )
    if experiment is None:
        _require_random(plan)
    return plan


def from_starts(
    p: Problem,
    starts: Any,
    *,
    experiment: str = "given starts",
    store: str | os.PathLike[str] | None = None,
    executor: Executor | str | None = None,
    t_end: float | None = None,
    rtol: float = 1e-6,
    max_steps: int = 100_000,
    workers: int | None = None,
    progress: Callable[..., None] | None = None,
) -> Sweep:
    """Follow starts that were chosen: on stable sets, on a grid, symmetric ones.

    Parameters
    ----------
    p
        The problem.
    starts
        A sequence of starts, or one stack ``(N, d_j, d_{j-1})`` for each layer.
    experiment
        Its name.
    store, executor, t_end, rtol, max_steps, workers, progress
        As for `sweep`.

    Returns
    -------
    Sweep
        With a table and counts; `Sweep.fractions` refuses, because nothing was drawn.

    Raises
    ------
    DimensionError
        If the starts do not fit the problem.
    """
    given = given_stacks(p, starts)
    plan = Plan(
        problem=p,
        family=GIVEN_FAMILY,
        n=len(given[0]),
        rtol=rtol,
        t_end=t_end,
        max_steps=max_steps,
        experiment=experiment,
        given=given,
    )
    return run_plan(plan, store=store, executor=executor, workers=workers, progress=progress)


def _seed(rng: RngLike) -> int:
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and 0 <= rng < 2**63:
        return int(rng)
    return 0 if rng is None else int(as_generator(rng).integers(2**63 - 1))


def _require_random(plan: Plan) -> None:
    """Refuse families whose draws are all the same."""
    if plan.family.name == GIVEN:
        return
    step = len(plan.points)
    for place in range(step):
        if plan.n < 2:
            return
        one, two = plan.start(place), plan.start(place + step)
        if all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)):
            raise DataError(
                f"the starts of {plan.family.name} at {plan.points[place]} are all the same, so "
                "they estimate no measure; give it experiment='NAME' if that is meant"
            )
