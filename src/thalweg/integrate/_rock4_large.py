"""The stabilized step of order four in little memory; the method is that of `_rock4.py`.

The slopes of the finishing procedure are never stored: each is a difference of the points that it
leads to, so every stage goes straight into the next point. Six arrays besides the point and its
slope are enough, and the coefficients of the differences are at most 1.02.
"""

import dataclasses
import functools

import numpy as np

from thalweg._core import Array
from thalweg.integrate._rock4 import table
from thalweg.integrate._sweep import BLOCK, Sweep, norm_of_sum

ROOM = 5
"""Arrays that a step works in, besides the point and its slope."""


@dataclasses.dataclass(frozen=True, eq=False)
class Finish:
    """The finishing procedure on points ``p_1 .. p_4`` and the result ``p_5``.

    ``p_{i+1} = weight[i] h f(p_i) + sum_k points[i][k] p_k``; the error estimate is
    ``sum_k error[k] p_k + last h f(p_5)``.
    """

    weight: list[float]
    points: list[list[float]]
    error: list[float]
    last: float


@functools.cache
def finish(position: int) -> Finish:
    """Eliminate the slopes from the finishing procedure of one degree."""
    degree = table()[position]
    a21, a31, a32, a41, a42, a43 = degree.a
    rows = np.array([[a21, 0, 0, 0], [a31, a32, 0, 0], [a41, a42, a43, 0], degree.b])
    inverse = np.linalg.inv(rows)  # slopes from the differences p_{i+1} - p_1
    points = []
    for i in range(4):
        differences = rows[i, :i] @ inverse[:i, :i]
        points.append([1.0 - float(differences.sum()), *differences.tolist()])
    error = (degree.b - degree.embedded[:4]) @ inverse
    return Finish(
        weight=[float(rows[i, i]) for i in range(4)],
        points=points,
        error=[-float(error.sum()), *error.tolist()],
        last=-float(degree.embedded[4]),
    )


def rock4_large(
    sweep: Sweep, y: Array, slope: Array, h: float, position: int, room: list[Array]
) -> tuple[Array, float, float]:
    """Take a step; return the new point (one of `room`), its loss and the norm of the error.

    On return `slope`, on entry ``dy/dt`` at `y`, is that of the new point.
    """
    degree, end = table()[position], finish(position)
    p1, p2, p3, p4, p5 = room
    before, now, after = y, p1, p2
    np.multiply(slope, degree.mu[0] * h, out=now)
    now += y
    for mu, kappa in zip(degree.mu[1:], degree.kappa[1:], strict=True):
        sweep.stage(now, after, float(mu * h), 1.0 + float(kappa), [(-float(kappa), before)])
        before, now, after = now, after, p3 if before is y else before
    spare = [item for item in (p1, p2, p3, p4, p5) if item is not now]
    points = [now, *spare]
    for i in range(4):
        *old, here = end.points[i]
        terms = list(zip(old, points[:i], strict=True))
        sweep.stage(points[i], points[i + 1], end.weight[i] * h, here, terms)
    loss = sweep.rhs(points[4], slope)
    scratch = np.empty(BLOCK)
    error = norm_of_sum([*zip(end.error, points, strict=True), (end.last * h, slope)], scratch)
    return points[4], loss, error
