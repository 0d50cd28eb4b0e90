"""The integration of a large network: BLAS, one pass over memory for a stage, little memory.

An explicit run holds six arrays of the size of the weights: the point, its slope, three that the
step works in, and the vector of the power method. Points between are kept on disk.
"""

from collections.abc import Callable

import numpy as np

from thalweg._core import Array
from thalweg.integrate._driver import FAR, Driver, Limits, Trial
from thalweg.integrate._record import Record
from thalweg.integrate._rock4 import table
from thalweg.integrate._rock4_large import ROOM, rock4_large
from thalweg.integrate._spectral import SAFETY, settled
from thalweg.integrate._status import Status
from thalweg.integrate._store import LargeRecord
from thalweg.integrate._sweep import Sweep


class LargeDriver(Driver):
    """State of an integration between two steps; arrays to work in are there during `run` only.

    The arrays that a run begins with belong to others (the start, an earlier piece), so they are
    read only.
    """

    _sweep: Sweep
    _room: list[Array]
    _own = False  # `y` may be overwritten
    _fresh = True  # `slope` is that of `y`
    _length = _reach = 0.0  # norms of `slope` and `y`
    _measured: list[float] | None  # those of the step just tried, if it tells

    def run(
        self,
        limits: Limits,
        record: Record | LargeRecord,
        progress: Callable[..., None] | None,
    ) -> Status:
        """Step until something stops it. Ctrl-C keeps what there is."""
        self._sweep = Sweep(self.field)
        self._room = [np.empty_like(self.y) for _ in range(ROOM)]
        self._own, self._fresh, self.slope = False, True, self.slope.copy()
        self._length, self._reach = _norms(self.slope, self.y)
        if self.vector is not None:
            self.vector = self.vector.copy()
        try:
            return super().run(limits, record, progress)
        finally:
            if not self._fresh:
                self._sweep.rhs(self.y, self.slope)
            del self._sweep, self._room

    def _norm(self) -> float:
        return self._length

    def _far(self) -> bool:
        return self._reach > FAR

    def _trial(self, h: float, kind: int) -> Trial | None:
        if not self._fresh:  # a rejected step has left its own there
            self.counts["rhs"] += 1
            self._sweep.rhs(self.y, self.slope)
            self._fresh = True
        self._measured = None
        return super()._trial(h, kind)

    def _explicit(self, h: float, position: int) -> Trial:
        self.counts["rhs"] += table()[position].stages
        self._fresh = False
        new, loss, norms = rock4_large(self._sweep, self.y, self.slope, (h, position), self._room)
        error, *self._measured = norms.tolist()
        return new, loss, self.slope, error

    def _adopt(self, new: Array, loss: float, slope: Array) -> None:
        for k, item in enumerate(self._room):
            if item is new:
                self._room[k] = self.y if self._own else np.empty_like(new)
        super()._adopt(new, loss, slope)
        self._own = self._fresh = True
        self._length, self._reach = self._measured or _norms(slope, new)

    def _estimate(self) -> None:
        vector, first = self.vector, self.vector is None
        if vector is None:
            vector = np.random.default_rng(0).standard_normal(self.y.size)
            vector /= float(np.linalg.norm(vector))
        radius, multiply = 0.0, self._sweep.linearize(self.y)
        for count in range(60):
            image = self._room[0]
            multiply(vector, image, self._room[1:])
            size = float(np.linalg.norm(image))
            if not np.isfinite(size) or size == 0:
                radius = size / SAFETY
                break
            image /= size
            vector, self._room[0] = image, vector
            done = count > 0 and settled(size, radius, first=first)
            radius = size
            if done:
                break
        self.radius, self.vector = SAFETY * radius, vector


def _norms(*vectors: Array) -> list[float]:
    return [float(np.linalg.norm(item)) for item in vectors]
