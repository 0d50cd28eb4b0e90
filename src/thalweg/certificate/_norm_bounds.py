"""Explicit bounds on every layer for all time (Spec 3.1)."""

import math

import numpy as np

from thalweg._core import EPS, Array, Weights
from thalweg.conserved import imbalance
from thalweg.network import residual


def product_bound(error: float, target: Array, metric: Array) -> float:
    """Bound the spectral norm of ``W_L ... W_1`` for all later times.

    The loss never increases, so ``||P D|| <= ||T|| + ||M(0)||`` for ever.
    """
    return (float(np.linalg.norm(target, 2)) + error) / float(metric.min())


def eigenvalue_slack(weights: Weights) -> list[float]:
    """Bound the rounding errors of the eigenvalues of every ``C_j`` as computed."""
    squares = [float(np.sum(weight**2)) for weight in weights]
    sizes = [weight.shape[0] for weight in weights]
    return [16 * sizes[j] * EPS * (squares[j] + squares[j + 1]) for j in range(len(weights) - 1)]


def _largest_root(shifts: list[float], bound: float) -> float:
    """Return the largest ``s`` with ``prod (s - m_k)_+ <= bound**2``, rounded upwards.

    In ``u = log(s - max m)`` the logarithm of the product is convex with slopes from 1 to L, so
    Newton's method decreases towards the root from above and every iterate is a bound.
    """
    low = max(shifts)
    if bound <= 0.0:
        return low * (1.0 + 1e-12)
    goal = 2.0 * math.log(bound)
    gaps = [low - shift for shift in shifts]
    u = goal / len(shifts)
    for _ in range(100):
        part = math.exp(u)
        excess = sum(math.log(part + gap) for gap in gaps) - goal
        step = excess / sum(part / (part + gap) for gap in gaps)
        if not step > 1e-14 * max(1.0, abs(u)):
            break
        u -= step
    return (low + math.exp(u)) * (1.0 + 1e-12)


def _from_the_end(spectra: list[tuple[float, float]], bound: float) -> list[float]:
    """Bound ``||W_j||_2**2`` for all time, starting from the last layer.

    `spectra` holds a lower bound of the least and an upper bound of the largest eigenvalue of
    every ``C_j``.
    """
    depth = len(spectra) + 1
    rises = [max(largest, 0.0) for _, largest in spectra]
    falls = [max(-least, 0.0) for least, _ in spectra]
    shifts = [sum(rises[k:]) for k in range(depth)]
    squares = [0.0] * depth
    squares[-1] = _largest_root(shifts, bound)
    for j in range(depth - 2, -1, -1):
        squares[j] = squares[j + 1] + falls[j]
    return squares


def bounds_from(spectra: list[tuple[float, float]], bound: float) -> Array:
    """Bound every layer, given the product's bound and enclosures of the extreme eigenvalues."""
    forward = _from_the_end(spectra, bound)
    mirrored = [(-largest, -least) for least, largest in reversed(spectra)]
    backward = _from_the_end(mirrored, bound)[::-1]
    return np.sqrt(np.minimum(forward, backward))


def extreme_eigenvalues(weights: Weights) -> list[tuple[float, float]]:
    """Return for every ``C_j`` a lower bound of its least and an upper bound of its largest."""
    slack = eigenvalue_slack(weights)
    values = [np.linalg.eigvalsh(c) for c in imbalance(weights)]
    return [
        (float(item[0]) - room, float(item[-1]) + room)
        for item, room in zip(values, slack, strict=True)
    ]


def norm_bounds(weights: Weights, target: Array, metric: Array) -> Array:
    """Bound ``sup_t ||W_j(t)||_2`` for the flow from these weights.

    The argument is run from the last layer and, transposed, from the first; each layer takes the
    better of the two.

    Parameters
    ----------
    weights, target, metric
        Start and problem in reduced coordinates.

    Returns
    -------
    ndarray
        One bound for each layer, in the coordinates of the flow.

    Notes
    -----
    Status: theorem (Spec 3.1), evaluated in floating point: eigenvalues are widened by a bound on
    their rounding errors and the root is rounded upwards.
    """
    error = float(np.linalg.norm(residual(weights, target, metric)))
    bound = product_bound(error, target, metric)
    return bounds_from(extreme_eigenvalues(weights), bound)
