"""Step sizes of gradient descent that can never raise the loss (Spec 8.3)."""

import math
from collections.abc import Callable

import numpy as np

from thalweg._core import Array, Weights
from thalweg.certificate._norm_bounds import bounds_from, extreme_eigenvalues, product_bound
from thalweg.network import residual

SHARES = (0.5, 0.75, 0.95)
"""Parts of the largest stable step ``2 / curvature`` that are tried."""


def curvature_bound(bounds: Array, error: float, metric: Array) -> float:
    """Bound the largest Hessian eigenvalue where the layers and the error are bounded.

    Parameters
    ----------
    bounds
        On the spectral norms of the layers.
    error
        On ``||M||_F``.
    metric
        ``D``.

    Returns
    -------
    float
        The largest eigenvalue of an ``L x L`` matrix of products of the bounds.

    Notes
    -----
    Status: theorem (docs/certificates.md), from ``v^T H v = ||P^1||^2 - 2 <P^2, M>`` (Spec 4.1).
    """
    norms, largest = [float(item) for item in bounds], float(metric.max())
    depth = len(norms)
    if not math.isfinite(error * largest * max(norms) ** depth):
        return math.inf
    matrix = np.zeros((depth, depth))
    without = [math.prod(norms[:j] + norms[j + 1 :]) for j in range(depth)]
    for i in range(depth):
        for j in range(i + 1):
            matrix[i, j] = largest**2 * without[i] * without[j]
            if j < i:
                both = math.prod(norms[:j] + norms[j + 1 : i] + norms[i + 1 :])
                matrix[i, j] += error * largest * both
    return float(np.linalg.eigvalsh(matrix)[-1]) * (1.0 + 1e-12)


def safe_step(weights: Weights, target: Array, metric: Array) -> float:
    r"""Bound the step sizes with which gradient descent from here never raises the loss.

    With a step ``eta_n <= eta`` each conserved matrix moves by at most ``eta_n^2 ||grad L||^2`` in
    norm (Spec 8.1), and the loss falls by at least ``eta_n (1 - theta) ||grad L||^2`` if
    ``eta <= 2 theta / Lambda``. Over all steps the matrices hence move by at most
    ``eta L(w) / (1 - theta)``, which bounds the layers at every iterate and on the segments
    between them, and so the curvature ``Lambda``.

    Parameters
    ----------
    weights, target, metric
        The point, in reduced coordinates.

    Returns
    -------
    float
        ``eta``, the best over several ``theta``; infinite where the loss is zero and flat.

    Notes
    -----
    Status: theorem (docs/certificates.md), for all later steps, in the coordinates of the flow.
    """
    error = float(np.linalg.norm(residual(weights, target, metric)))
    loss = 0.5 * error * error
    product = product_bound(error, target, metric)
    spectra = extreme_eigenvalues(weights)

    def curvature(step: float, share: float) -> float:
        drift = step * loss / (1.0 - share)
        moved = [(least - drift, largest + drift) for least, largest in spectra]
        return curvature_bound(bounds_from(moved, product), error, metric)

    return max(_largest_step(curvature, share) for share in SHARES)


def _largest_step(curvature: Callable[[float, float], float], share: float) -> float:
    """Find the largest ``eta`` with ``eta * curvature(eta) <= 2 share`` by bisection."""
    still = curvature(0.0, share)
    if still == 0.0:
        return math.inf
    low, high = 0.0, 2.0 * share / still
    for _ in range(60):
        middle = 0.5 * (low + high)
        if middle * curvature(middle, share) <= 2.0 * share * (1.0 - 1e-9):
            low = middle
        else:
            high = middle
        if high - low <= 1e-3 * high:
            break
    return low
