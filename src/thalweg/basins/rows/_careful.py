"""A start that no theorem decides at once: as `thalweg.flow` follows it."""

import numpy as np

from thalweg._core import EPS, Array, ThalwegError
from thalweg.basins.plan import Plan, generator, gradient_room
from thalweg.basins.rows._rates import later_rates
from thalweg.basins.rows._schema import Rows
from thalweg.conserved import drift
from thalweg.trajectory import Trajectory, flow

FINE = 1e-8
"""Tolerance with which such starts are followed, unless a smaller one was asked for."""
BLIND = 1e-6
"""Least gradient on the way, relative to what is possible there, below which it is tried whether
rounding has decided how a saddle was left."""
NUDGE = 64 * EPS
"""Change of a start, relative to each layer, for that trial."""
SAME = 1e-3
"""Relative change of the time of arrival that such a nudge may make."""


def follow(plan: Plan, rows: Rows, place: int) -> None:
    """Integrate one start of a chunk by itself and fill its row; a failure is a row, too."""
    start = plan.start(int(rows.index[place]))
    try:
        _fill(plan, rows, place, start)
    except (ThalwegError, np.linalg.LinAlgError, ArithmeticError, ValueError) as error:
        rows.decide(place, "failed", "undecided", f"numerical failure: {type(error).__name__}")
        rows.certified[place] = False


def _fill(plan: Plan, rows: Rows, place: int, start: list[Array]) -> None:
    p = plan.problem
    run = flow(p, start, plan.t_end, rtol=min(plan.rtol, FINE), max_steps=plan.max_steps)
    if run.stats.get("stop") == "interrupted":
        raise KeyboardInterrupt
    limit, passed, end = run.limit, run.plateaus, p.reduce(run.final)
    verdict = limit.verdict
    kind, because = verdict.kind, limit.decided_by
    if kind == "not_critical":
        kind = "undecided"
    rows.decide(place, run.status, kind, because)
    rows.learn(place, verdict.learned, verdict.rank)
    rows.loss[place] = p.reducible_loss(run.final)
    rows.certified[place] = limit.certified
    rows.t_decision[place] = run.t[-1]
    rows.t_certificate[place] = np.nan
    rows.steps[place] = int(run.stats.get("steps", 0))
    rows.gradient_norm[place] = run.gradient_norm[-1]
    rows.polish_distance[place] = limit.polish_distance
    rows.drift[place], rows.rate[place] = drift(end, p.reduce(start)), 0.0
    if limit.certified:
        stacks = [weight[np.newaxis] for weight in end]
        known = plan.setting.known
        rows.rate[place] = later_rates(stacks, rows.loss[[place]], p.flow_data(), known).rate[0]
    if passed:
        owners = np.full(len(passed), place, dtype=np.int64)
        codes = np.array([rows.set_code(item.learned) for item in passed], dtype=np.int64)
        times = np.array([(item.t_enter, item.t_exit) for item in passed])
        rows.plateaus.append((owners, codes, times[:, 0], times[:, 1]))
    known = plan.setting.known
    below = np.flatnonzero([known.in_basin(loss - p.irreducible_loss) for loss in run.loss])
    if limit.certified and below.size:
        rows.t_certificate[place] = run.t[below[0]]
        slopes = run.gradient_norm[: below[0] + 1]
        stacks = [weight[np.newaxis] for weight in p.reduce(start)]
        near = slopes.min() < BLIND * float(gradient_room(stacks, plan.setting)[0])
        if near and not _stands(plan, run, int(rows.index[place])):
            rows.decide(place, "limit", "undecided", "rounding decided how a saddle was left")
            rows.certified[place] = False
            rows.rate[place], rows.t_certificate[place] = 0.0, np.nan


def _stands(plan: Plan, run: Trajectory, index: int) -> bool:
    """Tell whether a start that is moved by rounding arrives at about the same time.

    On the stable set of a saddle the time of escape is made of rounding errors, and moving the
    start changes it by far more than its own relative change.
    """
    noise, p = generator(plan.seed, index), plan.problem
    moved = [
        weight + NUDGE * float(np.abs(weight).max()) * noise.standard_normal(weight.shape)
        for weight in run.start
    ]
    other = flow(p, moved, rtol=min(plan.rtol, FINE), max_steps=plan.max_steps)
    one, two = _arrival(plan, run), _arrival(plan, other)
    return abs(one - two) <= SAME * one


def _arrival(plan: Plan, run: Trajectory) -> float:
    """Return when the excess loss is half that of the basin; the run's end if it never is."""
    known = plan.setting.known
    goal = known.least + 0.5 * (known.basin - known.least) + plan.problem.irreducible_loss
    below = np.flatnonzero(run.loss < goal)
    return float(run.t[below[0] if below.size else -1])
