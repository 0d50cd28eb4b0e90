"""Closing the tail of a run in the same call."""

import dataclasses
import math

import numpy as np

from thalweg._core import Array
from thalweg.integrate._native import CoreTail


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tail:
    """That a run goes on from its stop until Gauss-Newton steps predict its limit well enough.

    Attributes
    ----------
    least
        Loss at the limit; the target is met there.
    smallest
        Excess over it that is rounding.
    goal
        Relative error of the limit that is good enough.
    rtol
        Tolerance on the way there, relative to the weights as they are.
    gradient_stop
        Gradient norm at which the run ends in any case.
    """

    least: float
    smallest: float
    goal: float
    rtol: float
    gradient_stop: float

    def begin(self, size: int) -> tuple[CoreTail, Array]:
        """Return what the compiled core needs for it."""
        given = self.least, self.smallest, self.goal, self.rtol, self.gradient_stop
        return CoreTail(*given, *(math.nan,) * 4), np.empty(size)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Landing:
    """A limit as predicted: packed weights, how far they are away, their relative error.

    The error is an estimate from two predictions, ``None`` if there was only one.
    """

    y: Array
    length: float
    error: float | None

    @classmethod
    def of(cls, found: tuple[CoreTail, Array]) -> "Landing | None":
        """Return what the compiled core has found, ``None`` if it has not landed."""
        tail, y = found
        error = None if math.isnan(tail.error) else tail.error
        return cls(y=y, length=tail.length, error=error) if tail.landed else None
