"""The gradient flow in coordinates in which it is Euclidean, with balls for data and start.

``dW_j/dt = -(W_L ... W_{j+1})^T (P S - G) (W_{j-1} ... W_1)^T``. Raw flows use the data as they
are; whitened ones ``W_1 R`` with ``R R^T = X X^T``, whose Cholesky factor is enclosed.
"""

import dataclasses

import numpy as np

from thalweg._core import Array
from thalweg.rigorous._balls import (
    Ball,
    BallMatrix,
    ball,
    frobenius_square,
    identity,
    library,
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
    """Squared metric ``S`` (k, k), cross moment ``G`` (d_y, k), start; balls."""

    second: BallMatrix
    cross: BallMatrix
    start: list[BallMatrix]

    def error(self, weights: list[BallMatrix]) -> Ball:
        """Bound ``||M||_F`` from above, as an exact ball."""
        excess = product(weights) * self.second - self.cross
        pull = self.second.solve(excess.transpose())
        return upper_root(nonnegative((excess * pull).trace()))


def flow_data(inputs: Inputs) -> FlowData | None:
    """Set up the flow; ``None`` if the whitening cannot be enclosed."""
    x, weights = seen_part(inputs)
    scale = ball(1) / inputs.divisor
    second = x * x.transpose()
    cross = matrix(inputs.y) * x.transpose()
    if inputs.metric == "raw":
        return FlowData(second=second * scale, cross=cross * scale, start=weights)
    root = cholesky(second)
    if root is None:
        return None
    target = root.solve(cross.transpose()).transpose()
    return FlowData(
        second=identity(x.nrows()) * scale,
        cross=target * scale,
        start=[weights[0] * root, *weights[1:]],
    )


def cholesky(symmetric: BallMatrix) -> BallMatrix | None:
    """Enclose the lower triangular ``R`` with ``R R^T = S``; ``None`` unless proved positive."""
    order = symmetric.nrows()
    out = library().arb_mat(order, order)
    for i in range(order):
        for j in range(i + 1):
            rest = symmetric[i, j] - sum((out[i, k] * out[j, k] for k in range(j)), start=ball(0))
            if i == j:
                if not rest > 0:
                    return None
                out[i, i] = rest.sqrt()
            else:
                out[i, j] = rest / out[j, j]
    return out


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
