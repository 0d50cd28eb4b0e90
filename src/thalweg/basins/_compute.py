"""One chunk of a sweep: draw, integrate, decide, tabulate.

What a theorem decides is decided for all starts at once; the rest takes the path of `thalweg.flow`,
one start after the other: saddles, starts in a set that the flow cannot leave, and what came to
rest without being below the basin level.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg._core import Array
from thalweg.basins._careful import follow
from thalweg.basins._coordinates import Setting, degenerate
from thalweg.basins._grid import shown
from thalweg.basins._plan import Plan
from thalweg.basins._rates import later_rates
from thalweg.basins._schema import (
    Rows,
    parameter_name,
    parameter_type,
    table_schema,
    to_table,
)
from thalweg.conserved import imbalance
from thalweg.integrate import BatchSolution, Status, solve_batch
from thalweg.trajectory import GRADIENT_FLOOR

TAIL = 1e-7
"""Excess loss, relative to the loss of zero weights, at which a decided start ends."""
INSIDE = 0.5
"""The same relative to the basin level, where that is less."""
MARGIN = 1e-9
"""Relative margin of the basin certificate against rounding, as for a single run."""
MOVING = 1e-6
"""Gradient, relative to its natural size, with which a start cannot have arrived anywhere."""
BROKEN = {
    Status.DIVERGED: ("diverged", "the weights diverged"),
    Status.NON_FINITE: ("failed", "numbers are not finite"),
    Status.STEP_TOO_SMALL: ("failed", "the step fell below rounding"),
}


def schema_of(plan: Plan) -> Any:
    """Return the Arrow schema of a plan's table."""
    return table_schema([(parameter_name(n), parameter_type(_told(v))) for n, v in plan.axes])


def _told(values: tuple[Any, ...]) -> tuple[Any, ...]:
    out = tuple(shown(item) for item in values)
    mixed = any(isinstance(item, str) for item in out)
    return tuple(None if item is None else str(item) for item in out) if mixed else out


def compute(plan: Plan, k: int) -> Any:
    """Compute chunk `k` of a plan.

    Parameters
    ----------
    plan
        The plan.
    k
        Number of the chunk, from 0.

    Returns
    -------
    pyarrow.Table
        One row for each start; a row depends on the plan (not on its `size`) and its index alone.
    """
    indices = plan.indices(k)
    rows = Rows.undecided(np.arange(indices.start, indices.stop, dtype=np.int64))
    stacks = plan.flow_stacks(indices.start, indices.stop)
    # Overflow in one start is that start's failure, not an exception.
    with np.errstate(all="ignore"):
        _decide(plan, rows, stacks)
    points = np.arange(indices.start, indices.stop) % len(plan.points)
    parameters: dict[str, Any] = {}
    for name, values in plan.axes:
        told = dict(zip(map(id, values), _told(values), strict=True))
        column = np.array([told[id(point[name])] for point in plan.points], dtype=object)
        parameters[parameter_name(name)] = column[points]
    return to_table(rows, plan.seed, parameters, schema_of(plan))


def _decide(plan: Plan, rows: Rows, stacks: list[Array]) -> None:
    setting = plan.setting
    conserved = imbalance(stacks)
    sizes = [np.sqrt(np.sum(item.reshape(len(item), -1) ** 2, axis=1)) for item in conserved]
    rows.imbalance[:] = np.max(sizes, axis=0) if sizes else 0.0
    inner = setting.compress(stacks)
    usual = ~degenerate(inner)
    places = np.flatnonzero(usual)
    careful = [int(i) for i in np.flatnonzero(~usual)]
    if len(places):
        careful += _batch(plan, rows, places, [item[places] for item in inner])
    for place in sorted(careful):
        follow(plan, rows, place)


def _batch(
    plan: Plan, rows: Rows, places: npt.NDArray[np.int64], stacks: list[Array]
) -> list[int]:
    """Integrate ordinary starts; return the rows that need a closer look."""
    setting = plan.setting
    known = setting.known
    done = solve_batch(
        setting.target,
        setting.metric,
        stacks,
        t_end=np.inf if plan.t_end is None else plan.t_end,
        rtol=plan.rtol,
        loss_stop=_goal(setting),
        gradient_stop=GRADIENT_FLOOR * setting.slope,
        basin_level=known.basin * (1.0 - MARGIN),
        max_steps=plan.max_steps,
        threads=1,
    )
    if any(item is Status.INTERRUPTED for item in done.status):
        raise KeyboardInterrupt
    for name in ("loss", "gradient_norm", "drift", "steps"):
        getattr(rows, name)[places] = getattr(done, name)
    rows.t_decision[places] = done.t
    rows.t_certificate[places] = done.basin_time
    inside = done.loss < known.basin * (1.0 - MARGIN)
    _minima(rows, places, done, inside, setting)
    return _others(plan, rows, places, done, inside)


def _goal(setting: Setting) -> float:
    """Return the loss at which a start is followed no further."""
    known = setting.known
    if not np.isfinite(known.basin):
        return np.inf
    return known.least + min(TAIL * setting.total, INSIDE * (known.basin - known.least))


def _minima(
    rows: Rows,
    places: npt.NDArray[np.int64],
    done: BatchSolution,
    inside: npt.NDArray[np.bool_],
    setting: Setting,
) -> None:
    """Below every other critical value the limit is a global minimum (Spec 3.4)."""
    chosen = places[inside]
    rows.decide(chosen, "limit", "global_minimum", "basin certificate")
    rows.learn(chosen, tuple(range(setting.known.rank)), setting.known.rank)
    rows.certified[chosen] = True
    ends = [item[inside] for item in done.weights]
    problem = (setting.target, setting.metric)
    rates = later_rates(ends, done.loss[inside], problem, setting.known)
    rows.rate[chosen], rows.polish_distance[chosen] = rates.rate, rates.path


def _others(
    plan: Plan,
    rows: Rows,
    places: npt.NDArray[np.int64],
    done: BatchSolution,
    inside: npt.NDArray[np.bool_],
) -> list[int]:
    setting, careful = plan.setting, []
    for item in np.flatnonzero(~inside):
        place, status = int(places[item]), done.status[item]
        rows.rate[place] = 0.0
        if status in BROKEN:
            name, text = BROKEN[status]
            rows.decide(place, name, "undecided", text)
            continue
        moving = done.gradient_norm[item] > MOVING * setting.slope
        if status is Status.MAX_STEPS or (status is Status.T_END and moving):
            text = "steps used up" if status is Status.MAX_STEPS else "horizon"
            rows.decide(place, "horizon", "undecided", text)
            product = _product([stack[item] for stack in done.weights]) * setting.metric
            values = np.linalg.svd(product, compute_uv=False)
            rank = int(np.sum(values > 1e-6 * setting.known.sigma[0]))
            rows.learn(place, setting.directions.learned(product), rank)
        else:
            careful.append(place)
    return careful


def _product(weights: list[Array]) -> Array:
    out = weights[0]
    for weight in weights[1:]:
        out = weight @ out
    return out
