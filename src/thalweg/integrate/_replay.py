"""Recorded steps of a large network, taken again."""

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field
from thalweg.integrate._rock4_large import ROOM, rock4_large
from thalweg.integrate._sweep import Sweep


class Replay:
    """Recorded explicit steps taken again, in the memory of a run."""

    def __init__(self, field: Field) -> None:
        self._sweep = Sweep(field)
        self._slope = np.empty(field.size)
        self._room = [np.empty(field.size) for _ in range(ROOM)]

    def advance(self, y: Array, h: float, kind: int) -> Array:
        """Return the point after a step of length `h`; `y` is given up."""
        self._sweep.rhs(y, self._slope)
        new, _, _ = rock4_large(self._sweep, y, self._slope, (h, kind), self._room)
        self._room = [y if item is new else item for item in self._room]
        return new
