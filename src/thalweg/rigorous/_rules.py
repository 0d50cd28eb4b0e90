"""Rates and basins, from proved facts (Spec 3.2-3.4b). Every number is rounded against the claim.

Remark 2 with a pivot. Let ``s_l(q)`` bound the q-th largest eigenvalue of ``W_l^T W_l`` from below
for all time. Since ``W_{l+1}^T W_{l+1} = C_l + W_l W_l^T`` with ``C_l`` constant, Weyl gives
``s_{l+1}(q) = max_i lambda_i(C_l) + s_l(n + q - i)`` (descending, ``n = d_l``), and backwards the
same with ``-C_l``. If the widths rise up to layer j and fall after it, then
``||dL/dW_j||^2 >= sigma_min(D)^2 ||M||^2 prod_{l != j} s_l(min(shape of W_l))``; every single
factor must be positive. Squared gradients of different layers add.

Anytime. If ``||M|| < sigma_q``, ``q = min(d_y, k)``, then for ``d_y <= k`` the first layer gives
``(sigma_q - ||M||)^2 sigma_min(D)^2 / (||D||^2 sup ||W_1||^2)``, for ``k <= d_y`` the last layer
``(sigma_q - ||M||)^2 / sup ||W_L||^2``.

Basin. Critical values are ``0.5 sum sigma_i^2`` over what is not learned; the loss decreases.
"""

import dataclasses
import itertools
import math

from thalweg.rigorous._balls import Ball, ball, down
from thalweg.rigorous._bounds import NormBounds
from thalweg.rigorous._facts import Facts


def spectra_for_ever(known: Facts) -> list[list[Ball]]:
    """Return ``s_l(1), ..., s_l(min shape)`` for each layer, as exact or narrow balls."""
    sizes = [min(pair) for pair in itertools.pairwise(known.dims)]
    depth = len(sizes)
    lows = [[ball(v) for v in reversed(values)] for values in known.imbalance_low]
    highs = [[-ball(v) for v in values] for values in known.imbalance_high]
    forward = [[ball(0)] * size for size in sizes]
    backward = [[ball(0)] * size for size in sizes]
    for j in range(depth - 1):
        forward[j + 1] = _weyl(lows[j], forward[j], sizes[j + 1])
    for j in range(depth - 2, -1, -1):
        backward[j] = _weyl(highs[j], backward[j + 1], sizes[j])
    return [
        [one.max(two).lower() for one, two in zip(*pair, strict=True)]
        for pair in zip(forward, backward, strict=True)
    ]


def _weyl(values: list[Ball], other: list[Ball], count: int) -> list[Ball]:
    """Bound the `count` largest eigenvalues of a positive sum of two matrices from below.

    Never below 0: a product of such bounds is positive only if every single one is.
    """
    order = len(values)
    out = []
    for q in range(count):
        best = ball(0)
        for i in range(q, order):
            at = order - 1 + q - i
            best = best.max((values[i] + (other[at] if at < len(other) else 0)).lower())
        out.append(best)
    return out


def admissible_pivots(dims: tuple[int, ...]) -> list[int]:
    """Return the layers ``j`` (1-based) up to which the widths rise and after which they fall."""
    depth = len(dims) - 1
    return [
        j
        for j in range(1, depth + 1)
        if all(a <= b for a, b in itertools.pairwise(dims[:j]))
        and all(a >= b for a, b in itertools.pairwise(dims[j:]))
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PivotRate:
    """Rate from the conserved matrices: its lower bound and the layer that gives most of it."""

    rate: float
    pivot: int | None


def pivot_rate(known: Facts) -> PivotRate:
    """Evaluate Remark 2 with every admissible pivot and add what they give."""
    tables = spectra_for_ever(known)
    total, best, pivot = ball(0), ball(0), None
    for j in admissible_pivots(known.dims):
        factors = [table[-1] for i, table in enumerate(tables, start=1) if i != j]
        alpha = math.prod(factors, start=ball(known.metric_low)).lower()
        total = (total + alpha).lower()
        if alpha > best:
            best, pivot = alpha, j
    return PivotRate(rate=max(down(total), 0.0), pivot=pivot)


def anytime_rate(known: Facts, bounds: NormBounds, error: float) -> float:
    """Evaluate the anytime certificate for ``||M|| <= error``; 0.0 if it does not apply."""
    wide, narrow = known.dims[0], known.dims[-1]
    if len(known.dims) < 3 or not min(wide, narrow) <= len(known.sigma_low):
        return 0.0
    gap = ball(known.sigma_low[min(wide, narrow) - 1]) - ball(error)
    if not gap > 0:
        return 0.0
    total = ball(0)
    if narrow <= wide:
        metric = ball(known.metric_low) / ball(known.metric_high)
        total += gap * gap * metric / ball(bounds.squares[0])
    if wide <= narrow:
        total += gap * gap / ball(bounds.squares[-1])
    return max(down(total), 0.0)


def basin_square(known: Facts, *, low: bool = True) -> float:
    """Bound twice the least critical value that is not global; infinity if there is none."""
    values = [ball(v) for v in (known.sigma_low if low else known.sigma_high)]
    r = known.learnable
    if r == 0:
        return math.inf
    total = sum((v * v for v in values[r + 1 :]), start=values[r - 1] ** 2)
    return down(total) if low else -down(-total)


def in_basin(known: Facts, error: float) -> bool:
    """Prove that a point with ``||M|| <= error`` flows to a global minimum."""
    level = basin_square(known)
    return level == math.inf or bool(ball(error) ** 2 < ball(level))


def guaranteed(known: Facts, error: float) -> int:
    """Return how many leading directions are proved to be learned from ``||M|| <= error``."""
    return sum(1 for value in known.sigma_low[: known.learnable] if error < value)
