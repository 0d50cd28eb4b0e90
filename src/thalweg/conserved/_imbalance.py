"""The matrices that gradient flow conserves (Spec 2.2; paper Lemma 1)."""

import itertools
from typing import Any

import numpy as np

from thalweg._core import Array, Weights, as_weights


def invariants(w: Any) -> list[Array]:
    r"""Return the conserved matrices :math:`C_j = W_{j+1}^T W_{j+1} - W_j W_j^T`, j = 1..H.

    Along the gradient flow of a linear network each of them is constant, on any data, in the
    coordinates in which the flow is a Euclidean gradient flow: those of the data for
    ``metric="raw"``, those of ``problem.reduce(w)`` for ``metric="whitened"``.

    Parameters
    ----------
    w
        Weights ``[W_1, ..., W_L]``, ``W_j`` of shape ``(d_j, d_{j-1})``.

    Returns
    -------
    list of ndarray
        ``H = L - 1`` symmetric matrices, the j-th of shape ``(d_j, d_j)``.

    Raises
    ------
    DimensionError
        If the shapes do not chain.

    Notes
    -----
    Status: theorem, any depth (Spec 2.2; paper Lemma 1, Eq. 7).
    """
    return imbalance(as_weights(w))


def imbalance(weights: Weights) -> list[Array]:
    """`invariants` without checks; also for stacks of weights with leading axes."""
    return [
        np.swapaxes(after, -1, -2) @ after - before @ np.swapaxes(before, -1, -2)
        for before, after in itertools.pairwise(weights)
    ]


def drift_scales(weights: Weights) -> list[float]:
    """Return ``max(||C_j||, ||W_j||^2, ||W_{j+1}||^2)`` in spectral norm (Spec 2.2)."""
    squares = [float(np.linalg.norm(weight, 2)) ** 2 for weight in weights]
    return [
        max(float(np.linalg.norm(c, 2)), squares[j], squares[j + 1])
        for j, c in enumerate(imbalance(weights))
    ]


def drift(weights: Weights, start: Weights) -> float:
    """Return the largest relative change of any ``C_j`` between two sets of weights.

    Relative to `drift_scales` of the start; a start that is zero is measured absolutely.
    """
    worst = 0.0
    pairs = zip(imbalance(weights), imbalance(start), drift_scales(start), strict=True)
    for now, then, scale in pairs:
        change = float(np.linalg.norm(now - then, 2))
        worst = max(worst, change / scale if scale > 0 else change)
    return worst
