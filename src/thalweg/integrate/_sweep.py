"""The vector field of a large network by BLAS, in one pass over memory for each stage.

A stage of an explicit method is ``alpha f(y) + gamma y + sum_k c_k x_k``. Each layer's slope is a
product of ``d_y`` columns, so for narrow outputs the time goes into reading the weights rather
than into arithmetic. Hence a layer is worked on in blocks of rows that stay in the cache: the
product that carries the error on, the slope (added to by BLAS itself), and the other terms.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.linalg.blas import daxpy, dgemm

from thalweg._core import Array
from thalweg.integrate._field import Field
from thalweg.network import unpack

NARROW = 64  # outputs up to which a pass is bound by memory
BLOCK = 32768  # doubles of a block: with as many of the result it fits a second-level cache
Terms = Sequence[tuple[float, Array]]


class Sweep:
    """Vector field, Hessian products and sums of vectors without new arrays of full size.

    Notation: ``R_j = W_L ... W_{j+1}`` and ``N_j = M D A_j^T``, both kept transposed, shape
    ``(d_j, d_y)``; the slope of layer ``j`` is ``R_j^T N_{j-1}`` (Spec 2.1).
    """

    def __init__(self, field: Field) -> None:
        self.field = field
        dims, self._outputs = field.dims, field.dims[-1]
        self._narrow = self._outputs <= NARROW
        self._depth = len(dims) - 1
        self._after = [np.empty((size, self._outputs)) for size in dims[: self._depth - 1]]
        self._signal = [self._after[0] if self._after else np.empty((dims[0], self._outputs))]
        self._signal += [np.empty((size, self._outputs)) for size in dims[1 : self._depth]]
        self._error = np.empty((dims[0], self._outputs))
        self._target = np.ascontiguousarray(field.target.T)
        self._metric = field.metric[:, np.newaxis]
        self._blocks = [
            _blocks(high, max(1, BLOCK // low) if self._narrow else high)
            for low, high in itertools.pairwise(dims)
        ]

    def rhs(self, y: Array, out: Array) -> float:
        """Return the loss; ``dy/dt`` goes to `out`."""
        return self.stage(y, out, 1.0)

    def stage(
        self, y: Array, out: Array, alpha: float, gamma: float = 0.0, terms: Terms = ()
    ) -> float:
        """Return the loss at `y`; ``alpha f(y) + gamma y + terms`` goes to `out`."""
        dims, depth = self.field.dims, self._depth
        weights, results = unpack(y, dims), unpack(out, dims)
        extra = [(c, unpack(x, dims)) for c, x in terms if c != 0.0]
        loss = self._carry_error(weights)
        for j in range(depth - 1):
            signal, back = self._signal[j], self._back(weights, j + 1)
            for rows in self._blocks[j]:
                weight, result = weights[j][rows], results[j][rows]
                _product(signal, weight, self._signal[j + 1][rows])
                dgemm(
                    *(alpha, signal.T, back[rows].T, 0.0, result.T),
                    trans_a=1,
                    overwrite_c=1,
                )
                if gamma != 0.0:
                    daxpy(weight.reshape(-1), result.reshape(-1), a=gamma)
                for c, layers in extra:
                    daxpy(layers[j][rows].reshape(-1), result.reshape(-1), a=c)
        last = results[-1]
        np.multiply(self._signal[-1].T, alpha, out=last)
        if gamma != 0.0:
            daxpy(weights[-1].reshape(-1), last.reshape(-1), a=gamma)
        for c, layers in extra:
            daxpy(layers[-1].reshape(-1), last.reshape(-1), a=c)
        return loss

    def hessian_product(self, y: Array, v: Array, out: Array) -> None:
        """Put the Hessian of the loss at `y` times `v` into `out`, as `network.hessian_product`."""
        dims, depth = self.field.dims, self._depth
        weights, ways, results = unpack(y, dims), unpack(v, dims), unpack(out, dims)
        moved = [ways[-1].T]
        for j in range(depth - 2, -1, -1):
            moved.insert(0, weights[j].T @ moved[0] + ways[j].T @ self._right(weights, j + 1))
        self._carry_error(weights)
        change = moved[0] * self._metric**2  # of -N_0, as the loss grows against the flow
        for j in range(depth - 1):
            signal, result = self._signal[j], results[j]
            back = self._back(weights, j + 1)
            dgemm(1.0, change.T, back.T, 0.0, result.T, trans_a=1, overwrite_c=1)
            turned = np.ascontiguousarray(moved[j + 1])
            dgemm(-1.0, signal.T, turned.T, 1.0, result.T, trans_a=1, overwrite_c=1)
            change = weights[j] @ change - ways[j] @ signal
            _product(signal, weights[j], self._signal[j + 1])
        results[-1][...] = change.T

    def _carry_error(self, weights: list[Array]) -> float:
        """Fill ``R_j`` and ``N_0`` and return the loss."""
        for j in range(self._depth - 2, -1, -1):
            right = self._right(weights, j + 1)
            _product_transposed(right, weights[j], self._after[j])
        total = self._after[0] if self._after else weights[0].T
        error = self._error
        np.multiply(total, self._metric, out=error)
        np.subtract(self._target, error, out=error)
        loss = 0.5 * float(np.vdot(error, error))
        np.multiply(error, self._metric, out=self._signal[0])
        return loss

    def _right(self, weights: list[Array], j: int) -> Array:
        """Return ``R_j^T``, which for the last layer is a view of the weights."""
        return weights[-1].T if j == self._depth - 1 else self._after[j]

    def _back(self, weights: list[Array], j: int) -> Array:
        """Return ``R_j^T`` with rows side by side."""
        return np.ascontiguousarray(self._right(weights, j))


def _blocks(rows: int, step: int) -> list[slice]:
    return [slice(begin, min(begin + step, rows)) for begin in range(0, rows, step)]


def _product(signal: Array, weight: Array, out: Array) -> None:
    """``out = weight @ signal``, which BLAS sees transposed."""
    dgemm(1.0, signal.T, weight.T, 0.0, out.T, overwrite_c=1)


def _product_transposed(right: Array, weight: Array, out: Array) -> None:
    """``out = weight^T @ right``."""
    if right.flags.c_contiguous:
        dgemm(1.0, right.T, weight.T, 0.0, out.T, trans_b=1, overwrite_c=1)
    else:
        dgemm(1.0, right, weight.T, 0.0, out.T, trans_a=1, trans_b=1, overwrite_c=1)


def norm_of_sum(terms: Terms, scratch: Array) -> float:
    """Return the norm of ``sum_k c_k x_k``, formed block by block in `scratch`."""
    square = 0.0
    for begin in range(0, terms[0][1].size, len(scratch)):
        part = slice(begin, begin + len(scratch))
        c, x = terms[0]
        total = scratch[: len(x[part])]
        np.multiply(x[part], c, out=total)
        for c, x in terms[1:]:
            daxpy(x[part], total, a=c)
        square += float(total @ total)
    return float(np.sqrt(square))
