"""A start that no theorem decides at once: as `thalweg.flow` follows it."""

import numpy as np

from thalweg._core import Array, ThalwegError
from thalweg.basins.plan import Plan
from thalweg.basins.rows._rates import later_rates
from thalweg.basins.rows._schema import Rows
from thalweg.conserved import drift
from thalweg.trajectory import flow

FINE = 1e-8
"""Tolerance with which such starts are followed, unless a smaller one was asked for."""


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
