"""The flow of a shallow network, piece by piece between kinks."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.integrate import Limits, PieceDriver, Solution, Status
from thalweg.network import pack
from thalweg.nonlinear._field import ShallowField
from thalweg.nonlinear._kinks import Change, KinkGuard, first_mode
from thalweg.nonlinear._limit import ShallowLimit, limit_at
from thalweg.nonlinear._network import ShallowNetwork
from thalweg.nonlinear._trajectory import ShallowTrajectory

FLOOR = 1e-10
"""Gradient, relative to its natural size, that counts as vanished."""
LOWEST = 1e-15
"""Relative gradient at which a run ends even if it is not known to have arrived."""
FADED = 1e-3
"""Size of the gradient, relative to the start, that is looked at where all targets are zero."""
FINEST = 1e-14
"""Tolerance, relative to the root mean square of the weights, below which is rounding."""
DROP = 1e-3
"""Share of the loss that has to be lost before the gradient is looked at again near a saddle."""
STUCK = 4
"""Changes at one moment, times the number of kinks, after which the run gives up."""
WORDS = {
    Status.T_END: "the requested time was reached",
    Status.MAX_STEPS: "the budget of steps is used up; raise max_steps or loosen rtol",
    Status.DIVERGED: "the weights passed 1e100",
    Status.NON_FINITE: "the right-hand side is not finite; scale the data or the start down",
    Status.STEP_TOO_SMALL: "the step fell below rounding; loosen rtol or scale the data",
    Status.INTERRUPTED: "interrupted; everything up to the last accepted step is kept",
}
NOT_PROVED = "boundedness is not proved for these networks"


@dataclasses.dataclass(eq=False)
class Pieces:
    """A run in the making."""

    driver: PieceDriver
    field: ShallowField
    max_steps: int
    progress: Callable[..., None] | None
    parts: list[Solution] = dataclasses.field(default_factory=list)
    changes: list[tuple[float, Change]] = dataclasses.field(default_factory=list)
    gave_up: bool = False

    def advance(self, t_end: float, gradient_stop: float, loss_stop: float = 0.0) -> Status:
        """Go on over all kinks until something else stops the run."""
        moment, many = self.driver.t, 0
        kinks = self.field.dims[1] * self.field.x.shape[1]
        while True:
            tolerance = self.driver.tolerance
            limits = Limits(t_end, loss_stop, gradient_stop, self.max_steps, tolerance)
            guard = None if self.field.mode is None else KinkGuard(self.field, self.driver.y)
            part, index = self.driver.advance(self.field, limits, guard, self.progress)
            self.parts.append(part)
            if index is None or guard is None:
                return part.status
            self.driver.y, mode, change = guard.change(self.driver.y, index)
            self.field = self.field.on(mode)
            self.changes.append((self.driver.t, change))
            later = self.driver.t > moment * (1.0 + 1e-13)
            moment, many = self.driver.t, 0 if later else many + 1
            if many > STUCK * kinks + 20:
                self.gave_up = True
                return Status.STEP_TOO_SMALL


def integrate(
    net: ShallowNetwork,
    start: list[Array],
    t_end: float | None,
    *,
    rtol: float,
    max_steps: int,
    progress: Callable[..., None] | None,
) -> ShallowTrajectory:
    """Run the flow; see `ShallowProblem.flow`."""
    began = time.perf_counter()
    y = pack(start)
    field = net.field
    if field.inner.in_pieces:
        field = field.on(first_mode(field, y))
    driver = PieceDriver.start(field, y, _tolerance(net, y, rtol))
    pieces = Pieces(driver, field, max_steps, progress)
    # Without targets all sizes fall with the loss, and only the start says what is small.
    least = FADED * field.natural_gradient(y) if field.target_norm == 0.0 else 0.0
    if t_end is None:
        status, limit = _until_arrived(pieces, least)
    else:
        status = pieces.advance(t_end, 0.0)
        limit = limit_at(pieces.field, pieces.driver.y, floor=FLOOR, least=least)
    word, message = _status(pieces, status, limit)
    count = dict.fromkeys(("crossed", "held", "released"), 0)
    for _, change in pieces.changes:
        count[change.kind] += 1
    stats: dict[str, Any] = driver.counts | count
    return ShallowTrajectory(
        problem=net,
        start=tuple(start),
        status=word,
        message=f"{message}; {NOT_PROVED}",
        law=net.law,
        limit=limit,
        kinks_crossed=count["crossed"],
        kinks_held=count["held"],
        stats=stats | {"engine": "numpy", "seconds": time.perf_counter() - began},
        _parts=pieces.parts,
        _changes=pieces.changes,
    )


def _tolerance(net: ShallowNetwork, y: Array, rtol: float) -> float:
    """Return the absolute tolerance: relative to the start, above the rounding of the weights.

    A small start grows to about the size that fits the targets.
    """
    size = float(np.sqrt(np.mean(y**2)))
    data = float(np.linalg.norm(net.field.x))
    fit = np.sqrt(np.linalg.norm(net.field.y) / data) if data > 0.0 else 0.0
    grown = min(float(fit) / np.sqrt(y.size), 1.0)
    return float(max(rtol * (size if size > 0.0 else 1e-3), FINEST * max(size, grown)))


def _later_gradient(field: ShallowField) -> float:
    """Return a natural size of gradients once a small start has grown."""
    target = field.target_norm
    return float(target * np.sqrt(target * np.sqrt(field.scale) * np.linalg.norm(field.x)))


def _until_arrived(pieces: Pieces, least: float) -> tuple[Status, ShallowLimit]:
    """Integrate until the gradient has vanished and the rest of the way is negligible."""
    floor, loss_stop = FLOOR, 0.0
    later = max(_later_gradient(pieces.field), least)
    while True:
        natural = max(pieces.field.natural_gradient(pieces.driver.y), later)
        status = pieces.advance(np.inf, floor * natural, loss_stop)
        limit = limit_at(pieces.field, pieces.driver.y, floor=FLOOR, least=least)
        again = status is Status.GRADIENT_STOP or (
            status is Status.LOSS_STOP and pieces.driver.loss > 0.0
        )
        if limit.decided or not again:
            return status, limit
        loss_stop = 0.0
        if status is Status.LOSS_STOP:
            floor = FLOOR
        elif limit.inertia is not None and limit.inertia[0] > 0:
            # Merely slow: go on, blind to the gradient, until the saddle is visibly left.
            floor, loss_stop = 0.0, (1.0 - DROP) * pieces.driver.loss
        else:
            floor = 0.1 * min(floor, limit.relative_gradient)
            if floor < LOWEST:
                return status, limit


def _status(pieces: Pieces, status: Status, limit: ShallowLimit) -> tuple[str, str]:
    """Return the public status and its message."""
    if pieces.gave_up:
        return "failed", (
            "more changes of kinks at one moment than there are kinks; perturb the start or data"
        )
    if status is Status.DIVERGED:
        return "diverged", WORDS[status]
    if status in {Status.NON_FINITE, Status.STEP_TOO_SMALL}:
        return "failed", WORDS[status]
    if status in {Status.GRADIENT_STOP, Status.LOSS_STOP}:
        return ("limit" if limit.decided else "horizon"), limit.message
    return "horizon", f"{WORDS[status]}; {limit.message}"
