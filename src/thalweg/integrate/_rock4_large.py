"""The stabilized step of order four in little memory; the method is that of `_rock4.py`.

The slopes of the finishing procedure are never stored: each is a difference of the points that it
leads to, so every stage goes straight into the next point. The last two points take the place of
the slope and of the second, so three arrays besides the point and its slope are enough. No
coefficient of a point exceeds 2.1.
"""

import dataclasses
import functools

import numpy as np

from thalweg._core import Array
from thalweg.integrate._combine import Combination, two_into
from thalweg.integrate._rock4 import table
from thalweg.integrate._sweep import Sweep

ROOM = 3
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
) -> tuple[Array, float, Array]:
    """Take a step; return the new point (one of `room`), its loss and three norms.

    These are of the error, the new slope and the new point.

    `step` is its length and the position of the degree. On return `slope`, on entry ``dy/dt`` at
    `y`, is that of the new point; `y` is only read.
    """
    h, position = step
    degree, end = table()[position], finish(position)
    now, before, p3 = room
    first = Combination((1.0, y), (float(degree.mu[0] * h), slope))
    first.into(now)(slice(0, y.size))
    earlier = y
    for mu, kappa in zip(degree.mu[1:], degree.kappa[1:], strict=True):
        sums = Combination((1.0 + float(kappa), now), (-float(kappa), earlier))
        sweep.stage(now, before, float(mu * h), sums.into(before))
        now, before, earlier = before, now, now
    points = p1, p2, p3, p4 = now, before, p3, slope  # `slope` is not needed any more
    for i in range(3):
        sums = Combination(*zip(end.points[i], points, strict=False))
        sweep.stage(points[i], points[i + 1], end.weight[i] * h, sums.into(points[i + 1]))
    p5 = p2  # and what the points give to the error in place of the first
    both = two_into(points, (end.points[3], p5), (end.error[:4], p1))
    sweep.stage(p4, p5, end.weight[3] * h, both)
    error = Combination((1.0, p1), (end.error[4], p5), (end.last * h, slope))
    measured = error, Combination((1.0, slope)), Combination((1.0, p5))
    squares = np.zeros(3)

    def measure(part: slice) -> None:
        squares[:] += [item.squares(part) for item in measured]

    loss = sweep.stage(p5, slope, 1.0, after=measure)
    return p5, loss, np.sqrt(squares)
