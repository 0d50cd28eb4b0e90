"""Centring and standardizing."""

import numpy as np

from thalweg._core import Array

CONSTANT = 1e-12
"""A column whose spread is below this part of its size is constant."""


def rescale(
    X: Array, Y: Array, *, standardize: bool = False, center: bool = False
) -> tuple[Array, Array, tuple[str, ...]]:
    """Centre features and targets, and give features unit variance.

    Parameters
    ----------
    X, Y
        Shapes ``(m, d_x)`` and ``(m, d_y)``.
    standardize
        Centre, then divide each feature by its standard deviation; constant features become 0.
        Targets are centred and keep their unit.
    center
        Subtract the mean of each feature and of each target: a linear network has no bias.

    Returns
    -------
    tuple
        New ``X`` and ``Y``, and notes: what was done, in words.
    """
    if not (standardize or center):
        return X, Y, ()
    size = np.abs(X).max(axis=0, initial=0.0)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    spread = np.sqrt(np.mean(X**2, axis=0))
    scaled, notes = scale_columns(X, spread, size, standardize=standardize)
    return scaled, Y, notes


def scale_columns(
    X: Array, spread: Array, size: Array, *, standardize: bool
) -> tuple[Array, tuple[str, ...]]:
    """Divide centred columns by their spread; constant ones become exactly 0."""
    constant = spread <= CONSTANT * size
    X = np.where(constant, 0.0, X)
    notes = ["features and targets centred"]
    if standardize:
        X = X / np.where(constant, 1.0, spread)
        notes = ["features have mean 0 and variance 1, targets are centred"]
    if constant.any():
        count = int(constant.sum())
        notes.append(f"{count} constant feature{'s are' if count > 1 else ' is'} 0 after centring")
    return X, tuple(notes)
