"""What proves a verdict: directions of negative curvature, curves along which the loss falls."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, Result, Weights, median
from thalweg.landscape._escape import Filling
from thalweg.landscape._learned import Target
from thalweg.landscape._nearest import Nearest
from thalweg.network import line_polynomial

ROUNDING = 64 * EPS
"""Relative error that is conceded to the coefficients of a line."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DescentCurve(Result):
    """A line from a non-strict saddle along which the loss falls.

    Attributes
    ----------
    direction
        Shaped like the weights.
    polynomial
        Coefficients of ``L(W + t w) - L(W)``, lowest power first, at the exact critical point.
    order
        Escape order: power of the first coefficient that is not zero; it is negative.
    layers
        The layers that are changed, counted from 1: as many as `order`, where the curve was
        constructed; all of them where it was found by search.
    """

    direction: tuple[Array, ...]
    polynomial: Array
    order: int
    layers: tuple[int, ...]


def mixing_direction(
    weights: Weights, metric: Array, target: Target, learned: tuple[int, ...]
) -> list[Array] | None:
    """Return a direction that trades a learned direction for a larger one, if there is one.

    ``w_L = u_k u_i^T W_L``, ``w_1 = W_1 D v_i v_k^T D^-1`` for ``i`` learned, ``k`` not,
    ``sigma_k > sigma_i``: quadratic term ``sigma_i (sigma_i - sigma_k)`` (Spec 4.5).
    """
    free = [k for k in range(len(target.sigma)) if k not in learned]
    if not learned or not free:
        return None
    i, k = max(learned), min(free)
    if target.sigma[k] <= target.sigma[i]:
        return None
    out = [np.zeros_like(weight) for weight in weights]
    out[-1] = np.outer(target.left[:, k], target.left[:, i] @ weights[-1])
    first = weights[0] * metric @ target.right[i]
    out[0] = out[0] + np.outer(first, target.right[k] / metric)
    return out


def line_noise(weights: Weights, direction: Weights, target: Array, metric: Array) -> Array:
    """Return how far rounding may move each coefficient of the loss along a line.

    A part of the coefficient that the norms of all terms would give.
    """
    terms = np.array([float(metric.max())])
    for weight, step in zip(weights, direction, strict=True):
        sizes = float(np.linalg.norm(weight, 2)), float(np.linalg.norm(step, 2))
        terms = np.convolve(terms, sizes)
    terms[0] += float(np.linalg.norm(target))
    return ROUNDING * len(weights) * np.convolve(terms, terms)


def falling_line(
    weights: Weights, direction: Weights, target: Array, metric: Array
) -> Array | None:
    """Return the loss along a line of negative curvature, or ``None`` if it has none.

    Coefficients of ``L(W + t w) - L(W)``, lowest power first; the quadratic one is negative
    beyond rounding.
    """
    line = line_polynomial(weights, direction, target, metric)
    line[0] = 0.0
    return line if line[2] < -line_noise(weights, direction, target, metric)[2] else None


def descent_curve(
    exact: Nearest, filling: Filling, target: Target, metric: Array
) -> DescentCurve | None:
    """Turn the lowest-order way out of a non-strict saddle into a line of descent.

    Returns
    -------
    DescentCurve or None
        In reduced coordinates; ``None`` if rounding hides the descent.

    Notes
    -----
    Status: derived (Spec 4.5): the order is the number of layers that have to be filled.
    """
    order = len(filling.layers)
    lifted = exact.split.direction(filling.blocks)
    natural = float(target.sigma[0] / median(metric)) ** (1.0 / len(lifted))
    sizes = [float(np.linalg.norm(item)) for item in lifted]
    direction = [
        item * (natural / size) if size > 0.0 else item
        for item, size in zip(lifted, sizes, strict=True)
    ]
    line = line_polynomial(exact.weights, direction, target.matrix, metric)
    noise = line_noise(exact.weights, direction, target.matrix, metric)
    line[0] = 0.0
    # Exactly zero by construction; what is computed there is rounding.
    if np.any(np.abs(line[:order]) > noise[:order]) or line[order] > -noise[order]:
        return None
    line[:order] = 0.0
    return DescentCurve(
        direction=tuple(direction), polynomial=line, order=order, layers=filling.layers
    )
