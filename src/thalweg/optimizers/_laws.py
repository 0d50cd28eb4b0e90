"""Quadratic forms of weights that gradient flow conserves, and how far they have moved."""

import itertools
from typing import Protocol

import numpy as np

from thalweg._core import Array, Weights


class Law(Protocol):
    """A conserved form ``C(W)``, quadratic in the weights, with its polarization."""

    def form(self, weights: Weights) -> list[Array]:
        """Return the conserved arrays."""

    def polar(self, one: Weights, two: Weights) -> list[Array]:
        """Return ``C(U + V) - C(U) - C(V)``."""

    def sizes(self, weights: Weights, conserved: list[Array]) -> list[float]:
        """Return the scale of Spec 2.2 for each array."""

    def small_sizes(self, weights: Weights) -> list[float]:
        """Return lower bounds of `sizes` that cost no eigenvalues."""

    def norms(self, stack: Array) -> Array:
        """Return the norm of each array of a stack (first axis)."""


class MatrixLaw:
    """``C_j = W_{j+1}^T W_{j+1} - W_j W_j^T`` of a linear network (Spec 2.2; paper Lemma 1)."""

    def form(self, weights: Weights) -> list[Array]:
        """Return ``C_1, ..., C_H``."""
        return [
            after.T @ after - before @ before.T for before, after in itertools.pairwise(weights)
        ]

    def polar(self, one: Weights, two: Weights) -> list[Array]:
        """Return ``U_{j+1}^T V_{j+1} + V_{j+1}^T U_{j+1} - U_j V_j^T - V_j U_j^T``."""
        out = []
        pairs = zip(itertools.pairwise(one), itertools.pairwise(two), strict=True)
        for (before, after), (other_before, other_after) in pairs:
            half = after.T @ other_after - before @ other_before.T
            out.append(half + half.T)
        return out

    def sizes(self, weights: Weights, conserved: list[Array]) -> list[float]:
        """Return ``max(||C_j||, ||W_j||^2, ||W_{j+1}||^2)`` in spectral norm."""
        squares = [float(np.linalg.norm(weight, 2)) ** 2 for weight in weights]
        return [
            max(float(np.linalg.norm(item, 2)), squares[j], squares[j + 1])
            for j, item in enumerate(conserved)
        ]

    def small_sizes(self, weights: Weights) -> list[float]:
        """Return lower bounds of the squared norms: largest row or column, and the average."""
        least = []
        for weight in weights:
            squares = weight * weight
            rows, columns = squares.sum(axis=1), squares.sum(axis=0)
            average = rows.sum() / min(weight.shape)
            least.append(float(max(rows.max(), columns.max(), average)))
        return [max(one, two) for one, two in itertools.pairwise(least)]

    def norms(self, stack: Array) -> Array:
        """Return spectral norms of symmetric matrices."""
        return np.asarray(np.abs(np.linalg.eigvalsh(stack)).max(axis=-1), dtype=np.float64)


class DiagonalLaw:
    """``(W_2^T W_2)_ll - (W_1 W_1^T)_ll`` of a network with a homogeneous activation (Spec 6.3)."""

    def form(self, weights: Weights) -> list[Array]:
        """Return the one vector, shape ``(hidden,)``."""
        before, after = weights
        return [(after * after).sum(axis=0) - (before * before).sum(axis=1)]

    def polar(self, one: Weights, two: Weights) -> list[Array]:
        """Return twice the inner products of columns less those of rows."""
        (before, after), (other_before, other_after) = one, two
        columns, rows = (after * other_after).sum(axis=0), (before * other_before).sum(axis=1)
        return [2.0 * (columns - rows)]

    def sizes(self, weights: Weights, conserved: list[Array]) -> list[float]:
        """Return the largest of the entries and of the squared norms of rows and columns."""
        return [max(float(np.abs(conserved[0]).max()), *self.small_sizes(weights))]

    def small_sizes(self, weights: Weights) -> list[float]:
        """Return the largest squared norm of a row of ``W_1`` or a column of ``W_2``."""
        before, after = weights
        rows, columns = (before * before).sum(axis=1), (after * after).sum(axis=0)
        return [float(max(rows.max(), columns.max()))]

    def norms(self, stack: Array) -> Array:
        """Return largest absolute values."""
        return np.asarray(np.abs(stack).max(axis=-1), dtype=np.float64)
