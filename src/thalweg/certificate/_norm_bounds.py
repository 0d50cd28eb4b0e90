"""Explicit bounds on every layer for all time (Spec 3.1)."""

import math

import numpy as np

from thalweg._core import Array, Weights
from thalweg.conserved import imbalance
from thalweg.network import residual


def product_bound(error: float, target: Array, metric: Array) -> float:
    """Bound the spectral norm of ``W_L ... W_1`` for all later times.

    The loss never increases, so ``||P D|| <= ||T|| + ||M(0)||`` for ever.
    """
    return (float(np.linalg.norm(target)) + error) / float(metric.min())


def _largest_root(shifts: list[float], bound: float) -> float:
    """Return the largest ``s`` with ``prod (s - m_k)_+ <= bound**2``, rounded upwards."""
    goal: float = 2.0 * math.log(bound) if bound > 0 else -math.inf
    low = max(shifts)

    def excess(s: float) -> float:
        total: float = -goal
        for shift in shifts:
            if s <= shift:
                return -math.inf
            total += float(math.log(s - shift))
        return total

    high = low + math.exp(
        2.0 * math.log(max(bound, 1e-300)) / len(shifts)
    )  # every factor at least the root
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in {low, high}:
            break
        if excess(middle) > 0:
            high = middle
        else:
            low = middle
    return high * (1.0 + 1e-12)


def _from_the_end(matrices: list[Array], bound: float) -> list[float]:
    """Bound ``||W_j||_2**2`` for all time, starting from the last layer."""
    depth = len(matrices) + 1
    spectra = [np.linalg.eigvalsh(c) for c in matrices]
    rises = [max(float(values[-1]), 0.0) for values in spectra]
    falls = [max(-float(values[0]), 0.0) for values in spectra]
    shifts = [sum(rises[k:]) for k in range(depth)]
    squares = [0.0] * depth
    squares[-1] = _largest_root(shifts, bound)
    for j in range(depth - 2, -1, -1):
        squares[j] = squares[j + 1] + falls[j]
    return squares


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
        One bound for each layer.

    Notes
    -----
    Status: theorem (Spec 3.1), evaluated in floating point with the root rounded upwards.
    """
    error = float(np.linalg.norm(residual(weights, target, metric)))
    bound = product_bound(error, target, metric)
    matrices = imbalance(weights)
    forward = _from_the_end(matrices, bound)
    backward = _from_the_end([-c for c in reversed(matrices)], bound)[::-1]
    return np.sqrt(np.minimum(forward, backward))
