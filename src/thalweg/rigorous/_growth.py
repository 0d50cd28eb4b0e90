"""How fast neighbouring trajectories can separate: the logarithmic norm over a ball.

Two trajectories at distance ``e`` separate at rate at most ``-lambda_min`` of the Hessian between
them. At the centre of the ball it is enclosed from its residuals; elsewhere it differs by at most
``Lip`` times the distance. With ``b_j >= ||W_j||`` and ``E_k^2 = sum over k-subsets J of
(prod of b_j, j not in J)^2 / k!``, a step ``u`` of length 1 changes the product at order ``k`` by
at most ``E_k`` (Cauchy, Maclaurin), and ``Lip = 6 (E_3 ||D|| ||M|| + E_1 E_2 ||D||^2)`` bounds the
third derivative: a symmetric form is largest where its arguments agree (Banach).
"""

import dataclasses
import itertools
import math

import numpy as np

from thalweg._core import Array
from thalweg.rigorous._balls import (
    Ball,
    BallMatrix,
    ball,
    frobenius_bound,
    identity,
    library,
    matrix,
    product,
    upper_root,
)
from thalweg.rigorous._flow_data import FlowData
from thalweg.rigorous._spectrum import eigenvalues


@dataclasses.dataclass(frozen=True, kw_only=True)
class Centre:
    """A point of doubles with bounds on its layers, its error and its curvature."""

    norms: list[Ball]
    error: Ball
    metric: Ball  # ||D||

    def changes(self, radius: Ball) -> list[Ball]:
        """Return ``E_0, ..., E_L`` for layers within `radius` of the centre."""
        norms = [norm + radius for norm in self.norms]
        depth = len(norms)
        out = []
        for k in range(depth + 1):
            total = ball(0)
            for chosen in itertools.combinations(range(depth), k):
                rest = math.prod((norms[j] for j in range(depth) if j not in chosen), start=ball(1))
                total += rest * rest
            out.append(upper_root(total / math.factorial(k)))
        return out

    def error_within(self, radius: Ball) -> Ball:
        """Bound ``||M||_F`` over the ball of that radius."""
        steps = self.changes(ball(0))[1:]
        moved = sum((e * radius**k for k, e in enumerate(steps, start=1)), start=ball(0))
        return (self.error + self.metric * moved).upper()

    def lipschitz(self, radius: Ball) -> Ball:
        """Bound the third derivative over the ball of that radius."""
        e = [*self.changes(radius), ball(0), ball(0)]
        mixed = e[1] * e[2] * self.metric
        return (6 * self.metric * (e[3] * self.error_within(radius) + mixed)).upper()


def centre(point: list[Array], data: FlowData, metric: Ball) -> Centre:
    """Bound what is needed at a point of doubles."""
    weights = [matrix(item) for item in point]
    return Centre(norms=[spectral(w) for w in weights], error=data.error(weights), metric=metric)


def spectral(weight: BallMatrix) -> Ball:
    """Bound ``||W||_2`` from above by the eighth root of ``||(W^T W)^4||_F``."""
    square = weight.transpose() * weight
    fourth = square * square
    return upper_root(upper_root(upper_root(frobenius_bound(fourth * fourth))))


def least_curvature(point: list[Array], data: FlowData) -> Ball | None:
    """Bound the smallest eigenvalue of the Hessian at a point from below, as an exact ball.

    It is lowered a little more, so that a verifier may round the exact Hessian.
    """
    found = eigenvalues(hessian([matrix(item) for item in point], data))
    if found is None:
        return None
    size = found[0].abs_upper().max(found[-1].abs_upper())
    return (found[0] - size * ball(2.0**-60)).lower()


def hessian(weights: list[BallMatrix], data: FlowData) -> BallMatrix:
    """Enclose the Hessian, weights packed row by row, ``W_1`` first (Spec 4.1)."""
    depth = len(weights)
    sizes = [w.nrows() * w.ncols() for w in weights]
    start = [0, *np.cumsum(sizes).tolist()]
    front = [identity(weights[0].ncols())]
    for weight in weights:
        front.append(weight * front[-1])
    back = [identity(weights[-1].nrows())]
    for weight in reversed(weights):
        back.append(back[-1] * weight)
    back.reverse()  # back[j] = W_L ... W_{j+1}
    excess = data.cross - front[depth] * data.second
    out = library().arb_mat(start[-1], start[-1])
    for i in range(depth):
        for j in range(i + 1):
            left = (back[i + 1].transpose() * back[j + 1]).tolist()
            right = (front[i] * data.second * front[j].transpose()).tolist()
            cross = None
            if j < i:
                between = [*weights[j + 1 : i]]
                middle = product([identity(weights[j].nrows()), *between])
                pull = front[j] * excess.transpose() * back[i + 1]
                cross = (middle.tolist(), pull.tolist())
            _fill(out, (start[i], start[j]), left, right, cross)
    return out


def _fill(
    out: BallMatrix,
    corner: tuple[int, int],
    left: list[list[Ball]],
    right: list[list[Ball]],
    cross: tuple[list[list[Ball]], list[list[Ball]]] | None,
) -> None:
    """Write the block of entries ``(a, b)`` of one layer and ``(c, e)`` of an earlier one."""
    top, begin = corner
    for a, row in enumerate(left):
        for b, seen in enumerate(right):
            r = top + a * len(right) + b
            for c, x in enumerate(row):
                for e, y in enumerate(seen):
                    s = begin + c * len(seen) + e
                    value = x * y
                    if cross is not None:
                        value -= cross[0][b][c] * cross[1][e][a]
                    out[r, s] = value
                    out[s, r] = value
