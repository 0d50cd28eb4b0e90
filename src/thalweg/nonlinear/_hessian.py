"""Second derivatives of a shallow network as an operator; at kinks it says that there are none."""

import numpy as np
from scipy.sparse.linalg import LinearOperator

from thalweg._core import EPS, Array, Weights, as_weights
from thalweg.network import inertia, norm_bound, pack, unpack
from thalweg.nonlinear._field import ShallowField


class ShallowHessian(LinearOperator):  # type: ignore[misc]
    """Symmetric linear operator ``v -> (Hessian of the loss) v`` on packed weights.

    Weights are packed row by row, ``W_1`` first.

    Attributes
    ----------
    kinks
        Pairs ``(unit, sample)``, counted from 0, whose pre-activation is 0 where the activation
        has a kink; shape ``(count, 2)``. Without any, the loss is twice differentiable here.
    message
        The same in words.
    """

    def __init__(self, field: ShallowField, y: Array) -> None:
        super().__init__(dtype=np.dtype(np.float64), shape=(field.size, field.size))
        self._field, self._y = field, y
        z = unpack(y, field.dims)[0] @ field.x
        at = (z == 0.0) & np.any(field.x != 0.0, axis=0)
        self.kinks = np.argwhere(at) if field.inner.in_pieces else np.zeros((0, 2), dtype=int)
        if len(self.kinks):
            self.message = (
                f"{len(self.kinks)} pre-activations are on the kink, where the loss has no second "
                "derivative; this is the Hessian of the piece on their left"
            )
        else:
            self.message = "the loss is twice differentiable here"

    def _matvec(self, vector: Array) -> Array:
        flat = np.asarray(vector, dtype=np.float64).ravel()
        return self._field.hessian_product(self._y, flat)

    def _adjoint(self) -> "ShallowHessian":
        return self

    def to_dense(self) -> Array:
        """Return the symmetric ``(n, n)`` matrix."""
        return self._field.hessian(self._y)

    def quadratic_form(self, direction: Array | Weights) -> float:
        """Return ``<v, H v>`` for a flat vector or a sequence shaped like the weights."""
        if isinstance(direction, np.ndarray) and direction.ndim == 1:
            flat = direction
        else:
            flat = pack(as_weights(direction, self._field.dims, "v"))
        return float(flat @ self._matvec(flat))

    def inertia(self, rtol: float | None = None) -> tuple[int, int, int]:
        """Count negative, zero and positive eigenvalues.

        An eigenvalue counts as zero below ``rtol`` times a bound on the norm, by default
        ``16 n eps``.
        """
        matrix = self.to_dense()
        share = 16 * len(matrix) * EPS if rtol is None else rtol
        return inertia(matrix, share * norm_bound(matrix))
