"""Checking that claims follow from the facts of a proof, in rational arithmetic (Spec 3)."""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from thalweg.verify._read import Proof

ZERO = Fraction(0)


def wrong_claims(proof: Proof) -> Iterator[str]:
    """Yield every claim that does not follow from the facts."""
    known, claims = proof.facts, proof.claims
    yield from _norms(known, claims)
    if Fraction(claims["rate_remark_2"]) > pivot_rate(known):
        yield "rate_remark_2 does not follow"
    error = Fraction(known["error_high"])
    if Fraction(claims["rate_anytime"]) > anytime_rate(known, claims, error):
        yield "rate_anytime does not follow"
    narrow = Fraction(claims["rate_bottleneck"])
    if narrow > 0:
        yield from _bottleneck(known, claims)
    rate = max(Fraction(claims["rate_remark_2"]), Fraction(claims["rate_anytime"]), narrow)
    if 2 * Fraction(claims["reducible_loss"]) < error**2:
        yield "reducible_loss is too small"
    path = claims["path_bound"]
    twice = Fraction(claims["excess_root"]) ** 2 if narrow > 0 else error**2
    if path is not None and (rate <= 0 or path < 0 or Fraction(path) ** 2 * rate < twice):
        yield "path_bound does not follow"
    certain = rate > 0 or in_basin(known, error)
    if claims["converges_to_global"] and not certain:
        yield "convergence to a global minimum does not follow"
    count = learnable(known) if certain else guaranteed(known, error)
    if not 0 <= claims["guaranteed"] <= count:
        yield "the learned directions do not follow"


def learnable(known: dict[str, Any]) -> int:
    """Return how many directions a global minimum learns."""
    return int(min(*known["dims"], known["target_rank"]))


def guaranteed(known: dict[str, Any], error: Fraction) -> int:
    """Count the leading directions whose singular value exceeds the error."""
    count = 0
    for value in known["sigma_low"][: learnable(known)]:
        if not error < Fraction(value):
            break
        count += 1
    return count


def in_basin(known: dict[str, Any], error: Fraction) -> bool:
    """Compare the error with the least critical value that is not global."""
    r = learnable(known)
    if r == 0:
        return True
    sigma = [Fraction(value) for value in known["sigma_low"]]
    return error**2 < sigma[r - 1] ** 2 + sum((value**2 for value in sigma[r + 1 :]), ZERO)


def anytime_rate(known: dict[str, Any], claims: dict[str, Any], error: Fraction) -> Fraction:
    """Evaluate the anytime certificate from proved norms."""
    k, d_y = known["dims"][0], known["dims"][-1]
    gap = Fraction(known["sigma_low"][min(k, d_y) - 1]) - error
    if len(known["dims"]) < 3 or gap <= 0:
        return ZERO
    first, last = (Fraction(claims["norm_squares"][j]) for j in (0, -1))
    out = ZERO
    if d_y <= k:
        ratio = Fraction(known["metric_low"]) / Fraction(known["metric_high"])
        out += gap**2 * ratio / first
    if k <= d_y:
        out += gap**2 / last
    return out


def _bottleneck(known: dict[str, Any], claims: dict[str, Any]) -> Iterator[str]:
    """Check the rate near the best value of a network with a narrow layer."""
    r, k, d_y = min(known["dims"]), known["dims"][0], known["dims"][-1]
    if not r < min(k, d_y) or learnable(known) != r:
        yield "rate_bottleneck: no layer is the bottleneck"
        return
    low = [Fraction(value) for value in known["sigma_low"]]
    high = [Fraction(value) for value in known["sigma_high"]]
    root = Fraction(claims["excess_root"])
    if root < 0 or root**2 < Fraction(known["error_high"]) ** 2 - sum(v**2 for v in low[r:]):
        yield "excess_root is too small"
    if 2 * Fraction(claims["least_loss"]) < sum(v**2 for v in high[r:]):
        yield "least_loss is too small"
    room = low[r - 1] ** 2 - high[r] ** 2 - 2 * root**2
    if room <= 0 or low[r - 1] <= root:
        yield "rate_bottleneck: the excess is not below a quarter of the gap"
        return
    ratio = Fraction(known["metric_low"]) / Fraction(known["metric_high"])
    first, last = (Fraction(claims["norm_squares"][j]) for j in (0, -1))
    steep = high[0] ** 2 + high[r] ** 2 + root**2
    rate = (low[r - 1] - root) ** 2 * min(ratio / first, 1 / last) / (1 + steep / room)
    if Fraction(claims["rate_bottleneck"]) > rate:
        yield "rate_bottleneck does not follow"


