"""One step of the explicit method of order eight, DOP853.

E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I, section II.10; the
table is written by ``src/native/write_dop853.py``.
"""

import functools
from pathlib import Path

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field

STAGES = 12
LENGTH = 5.5
"""Step times spectral radius up to which the method damps."""


@functools.cache
def table() -> tuple[list[Array], Array, Array, Array]:
    """Return the rows of ``a``, the weights, and those of the estimates of order five and three."""
    flat = np.load(Path(__file__).with_name("dop853.npy"), allow_pickle=False)
    ends = np.cumsum(np.arange(1, STAGES))
    *rows, rest = np.split(flat, ends)
    weights, five, three = np.split(rest, 3)
    return rows, weights, five, three


def dop853_step(
    field: Field, y: Array, slope: Array, h: float
) -> tuple[Array, float, Array, Array]:
    """Return the new point, its loss and slope, and the error estimate; as `rock4_step`."""
    rows, weights, five, three = table()
    slopes = np.empty((STAGES, y.size))
    slopes[0] = slope
    for i, row in enumerate(rows, start=1):
        slopes[i] = field.rhs(y + h * (row @ slopes[:i]))[1]
    new = y + h * (weights @ slopes)
    loss, last = field.rhs(new)
    fine, coarse = five @ slopes, three @ slopes
    square = float(fine @ fine)
    both = square + 0.01 * float(coarse @ coarse)
    factor = np.sqrt(square / both) if both > 0 else 1.0
    return new, loss, last, (h * factor) * fine
