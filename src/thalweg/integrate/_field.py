"""The vector field of the flow on packed weights."""

import functools
import itertools

import numpy as np

from thalweg._core import Array
from thalweg.network import dense_hessian, hessian_product, pack, suffix_products, unpack


class Field:
    """``dW/dt = -grad`` of ``0.5 ||T - W_L ... W_1 D||_F^2`` (Spec 2.1), packed row by row.

    Parameters
    ----------
    target
        ``T``, shape ``(d_y, k)``.
    metric
        Diagonal of ``D``, shape ``(k,)``.
    dims
        Layer sizes ``(k, ..., d_y)``.
    """

    def __init__(self, target: Array, metric: Array, dims: tuple[int, ...]) -> None:
        self.target, self.metric, self.dims = target, metric, dims
        self.size = sum(a * b for a, b in itertools.pairwise(dims))

    @functools.cached_property
    def target_norm(self) -> float:
        """Frobenius norm of the target."""
        return float(np.linalg.norm(self.target))

    def rhs(self, y: Array) -> tuple[float, Array]:
        """Return the loss and ``dy/dt``."""
        weights = unpack(y, self.dims)
        after = suffix_products(weights)
        total = after[0]
        assert total is not None  # noqa: S101
        error = self.target - total * self.metric
        signal = error * self.metric
        slope = np.empty_like(y)
        for weight, back, out in zip(weights, after[1:], unpack(slope, self.dims), strict=True):
            if back is None:
                out[:] = signal
            else:
                np.matmul(back.T, signal, out=out)
                signal = signal @ weight.T
        return 0.5 * float(np.vdot(error, error)), slope

    def hessian_product(self, y: Array, v: Array) -> Array:
        """Return the Hessian of the loss at `y` times `v`."""
        weights, direction = unpack(y, self.dims), unpack(v, self.dims)
        return pack(hessian_product(weights, direction, self.target, self.metric))

    def hessian(self, y: Array) -> Array:
        """Return the dense Hessian of the loss at `y`."""
        return dense_hessian(unpack(y, self.dims), self.target, self.metric)

    def rounding(self, loss: float) -> float:
        """Return how much a loss of this size may differ by rounding alone."""
        unit = 256 * np.finfo(float).eps * self.target_norm
        return float(unit * np.sqrt(2 * loss) + unit**2)
