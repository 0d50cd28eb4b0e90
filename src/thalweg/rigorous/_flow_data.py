"""The gradient flow of a raw problem, in balls.

``dW_j/dt = -(W_L ... W_{j+1})^T (P S - G) (W_{j-1} ... W_1)^T``, ``S = X X^T``, ``G = Y X^T``.
"""

import dataclasses

import numpy as np

from thalweg._core import Array
from thalweg.rigorous._balls import (
    Ball,
    BallMatrix,
    ball,
    frobenius_square,
    matrix,
    middles,
    nonnegative,
    product,
    upper_root,
)
from thalweg.rigorous._inputs import Inputs
from thalweg.rigorous._quantities import seen_part


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowData:
    """Squared metric ``S`` (k, k), cross moment ``G`` (d_y, k), start."""

    second: BallMatrix
    cross: BallMatrix
    start: list[BallMatrix]

    def error(self, weights: list[BallMatrix]) -> Ball:
        """Bound ``||M||_F`` from above, as an exact ball."""
        excess = product(weights) * self.second - self.cross
        pull = self.second.solve(excess.transpose())
        return upper_root(nonnegative((excess * pull).trace()))


def flow_data(inputs: Inputs) -> FlowData:
    """Set up the flow of a raw problem."""
    x, weights = seen_part(inputs)
    scale = ball(1) / inputs.divisor
    return FlowData(
        second=x * x.transpose() * scale,
        cross=matrix(inputs.y) * x.transpose() * scale,
        start=weights,
    )


def nearest(weights: list[BallMatrix]) -> tuple[list[Array], Ball]:
    """Return doubles near ball matrices and a bound on the distance (Frobenius, all layers)."""
    points = [middles(weight) for weight in weights]
    return points, distance(weights, points)


def distance(weights: list[BallMatrix], points: list[Array]) -> Ball:
    """Bound the Frobenius distance of ball matrices from doubles, over all layers."""
    total = sum(
        (frobenius_square(w - matrix(v)) for w, v in zip(weights, points, strict=True)),
        start=ball(0),
    )
    return upper_root(total)


def cauchy(one: Array, two: Array, n: int) -> Array:
    """Return coefficient ``n`` of the product of two matrix power series."""
    out: Array = np.tensordot(one[: n + 1], two[n::-1], axes=([0, 2], [0, 1]))
    return out
