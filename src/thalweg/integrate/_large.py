"""The integration of a large network: BLAS, one pass over memory for a stage, little memory.

An explicit run holds five arrays of the size of the weights and a half: the point, its slope, three
that the step works in, and the vector of the power method. Points between are kept on disk.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

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

    Between two runs only the weights are there, which may belong to others and are read only
    then, and the vector of the power method in single precision. The slope is computed again.
    """

    _sweep: Sweep
    _room: list[Array]
    _own = False  # `y` may be overwritten
    _fresh = True  # `slope` is that of `y`
    _sizes: list[float] | None = None  # norms of `slope` and `y` if known
    _measured: list[float] | None = None  # those of the step just tried
    _direction: npt.NDArray[np.float32] | None = None

    def run(
        self,
        limits: Limits,
        record: Record | LargeRecord,
        progress: Callable[..., None] | None,
    ) -> Status:
        """Step until something stops it. Ctrl-C keeps what there is."""
        self._sweep = Sweep(self.field)
        self._room = [np.empty_like(self.y) for _ in range(ROOM)]
        self._own = False
        if not self._fresh:
            self.slope = np.empty_like(self.y)
        try:
            return super().run(limits, record, progress)
        finally:
            self.slope, self._fresh = np.empty(0), False
            del self._sweep, self._room

    def gradient_norm(self) -> float:
        """Return the norm of the slope, known in passing."""
        return self._known()[0]

    def _far(self) -> bool:
        return self._known()[1] > FAR

    def _known(self) -> list[float]:
        if self._sizes is None:
            self._sizes = [float(np.linalg.norm(item)) for item in (self.slope, self.y)]
        return self._sizes

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
        self._sizes = self._measured

    def _estimate(self) -> None:
        image, vector, *scratch = self._room
        first = self._direction is None
        if self._direction is None:
            np.random.default_rng(0).standard_normal(out=vector)
            vector /= float(np.linalg.norm(vector))
        else:
            vector[:] = self._direction
        radius, multiply = 0.0, self._sweep.linearize(self.y)
        for count in range(60):
            multiply(vector, image, scratch)
            size = float(np.linalg.norm(image))
            if not np.isfinite(size) or size == 0:
                radius = size / SAFETY
                break
            image /= size
            vector, image = image, vector
            done = count > 0 and settled(size, radius, first=first)
            radius = size
            if done:
                break
        self.radius, self._direction = SAFETY * radius, vector.astype(np.float32)
