"""A start that no theorem decides at once: as `thalweg.flow` follows it."""

import numpy as np

from thalweg._core import ThalwegError
from thalweg.basins._plan import Plan
from thalweg.basins._schema import Rows
from thalweg.certificate import levels
from thalweg.trajectory import flow


def follow(plan: Plan, rows: Rows, place: int) -> None:
    """Integrate one start of a chunk by itself and fill its row."""
    p = plan.problem
    start = plan.start(int(rows.index[place]))
    try:
        run = flow(p, start, plan.t_end, rtol=plan.rtol, max_steps=plan.max_steps)
        if run.stats.get("stop") == "interrupted":
            raise KeyboardInterrupt
        limit = run.limit
        rate = run.certificate.rate
        passed = run.plateaus
    except (ThalwegError, np.linalg.LinAlgError, FloatingPointError) as error:
        rows.decide(place, "failed", "undecided", f"numerical failure: {type(error).__name__}")
        return
    verdict = limit.verdict
    kind = "undecided" if verdict.kind == "not_critical" else verdict.kind
    rows.decide(place, run.status, kind, limit.decided_by)
    rows.learn(place, verdict.learned, verdict.rank)
    rows.loss[place] = p.reducible_loss(run.final)
    rows.certified[place] = limit.certified
    rows.t_decision[place] = run.t[-1]
    rows.steps[place] = int(run.stats.get("steps", 0))
    rows.gradient_norm[place] = run.gradient_norm[-1]
    rows.polish_distance[place] = limit.polish_distance
    rows.drift[place] = float(run.drift.max(initial=0.0))
    rows.rate[place] = rate
    if passed:
        owners = np.full(len(passed), place, dtype=np.int64)
        codes = [rows.set_code(item.learned) for item in passed]
        times = np.array([(item.t_enter, item.t_exit) for item in passed])
        rows.plateaus.append((owners, codes, times[:, 0], times[:, 1]))
    known = levels(p.flow_data()[0], p.max_rank)
    below = np.flatnonzero([known.in_basin(loss - p.irreducible_loss) for loss in run.loss])
    if limit.certified and below.size:
        rows.t_certificate[place] = run.t[below[0]]
