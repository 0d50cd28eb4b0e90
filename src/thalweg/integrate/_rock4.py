"""One step of the stabilized explicit method of order four.

Structure of ROCK4 (A. Abdulle, SIAM J. Sci. Comput. 23 (2002) 2041-2054); the coefficients are
derived in ``src/native/generate_rock4.py``.
"""

import dataclasses
import functools
from pathlib import Path

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field

FINISH = 4
HEAD = 17  # stages, 4 + 6 finishing coefficients, 5 embedded weights, length


@dataclasses.dataclass(frozen=True, eq=False)
class Degree:
    """Coefficients for one number of stages; stable while ``h * spectral_radius <= length``."""

    stages: int
    length: float
    mu: Array
    kappa: Array
    b: Array
    a: Array
    embedded: Array


@functools.cache
def table() -> tuple[Degree, ...]:
    """Return all degrees in increasing number of stages."""
    flat = np.load(Path(__file__).with_name("rock4.npy"), allow_pickle=False)
    out, begin = [], 0
    while begin < len(flat):
        stages = int(flat[begin])
        m = stages - FINISH
        head = flat[begin : begin + HEAD]
        mu = flat[begin + HEAD : begin + HEAD + m]
        kappa = flat[begin + HEAD + m : begin + HEAD + 2 * m]
        out.append(Degree(stages, float(head[16]), mu, kappa, head[1:5], head[5:11], head[11:16]))
        begin += HEAD + 2 * m
    return tuple(out)


def choose_degree(stiffness: float) -> int:
    """Return the position of the cheapest degree stable for ``h * spectral_radius``."""
    degrees = table()
    for position, degree in enumerate(degrees):
        if degree.length >= stiffness:
            return position
    return len(degrees) - 1


def rock4_step(
    field: Field, y: Array, slope: Array, h: float, position: int
) -> tuple[Array, float, Array, Array]:
    """Return the new point, its loss and slope, and the error estimate.

    `slope` is ``dy/dt`` at `y`. The error is the difference to the embedded method of order three.
    """
    degree = table()[position]
    before, now = y, y + (degree.mu[0] * h) * slope
    for mu, kappa in zip(degree.mu[1:], degree.kappa[1:], strict=True):
        _, f = field.rhs(now)
        before, now = now, (mu * h) * f + (1 + kappa) * now - kappa * before
    a21, a31, a32, a41, a42, a43 = degree.a
    _, f1 = field.rhs(now)
    _, f2 = field.rhs(now + (h * a21) * f1)
    _, f3 = field.rhs(now + h * (a31 * f1 + a32 * f2))
    _, f4 = field.rhs(now + h * (a41 * f1 + a42 * f2 + a43 * f3))
    b, e = degree.b, degree.b - degree.embedded[:4]
    new = now + h * (b[0] * f1 + b[1] * f2 + b[2] * f3 + b[3] * f4)
    loss, f5 = field.rhs(new)
    error = h * (e[0] * f1 + e[1] * f2 + e[2] * f3 + e[3] * f4 - degree.embedded[4] * f5)
    return new, loss, f5, error
