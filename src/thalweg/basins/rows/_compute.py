"""One chunk of a sweep: draw, integrate, decide, tabulate.

What a theorem decides is decided for all starts at once; the rest takes the path of `thalweg.flow`,
one start after the other: saddles, starts in a set that the flow cannot leave, what came to rest
without being below the basin level, and what met a saddle so closely that rounding may have decided
how it went on.
"""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg._core import Array
from thalweg.basins._stop import check_stop
from thalweg.basins.plan import (
    Plan,
    Setting,
    degenerate,
    frobenius_squares,
    gradient_room,
    inner_gram,
    outer_gram,
    points as grid_points,
    shown,
)
from thalweg.basins.rows._careful import follow
from thalweg.basins.rows._rates import later_rates
from thalweg.basins.rows._schema import (
    Rows,
    parameter_name,
    parameter_type,
    table_schema,
    to_table,
)
from thalweg.integrate import MOST_MODES, BatchSolution, Status, solve_batch

TAIL = 1e-7
"""Excess loss, relative to the loss of zero weights, at which a decided start ends."""
INSIDE = 0.5
"""The same relative to the basin level, where that is less."""
MARGIN = 1e-9
"""Relative margin of the basin certificate against rounding, as for a single run."""
NEAR = 1e-6
"""Gradient, relative to its natural size and to what is possible at the start, from which on
rounding may decide how a saddle is left: displacements of the square root of rounding."""
BUDGET = 20_000
"""Steps of a start in a batch; one that needs more gets the implicit steps of a single run."""
ROOM = 12
"""Plateaus that are kept of each start, at most."""
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
    told = grid_points(tuple((name, _told(values)) for name, values in plan.axes))
    for name, _ in plan.axes:
        column = np.array([point[name] for point in told], dtype=object)
        parameters[parameter_name(name)] = column[points]
    return to_table(rows, plan.seed, parameters, schema_of(plan))


def _decide(plan: Plan, rows: Rows, stacks: list[Array]) -> None:
    setting = plan.setting
    sizes = [
        np.sqrt(frobenius_squares(inner_gram(after) - outer_gram(before)))
        for before, after in itertools.pairwise(stacks)
    ]
    rows.imbalance[:] = np.max(sizes, axis=0) if sizes else 0.0
    inner = setting.compress(stacks)
    usual = ~degenerate(inner)
    places = np.flatnonzero(usual)
    careful = [int(i) for i in np.flatnonzero(~usual)]
    if len(places):
        careful += _batch(plan, rows, places, [item[places] for item in inner])
    rows.forget_plateaus(careful)
    for place in sorted(careful):
        check_stop()
        follow(plan, rows, place)


def _batch(plan: Plan, rows: Rows, places: npt.NDArray[np.int64], stacks: list[Array]) -> list[int]:
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
        basin_level=known.basin * (1.0 - MARGIN),
        plateaus=min(ROOM, 2 * known.rank + 2) if len(known.sigma) <= MOST_MODES else 0,
        max_steps=min(BUDGET, plan.max_steps),
        threads=1,
        progress=lambda _done, _count: check_stop(),
    )
    if Status.INTERRUPTED in list(done.status):
        raise KeyboardInterrupt
    for name in ("loss", "gradient_norm", "drift", "steps"):
        getattr(rows, name)[places] = getattr(done, name)
    rows.t_decision[places] = done.t
    rows.t_certificate[places] = done.basin_time
    _passed(rows, places, done)
    near = done.least_gradient <= NEAR * gradient_room(stacks, setting)
    inside = (done.loss < known.basin * (1.0 - MARGIN)) & ~near
    _minima(rows, places, done, inside, setting)
    careful = [int(place) for place in places[near]]
    return careful + _others(plan, rows, places, done, ~inside & ~near)


def _passed(rows: Rows, places: npt.NDArray[np.int64], done: BatchSolution) -> None:
    """Keep the plateaus."""
    room = done.plateaus.shape[1]
    count = np.minimum(done.plateau_count, room)
    events = done.plateaus[np.arange(room) < count[:, np.newaxis]]
    masks, codes = np.unique(events["learned"], return_inverse=True)
    known = [rows.set_code(tuple(i for i in range(MOST_MODES) if int(m) >> i & 1)) for m in masks]
    sets = np.array(known, dtype=np.int64)[codes] if len(masks) else codes
    rows.plateaus.append((np.repeat(places, count), sets, events["t_enter"], events["t_exit"]))


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
    if not len(chosen):
        return
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
    open_: npt.NDArray[np.bool_],
) -> list[int]:
    setting, careful = plan.setting, []
    for item in np.flatnonzero(open_):
        place, status = int(places[item]), done.status[item]
        rows.rate[place] = 0.0
        if status in BROKEN:
            name, text = BROKEN[status]
            rows.decide(place, name, "undecided", text)
            continue
        spent = status is Status.MAX_STEPS and plan.max_steps <= BUDGET
        if spent or status is Status.T_END:
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