def _norms(known: dict[str, Any], claims: dict[str, Any]) -> Iterator[str]:
    """Check the bounds on every layer."""
    rises = [max(Fraction(values[-1]), ZERO) for values in known["imbalance_high"]]
    falls = [max(-Fraction(values[0]), ZERO) for values in known["imbalance_low"]]
    square = (Fraction(known["sigma_high"][0]) + Fraction(known["error_high"])) ** 2
    square /= Fraction(known["metric_low"])
    last, first = Fraction(claims["root_last"]), Fraction(claims["root_first"])
    if not _beyond(last, rises[::-1], square) or not _beyond(first, falls, square):
        yield "a root of the norm inequality is too small"
    one = list(itertools.accumulate([last, *falls[::-1]]))[::-1]
    two = list(itertools.accumulate([first, *rises]))
    squares = [Fraction(value) for value in claims["norm_squares"]]
    if len(squares) != len(one) or any(s < min(a, b) for s, a, b in zip(squares, one, two)):  # noqa: B905
        yield "a bound on a layer is too small"
        return
    whitening, frozen = Fraction(known["whitening_low"]), Fraction(known["frozen_high"])
    for name, top in (
        ("flow_norm_bounds", squares[0]),
        ("norm_bounds", squares[0] / whitening + frozen**2 if whitening > 0 else None),
    ):
        needed = [top, *squares[1:]]
        for value, bound in zip(claims[name], needed, strict=True):
            if value == math.inf:
                continue
            if bound is None or value < 0 or Fraction(value) ** 2 < bound:
                yield f"{name} are too small"
                return


def _beyond(root: Fraction, rises: list[Fraction], square: Fraction) -> bool:
    """Check ``prod_k (s - m_k) > B^2`` with every factor positive."""
    out = Fraction(1)
    for shift in itertools.accumulate([ZERO, *rises]):
        if root <= shift:
            return False
        out *= root - shift
    return out > square


def pivot_rate(known: dict[str, Any]) -> Fraction:
    """Evaluate Remark 2 around every pivot layer and add."""
    dims = known["dims"]
    depth = len(dims) - 1
    sizes = [min(pair) for pair in itertools.pairwise(dims)]
    forward = [[ZERO] * sizes[0]]
    for j in range(depth - 1):
        values = [Fraction(v) for v in reversed(known["imbalance_low"][j])]
        forward.append(_weyl(values, forward[-1], sizes[j + 1]))
    backward = [[ZERO] * sizes[-1]]
    for j in range(depth - 2, -1, -1):
        values = [-Fraction(v) for v in known["imbalance_high"][j]]
        backward.insert(0, _weyl(values, backward[0], sizes[j]))
    floors = [max(a[-1], b[-1]) for a, b in zip(forward, backward, strict=True)]
    total = ZERO
    for j in range(depth):
        rising = all(a <= b for a, b in itertools.pairwise(dims[: j + 1]))
        falling = all(a >= b for a, b in itertools.pairwise(dims[j + 1 :]))
        factors = floors[:j] + floors[j + 1 :]
        if rising and falling and all(factor > 0 for factor in factors):
            total += Fraction(known["metric_low"]) * math.prod(factors, start=Fraction(1))
    return total


def _weyl(values: list[Fraction], other: list[Fraction], count: int) -> list[Fraction]:
    """Bound the largest eigenvalues of a sum of symmetric matrices from below (Weyl)."""
    order = len(values)
    padded = other + [ZERO] * (order - len(other))
    return [
        max(
            ZERO,
            *(values[i] + padded[order - 1 + q - i] for i in range(q, order)),
        )
        for q in range(count)
    ]
