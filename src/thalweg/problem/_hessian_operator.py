"""The Hessian of a problem's loss as an operator (Spec 4.1)."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import LinearOperator

from thalweg._core import EPS, Array, Weights, as_weights
from thalweg.network import (
    dense_hessian,
    hessian_product,
    hessian_size,
    inertia,
    norm_bound,
    pack,
    unpack,
)
from thalweg.problem._reduction import Moments


class HessianOperator(LinearOperator):  # type: ignore[misc]
    """Symmetric linear operator ``v -> (Hessian of the loss) v`` on packed weights.

    Weights are packed row by row, ``W_1`` first. ``operator @ v`` takes a flat vector of length
    ``n_parameters``; `quadratic_form` also takes a sequence shaped like the weights. This is the
    matrix of second derivatives, twice the quadratic term that the paper calls Hessian.
    """

    def __init__(
        self,
        dims: tuple[int, ...],
        product: Callable[[Weights], list[Array]],
        dense: Callable[[], Array],
        scale: float,
    ) -> None:
        size = sum(dims[j] * dims[j + 1] for j in range(len(dims) - 1))
        super().__init__(dtype=np.dtype(np.float64), shape=(size, size))
        self._dims, self._product, self._dense, self._scale = dims, product, dense, scale

    def _matvec(self, vector: Array) -> Array:
        flat = np.asarray(vector, dtype=np.float64).ravel()
        return pack(self._product(unpack(flat, self._dims)))

    def _adjoint(self) -> "HessianOperator":
        return self

    def to_dense(self) -> Array:
        """Return the symmetric ``(n, n)`` matrix; memory grows with ``n**2``."""
        return self._dense()

    def quadratic_form(self, direction: Array | Weights) -> float:
        """Return ``<v, H v>`` for a flat vector or a sequence shaped like the weights."""
        if isinstance(direction, np.ndarray) and direction.ndim == 1:
            flat = direction
        else:
            flat = pack(as_weights(direction, self._dims, "v"))
        return float(flat @ self._matvec(flat))

    def inertia(self, rtol: float | None = None) -> tuple[int, int, int]:
        """Count negative, zero and positive eigenvalues by factorizations ``L D L^T``.

        Parameters
        ----------
        rtol
            An eigenvalue counts as zero below ``rtol`` times a bound on the norm (the smaller of
            Frobenius norm and largest row sum). By default ``16 n eps``, the backward error, of
            that bound or of the terms that make up the entries, whichever is larger.

        Returns
        -------
        tuple of int
            ``(negative, zero, positive)``.
        """
        matrix = self._dense()
        norm = norm_bound(matrix)
        if rtol is not None:
            return inertia(matrix, rtol * norm)
        return inertia(matrix, 16 * len(matrix) * EPS * max(norm, self._scale))


def hessian_of(
    weights: Weights, moments: Moments, dims: tuple[int, ...], factor: float
) -> HessianOperator:
    """Build the Hessian in the data's coordinates from weights in isometric ones."""
    target, scale, basis = moments.target, moments.scale, moments.basis

    def product(direction: Weights) -> list[Array]:
        inner = [direction[0] @ basis, *direction[1:]]
        out = hessian_product(weights, inner, target, scale)
        out[0] = out[0] @ basis.T
        return [factor * item for item in out]

    def dense() -> Array:
        inner = dense_hessian(weights, target, scale)
        if basis.shape[0] == basis.shape[1] and np.array_equal(basis, np.eye(len(basis))):
            return factor * inner
        lift = np.kron(np.eye(dims[1]), basis)
        first, end = dims[1] * basis.shape[1], dims[1] * dims[0]
        size = end + len(inner) - first
        full = np.empty((size, size))
        full[:end, :end] = lift @ inner[:first, :first] @ lift.T
        full[end:, :end] = inner[first:, :first] @ lift.T
        full[:end, end:] = full[end:, :end].T
        full[end:, end:] = inner[first:, first:]
        return factor * 0.5 * (full + full.T)

    size = factor * hessian_size(weights, target, scale)
    return HessianOperator(dims, product, dense, size)
