"""What proves a verdict: directions of negative curvature, curves along which the loss falls."""

import dataclasses

import numpy as np

from thalweg._core import Array, Result, Weights
from thalweg.landscape._canonical import off_signal
from thalweg.landscape._learned import Target
from thalweg.network import line_polynomial

DRAWS = 24
VANISHING = 1e-9
"""Coefficients below this, relative to the largest, are zero."""
NOTICEABLE = 1e-9
"""Part of the squared largest singular value by which the loss must fall along a curve."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DescentCurve(Result):
    """A line from a non-strict saddle along which the loss falls.

    Attributes
    ----------
    direction
        Shaped like the weights.
    polynomial
        Coefficients of ``L(W + t w) - L(W)``, lowest power first.
    order
        Power of the first coefficient that is not zero; it is negative.
    """

    direction: tuple[Array, ...]
    polynomial: Array
    order: int


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


def curvature(weights: Weights, direction: Weights, target: Array, metric: Array) -> float:
    """Return the quadratic form of the Hessian along a unit multiple of a direction."""
    square = sum(float(np.sum(item**2)) for item in direction)
    return 2.0 * float(line_polynomial(weights, direction, target, metric)[2]) / square


def descent_curve(
    weights: Weights, metric: Array, target: Target, learned: tuple[int, ...]
) -> DescentCurve | None:
    """Search a line of descent at a non-strict saddle: steps off the learned signal (Spec 4.5).

    Returns
    -------
    DescentCurve or None
        In reduced coordinates; ``None`` if no draw gave one, which is not a proof that none exists.
    """
    frames = off_signal(weights, metric, target, learned)
    rng = np.random.default_rng(0)
    natural = float(target.sigma[0] / np.median(metric)) ** (1.0 / len(weights))
    size = max(natural, *(float(np.linalg.norm(weight, 2)) for weight in weights))
    best: DescentCurve | None = None
    lowest = -NOTICEABLE * float(target.sigma[0]) ** 2
    for draw in range(DRAWS):
        direction = []
        for j, weight in enumerate(weights):
            block = rng.normal(size=weight.shape)
            if draw % 2:
                block = np.outer(block[:, 0], block[0])
            step = frames[j + 1] @ block @ frames[j]
            norm = float(np.linalg.norm(step))
            direction.append(step * (size / norm) if norm > 1e-9 else 0.0 * step)
        for flipped in (direction, [*direction[:-1], -direction[-1]]):
            found, drop = _descends(weights, flipped, target.matrix, metric)
            if found is not None and drop < lowest:
                best, lowest = found, drop
    return best


def _descends(
    weights: Weights, direction: Weights, target: Array, metric: Array
) -> tuple[DescentCurve | None, float]:
    """Return the line if the loss falls along it from the start, and by how much at most."""
    polynomial = line_polynomial(weights, direction, target, metric)
    polynomial[0] = 0.0
    solid = np.flatnonzero(np.abs(polynomial) > VANISHING * np.abs(polynomial).max(initial=1e-300))
    if not solid.size or solid[0] < 3 or polynomial[solid[0]] >= 0.0:
        return None, 0.0
    polynomial[: solid[0]] = 0.0
    values = np.polynomial.polynomial.polyval(np.geomspace(1e-3, 1.0, 40), polynomial)
    curve = DescentCurve(direction=tuple(direction), polynomial=polynomial, order=int(solid[0]))
    return curve, float(values.min())
