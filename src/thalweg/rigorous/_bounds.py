"""Norms of all layers for all time, from proved facts (Spec 3.1).

Theorem. Let ``B >= ||W_L(t) ... W_1(t)||`` for all ``t``, ``mu_i = max(lambda_max(C_i), 0)`` and
``m_k = mu_k + ... + mu_H``. Then ``s = ||W_L(t)||^2`` satisfies ``prod_k (s - m_k)_+ <= B^2``, and
``||W_j||^2 <= ||W_{j+1}||^2 + max(-lambda_min(C_j), 0)``. Because the loss never increases,
``B = (||T|| + ||M(0)||) / sigma_min(D)`` will do. Transposing the network gives a second bound.
"""

import dataclasses
import math

from thalweg.rigorous._balls import Ball, ball, up
from thalweg.rigorous._facts import Facts

ATTEMPTS = 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class NormBounds:
    """Squares of bounds on ``||W_j(t)||_2`` for all ``t``, and the two roots behind them."""

    squares: tuple[float, ...]
    root_last: float
    root_first: float


def norm_bounds(known: Facts) -> NormBounds | None:
    """Evaluate the theorem; ``None`` if a number is not finite."""
    if not (known.metric_low > 0.0 and math.isfinite(up(ball(known.error_high) ** 2))):
        return None
    top = known.sigma_high[0] if known.sigma_high else 0.0
    square = (ball(top) + ball(known.error_high)) ** 2 / ball(known.metric_low)
    rises = [max(values[-1], 0.0) for values in known.imbalance_high]
    falls = [max(-values[0], 0.0) for values in known.imbalance_low]
    last = _root(rises, square)
    first = _root(falls[::-1], square)
    if not (math.isfinite(last) and math.isfinite(first)):
        return None
    down_from_last = _descend(last, falls[::-1])[::-1]
    down_from_first = _descend(first, rises)
    squares = tuple(map(min, down_from_last, down_from_first))
    return NormBounds(squares=squares, root_last=last, root_first=first)


def _descend(root: float, steps: list[float]) -> list[float]:
    """Return upper bounds on ``root``, ``root + steps[0]``, ``root + steps[0] + steps[1]``, ..."""
    out = [root]
    for step in steps:
        out.append(up(ball(out[-1]) + ball(step)))
    return out


def _root(rises: list[float], square: Ball) -> float:
    """Return a double ``s`` with ``prod_k (s - m_k)_+ > B^2`` proved; the least is sought."""
    shifts = [ball(0)]
    for rise in reversed(rises):
        shifts.append(shifts[-1] + ball(rise))

    def beyond(s: float) -> bool:
        total = ball(1)
        for shift in shifts:
            gap = ball(s) - shift
            if not gap > 0:
                return False
            total *= gap
        return bool(total > square)

    low = up(shifts[-1])
    high = up(shifts[-1] + square.max(ball(0)).root(len(shifts)) * (1 + ball(2.0**-40)))
    high = math.nextafter(high, math.inf)
    if not (math.isfinite(high) and beyond(high)):
        return math.inf
    for _ in range(ATTEMPTS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if beyond(middle):
            high = middle
        else:
            low = middle
    return high
