"""Loss, residual and gradient in reduced coordinates.

Everywhere in this stage a problem is a pair ``(target, metric)``: ``target`` is ``T`` of shape
``(d_y, k)``, ``metric`` the positive diagonal ``D`` as a vector of length ``k``, and the loss is
``0.5 * ||T - W_L ... W_1 diag(D)||_F**2`` (Spec 1.3). Functions are pure.
"""

import numpy as np

from thalweg._core import Array, Weights
from thalweg.network._products import end_to_end, suffix_products


def residual(weights: Weights, target: Array, metric: Array) -> Array:
    """Return ``M = T - W_L ... W_1 D``, shape ``(d_y, k)`` (Spec 2.1)."""
    return target - end_to_end(weights) * metric


def loss(weights: Weights, target: Array, metric: Array) -> float:
    """Return ``0.5 * ||M||_F**2``."""
    error = residual(weights, target, metric)
    return 0.5 * float(np.vdot(error, error))


def gradient(weights: Weights, target: Array, metric: Array) -> list[Array]:
    """Return the partial derivatives ``-R_j^T M D A_{j-1}^T`` (Spec 2.1; paper Eq. 6).

    Everything is carried in matrices with ``d_y`` rows, so the cost is ``6 d_y`` operations per
    weight.
    """
    return loss_and_gradient(weights, target, metric)[1]


def loss_and_gradient(weights: Weights, target: Array, metric: Array) -> tuple[float, list[Array]]:
    """Return `loss` and `gradient` for the price of the second."""
    after = suffix_products(weights)
    total = after[0]
    assert total is not None  # noqa: S101
    excess = total * metric - target
    signal = excess * metric
    slopes = []
    for j, weight in enumerate(weights, start=1):
        back = after[j]
        slopes.append(signal.copy() if back is None else back.T @ signal)
        if back is not None:
            signal = signal @ weight.T
    return float(np.vdot(excess, excess)) / 2.0, slopes
