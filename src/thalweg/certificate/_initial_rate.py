"""A rate from the conserved matrices alone: Remark 2 around any pivot layer (Spec 3.2, 3.4b)."""

import dataclasses
import math

from thalweg._core import Array, Weights
from thalweg.certificate._floors import floors
from thalweg.certificate._hypothesis import MARGIN, Hypothesis, counted


@dataclasses.dataclass(frozen=True, kw_only=True)
class InitialRate:
    """``alpha``, the layer that carries most of it (from 1), and every condition."""

    rate: float
    pivot: int | None
    hypotheses: list[Hypothesis]


def pivots(dims: tuple[int, ...]) -> list[int]:
    """Return the layers around which sizes rise before and fall after.

    Parameters
    ----------
    dims
        ``(k, d_1, ..., d_L)``.

    Returns
    -------
    list of int
        Every ``j`` (from 1) with ``k <= d_1 <= ... <= d_{j-1}`` and ``d_j >= ... >= d_L``.
    """
    return [j for j in range(1, len(dims)) if _violation(dims, j) == 0]


def _violation(dims: tuple[int, ...], j: int) -> int:
    """Return the largest step in the wrong direction around a layer."""
    rising = [dims[i] - dims[i + 1] for i in range(j - 1)]
    falling = [dims[i + 1] - dims[i] for i in range(j, len(dims) - 1)]
    return max([*rising, *falling, 0])


def initial_rate(weights: Weights, metric: Array) -> InitialRate:
    r"""Evaluate Remark 2 around every possible pivot layer and add the rates.

    For a pivot ``j`` with sizes that rise before it and fall after it, ``||grad_j L||^2 >=
    alpha_j ||M||^2`` at all times, with ``alpha_j = sigma_min(D)^2 * prod_{l > j} f_l *
    prod_{k < j} f_k`` and ``f_l`` a lower bound on the least squared singular value of layer
    ``l`` for all time (`floors`). Squared gradients of layers add, hence so do the rates.

    Parameters
    ----------
    weights, metric
        Start and diagonal metric in reduced coordinates.

    Returns
    -------
    InitialRate
        ``||M(t)||^2 <= ||M(0)||^2 exp(-2 rate t)``; the rate is 0 if no pivot has all its
        factors provably positive. The hypotheses are those of the best pivot.

    Notes
    -----
    Status: theorem (Spec 3.2, 3.4b; paper Remark 2, with the product that its proof gives;
    docs/certificates.md). Cost: symmetric eigenvalue problems of the hidden sizes.
    """
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    proved = [float(item[-1]) for item in floors(weights, 1.0)]
    possible = [float(item[-1]) for item in floors(weights, -1.0)]
    scale = float(metric.min()) ** 2
    rates = {j: scale * _product(proved, j) for j in pivots(dims)}
    if not rates:
        return InitialRate(rate=0.0, pivot=None, hypotheses=[_widths(dims)])
    best = max(rates, key=lambda j: (rates[j], *_progress(proved, j)))
    factors = [
        Hypothesis(
            name=f"remark-2: layer {j + 1} keeps full rank for ever",
            holds=True if proved[j] > 0.0 else (None if possible[j] > 0.0 else False),
            value=proved[j],
            threshold=0.0,
            message=f"bound on its least squared singular value from below: {proved[j]:.3g}",
        )
        for j in range(len(weights))
        if j + 1 != best
    ]
    return InitialRate(
        rate=sum(rates.values()) * (1.0 - MARGIN),
        pivot=best if rates[best] > 0.0 else None,
        hypotheses=[_widths(dims, best), *factors],
    )


def _product(bounds: list[float], pivot: int) -> float:
    """Multiply the factors of all layers but one; nothing unless every one is positive."""
    factors = [floor for j, floor in enumerate(bounds, 1) if j != pivot]
    return math.prod(factors) if all(factor > 0.0 for factor in factors) else 0.0


def _progress(bounds: list[float], pivot: int) -> tuple[int, float]:
    """Tell how near a pivot without a rate is to one: positive factors, then the least factor."""
    factors = [floor for j, floor in enumerate(bounds, 1) if j != pivot]
    return sum(factor > 0.0 for factor in factors), min(factors, default=math.inf)


def _widths(dims: tuple[int, ...], pivot: int | None = None) -> Hypothesis:
    """State the condition on the sizes, with the worst step of the nearest layer if it fails."""
    worst = min(_violation(dims, j) for j in range(1, len(dims)))
    where = "there is no such layer" if pivot is None else f"best pivot: layer {pivot}"
    return counted(
        "remark-2: sizes rise up to a pivot layer and fall after it",
        -worst,
        0,
        f"sizes are {', '.join(map(str, dims))} (inputs that occur first); {where}",
    )
