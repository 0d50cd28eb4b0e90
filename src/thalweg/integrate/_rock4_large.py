"""The stabilized step of order four in little memory; the method is that of `_rock4.py`.

The slopes of the finishing procedure are never stored: each is a difference of the points that it
leads to, so every stage goes straight into the next point. Six arrays besides the point and its
slope are enough, and no coefficient of a point exceeds 2.1.
"""

import dataclasses
import functools

import numpy as np
from scipy.linalg.blas import daxpy, dscal

from thalweg._core import Array
from thalweg.integrate._rock4 import table
from thalweg.integrate._sweep import Sweep, pieces

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
    sweep: Sweep, y: Array, slope: Array, step: tuple[float, int], room: list[Array]
) -> tuple[Array, float, float]:
    """Take a step; return the new point (one of `room`), its loss and the norm of the error.

    `step` is its length and the position of the degree. On return `slope`, on entry ``dy/dt`` at
    `y`, is that of the new point.
    """
    h, position = step
    degree, end = table()[position], finish(position)
    now, before, *rest = room
    for part in pieces(y.size):
        now[part] = y[part]
        daxpy(slope[part], now[part], a=degree.mu[0] * h)
    if len(degree.mu) > 1:
        before[:] = y
    for mu, kappa in zip(degree.mu[1:], degree.kappa[1:], strict=True):
        sweep.stage(now, before, float(mu * h), 1.0 + float(kappa), keep=-float(kappa))
        before, now = now, before
    p1, p2, p3, p4, p5 = points = [now, before, *rest]
    for i in range(3):
        *old, here = end.points[i]
        terms = list(zip(old, points[:i], strict=True))
        sweep.stage(points[i], points[i + 1], end.weight[i] * h, here, terms)

    def gather(part: slice) -> None:
        """Put what the first points give to the error into the place of the first."""
        dscal(end.error[0], p1[part])
        for c, point in zip(end.error[1:4], (p2, p3, p4), strict=True):
            daxpy(point[part], p1[part], a=c)

    *old, here = end.points[3]
    terms = list(zip(old, (p1, p2, p3), strict=True))
    sweep.stage(p4, p5, end.weight[3] * h, here, terms, fold=gather)
    squares = []

    def measure(part: slice) -> None:
        error = p1[part].copy()  # in the cache
        daxpy(p5[part], error, a=end.error[4])
        daxpy(slope[part], error, a=end.last * h)
        squares.append(float(error @ error))

    loss = sweep.stage(p5, slope, 1.0, 0.0, fold=measure)
    return p5, loss, float(np.sqrt(sum(squares)))
