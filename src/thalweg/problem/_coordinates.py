"""Weights between the coordinates of the data and those of the reduced problem (Spec 1.3, 1.4)."""

import dataclasses

import numpy as np

from thalweg._core import Array, Weights
from thalweg.problem._reduction import Moments


def reduced_data(moments: Moments, metric: str) -> tuple[Array, Array]:
    """Return ``(T, D)``, or ``(Sigma_Y, I)`` when whitened."""
    if metric != "whitened":
        return moments.target, moments.scale
    target = np.zeros_like(moments.target)
    np.fill_diagonal(target, moments.sigma)
    return target, np.ones(len(moments.scale))


def reduced_moments(moments: Moments, metric: str) -> Moments:
    """Return the data of the reduced problem: ``(T, D)``, or ``(Sigma_Y, I)`` when whitened."""
    target, scale = reduced_data(moments, metric)
    left, right = moments.left, moments.right
    if metric == "whitened":
        left, right = np.eye(len(left)), np.eye(len(right))
    return dataclasses.replace(
        moments,
        basis=np.eye(len(scale)),
        scale=scale,
        target=target,
        left=left,
        right=right,
        residual=0.0,
        input_singular_values=scale,
        target_singular_values=moments.sigma,
    )


def reduce_weights(weights: Weights, moments: Moments, metric: str) -> list[Array]:
    """Map weights to reduced coordinates; components against unseen inputs are left out."""
    out = [weights[0] @ moments.basis, *weights[1:]]
    if metric == "whitened":
        out[0] = (out[0] * moments.scale) @ moments.right.T
        out[-1] = moments.left.T @ out[-1]
    return out


def lift_weights(
    reduced: Weights, moments: Moments, metric: str, like: Weights | None
) -> list[Array]:
    """Undo `reduce_weights`; the unseen components of ``W_1`` come from `like` (or are zero)."""
    out = list(reduced)
    if metric == "whitened":
        out[-1] = moments.left @ out[-1]
        out[0] = (out[0] @ moments.right) / moments.scale
    basis = moments.basis
    out[0] = out[0] @ basis.T
    if like is not None and basis.shape[0] > basis.shape[1]:
        out[0] = out[0] + (like[0] - (like[0] @ basis) @ basis.T)
    return out
