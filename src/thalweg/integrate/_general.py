"""The same steppers for other gradient fields, smooth or smooth in pieces.

A field that is smooth in pieces is integrated piece by piece: a guard tells how far a point is
inside its piece, the first step that leaves it is cut short where it does, and what comes next
starts from there with another field.
"""

import dataclasses
import itertools
import time
from collections.abc import Callable

import numpy as np

from thalweg._core import Array
from thalweg.integrate._controller import MethodChoice
from thalweg.integrate._crossing import Crossing, Guard, Reach, first_crossing
from thalweg.integrate._curvature import LARGEST_DENSE
from thalweg.integrate._driver import Driver, Limits
from thalweg.integrate._field import Field
from thalweg.integrate._record import Record
from thalweg.integrate._solution import Solution
from thalweg.integrate._status import MESSAGES, Status


class GeneralField(Field):
    """Base of gradient fields of other losses, on layers packed row by row.

    Subclasses define `rhs`, `hessian_product` and `hessian`.

    Parameters
    ----------
    dims
        Layer sizes, for `pack` and `unpack` and for the cost of a product.
    scale
        Norm of the target: what rounding of the loss is measured against.
    """

    def __init__(self, dims: tuple[int, ...], scale: float) -> None:
        self.dims = dims
        self.size = sum(a * b for a, b in itertools.pairwise(dims))
        self.target_norm = scale


class _Held(Record):
    """Takes the place of a record for one step that may have to be cut short."""

    def __init__(self) -> None:
        self.row: tuple[float, ...] = ()

    def add(self, row: tuple[float, ...], y: Array) -> None:
        """Hold the step."""
        self.row = row


@dataclasses.dataclass(eq=False)
class PieceDriver(Driver):
    """Carries an integration over pieces; times, steps and methods go on from one to the next."""

    @classmethod
    def start(cls, field: GeneralField, y: Array, tolerance: float) -> "PieceDriver":
        """Begin at a point with an absolute tolerance for the error of a step."""
        # Beyond the size of a dense Hessian the implicit method would need a preconditioner.
        method = "auto" if field.size <= LARGEST_DENSE else "rock4"
        choice = MethodChoice(field, method, systems=False)
        return cls(field, choice, 0.0, y, *field.rhs(y), tolerance)

    def advance(
        self,
        field: GeneralField,
        limits: Limits,
        guard: Guard | None = None,
        progress: Callable[..., None] | None = None,
    ) -> tuple[Solution, int | None]:
        """Integrate with a field until something stops it or the guard is crossed.

        Parameters
        ----------
        field
            Smooth, also a little beyond its piece.
        limits
            When to stop. ``loss_stop`` must not be negative: what is left of the way is bounded
            by a theorem on linear networks otherwise.
        guard
            Margins inside the piece and their rates of change; ``None`` if there is one piece.
        progress
            Called as ``progress(t, steps, loss)`` about ten times a second.

        Returns
        -------
        tuple
            The piece and the number of the margin that was used up, ``None`` if none was.
        """
        self.field, self.curvature = field, None
        self.loss, self.slope = field.rhs(self.y)
        first = (self.t, self.loss, float(np.linalg.norm(self.slope)))
        record = Record(first, self.y)
        told = time.monotonic()
        crossing: Crossing | None = None
        try:
            while True:
                status = self._finished(limits)
                if status is None:
                    status, crossing = self._guarded(limits, record, guard)
                if status is not None or crossing is not None:
                    break
                if progress is not None and time.monotonic() - told > 0.1:
                    told = time.monotonic()
                    progress(self.t, self.counts["steps"], self.loss)
        except KeyboardInterrupt:
            status = Status.INTERRUPTED
        index = None if crossing is None else crossing.index
        return self._closed(record, status or Status.T_END), index

    def _guarded(
        self, limits: Limits, record: Record, guard: Guard | None
    ) -> tuple[Status | None, Crossing | None]:
        """Take a step, cut short where a margin is used up."""
        t, y, slope = self.t, self.y, self.slope
        held = _Held()
        status = self._step(limits, held)
        if status is not None:
            return status, None
        h, kind = held.row[3], int(held.row[4])
        found = None
        if guard is not None:
            reach = Reach(self.field, y, slope, kind)
            found = first_crossing(guard, reach, h, (self.y, self.slope))
        if found is None:
            record.add(held.row, self.y)
            return None, None
        self.t, self.y, self.loss, self.slope = t + found.h, found.y, found.loss, found.slope
        if found.h > 0.0:
            norm = float(np.linalg.norm(found.slope))
            record.add((self.t, found.loss, norm, found.h, kind), found.y)
        return None, found

    def _closed(self, record: Record, status: Status) -> Solution:
        rows, kept, points = record.close(self.y)
        return Solution(
            t=rows["t"][kept],
            y=points,
            loss=rows["loss"][kept],
            gradient_norm=rows["gradient_norm"][kept],
            status=status,
            message=MESSAGES[status],
            stats=self.counts | {"engine": "numpy"},
            state=None,
            _field=self.field,
            _steps=rows[1:],
            _kept=kept,
        )
