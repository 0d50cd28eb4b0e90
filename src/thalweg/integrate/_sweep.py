"""The vector field of a large network by BLAS, in one pass over memory for each stage.

A stage of an explicit method is ``alpha f(y) + gamma y + sum_k c_k x_k``. Each layer's slope is a
product of ``d_y`` columns, so for narrow outputs the time goes into reading the weights rather
than into arithmetic. Hence a layer is worked on in blocks of rows that stay in the cache: the
product that carries the error on, the slope (added to by BLAS itself), and the other terms.
"""

import functools
import itertools
from collections.abc import Callable

import numpy as np
from scipy.linalg.blas import dgemm

from thalweg._core import Array
from thalweg.integrate._combine import Fill
from thalweg.integrate._field import Field
from thalweg.network import unpack

NARROW = 64  # outputs up to which a pass is bound by memory
BLOCK = 49152  # doubles of a block: with as many of the result it fits a second-level cache
Image = Callable[[Array, Array, list[Array]], None]


class Sweep:
    """Vector field, Hessian products and sums of vectors without new arrays of full size.

    Notation: ``R_j = W_L ... W_{j+1}`` and ``N_j = M D A_j^T``, both of shape ``(d_y, d_j)``; the
    slope of layer ``j`` is ``R_j^T N_{j-1}`` (Spec 2.1).
    """

    def __init__(self, field: Field) -> None:
        self.field = field
        dims, self._outputs = field.dims, field.dims[-1]
        self._narrow = self._outputs <= NARROW
        self._depth = len(dims) - 1
        self._after = [np.empty((self._outputs, size)) for size in dims[: self._depth - 1]]
        carried = dims[1 : self._depth if self._narrow else self._depth - 1]
        room = np.empty((min(2, len(carried)), self._outputs * max(carried, default=0)))
        first = self._after[0] if self._after else np.empty((self._outputs, dims[0]))
        self._signal = [first]  # R_0 is not needed any more when N_0 is there
        self._signal += [
            room[j % 2, : self._outputs * size].reshape(self._outputs, size)
            for j, size in enumerate(carried)
        ]
        self._blocks = [
            _blocks(high, max(1, BLOCK // low) if self._narrow else high)
            for low, high in itertools.pairwise(dims)
        ]

    def rhs(self, y: Array, out: Array) -> float:
        """Return the loss; ``dy/dt`` goes to `out`."""
        return self.stage(y, out, 1.0)

    def stage(
        self,
        y: Array,
        out: Array,
        alpha: float,
        before: Fill | None = None,
        after: Fill | None = None,
    ) -> float:
        """Return the loss at `y`; ``alpha f(y)`` is added to `out` or, without `before`, put there.

        `before` fills each block of `out`, a slice of packed weights, just before the slope is
        added to it in the cache; `after` sees it finished.
        """
        weights, results = unpack(y, self.field.dims), unpack(out, self.field.dims)
        loss = self._carry_error(weights)
        keep = 0.0 if before is None else 1.0
        at, last = 0, results[-1]
        rest = slice(len(y) - last.size, len(y))
        if before is not None:
            before(rest)
        for j in range(self._depth - 1):
            signal, back = self._signal[j], self._right(weights, j + 1)
            low = weights[j].shape[1]
            for rows in self._blocks[j]:
                part = slice(at + rows.start * low, at + rows.stop * low)
                if before is not None:
                    before(part)
                weight, result = weights[j][rows], results[j][rows]
                if j + 1 < len(self._signal):
                    _product(signal, weight, self._signal[j + 1][:, rows])
                else:
                    dgemm(alpha, weight.T, signal.T, keep, last.T, trans_a=1, overwrite_c=1)
                _outer(alpha, signal, back[:, rows], keep, result)
                if after is not None:
                    after(part)
            at += weights[j].size
        if len(self._signal) == self._depth:  # narrow, or a single layer
            last[...] = last + alpha * self._signal[-1] if keep else alpha * self._signal[-1]
        if after is not None:
            after(rest)
        return loss

    def linearize(self, y: Array) -> Image:
        """Return `hessian_product` at `y`, good until the next call of another method."""
        weights = unpack(y, self.field.dims)
        self._carry_error(weights)
        return functools.partial(self._hessian_product, weights)

    def _hessian_product(
        self, weights: list[Array], v: Array, out: Array, scratch: list[Array]
    ) -> None:
        """Put the Hessian of the loss times `v` into `out`, as `network.hessian_product`.

        What is small beside it goes into `scratch`, as far as there is room.
        """
        dims, depth = self.field.dims, self._depth
        spare = list(scratch)

        def room(size: int) -> Array:
            need = self._outputs * size
            for k, item in enumerate(spare):
                if item.size >= need:
                    spare[k] = item[need:]
                    return item[:need].reshape(self._outputs, size)
            return np.empty((self._outputs, size))

        ways, results = unpack(v, dims), unpack(out, dims)
        moved = [ways[-1]]  # change of R_j, then of N_j
        for j in range(depth - 2, -1, -1):
            moved.insert(0, room(dims[j]))
            _multiply(moved[1], weights[j], moved[0])
            _multiply(self._right(weights, j + 1), ways[j], moved[0], 1.0)
        change = room(dims[0])
        np.multiply(moved[0], self.field.metric**2, out=change)  # of -N_0
        for j in range(depth - 1):
            signal, back, turned = self._signal[j], self._right(weights, j + 1), moved[j + 1]
            ahead = room(dims[j + 1])
            for rows in self._blocks[j]:
                weight, way, result = weights[j][rows], ways[j][rows], results[j][rows]
                _product(change, weight, ahead[:, rows])
                ahead[:, rows] -= dgemm(1.0, way.T, signal.T, trans_a=1).T
                if j + 2 < depth:
                    _product(signal, weight, self._signal[j + 1][:, rows])
                _outer(1.0, change, back[:, rows], 0.0, result)
                _outer(-1.0, signal, turned[:, rows], 1.0, result)
            change = ahead
        results[-1][...] = change

    def _carry_error(self, weights: list[Array]) -> float:
        """Fill ``R_j`` and ``N_0`` and return the loss."""
        for j in range(self._depth - 2, -1, -1):
            _multiply(self._right(weights, j + 1), weights[j], self._after[j])
        total = self._after[0] if self._after else weights[0]
        field, signal = self.field, self._signal[0]
        np.multiply(total, field.metric, out=signal)
        np.subtract(field.target, signal, out=signal)
        loss = 0.5 * float(np.vdot(signal, signal))
        signal *= field.metric
        return loss

    def _right(self, weights: list[Array], j: int) -> Array:
        return weights[-1] if j == self._depth - 1 else self._after[j]


def _blocks(rows: int, step: int) -> list[slice]:
    return [slice(begin, min(begin + step, rows)) for begin in range(0, rows, step)]


# BLAS sees every matrix transposed; the long side comes first there, where its kernels are wide.


def _multiply(right: Array, weight: Array, out: Array, keep: float = 0.0) -> None:
    """``out = right @ weight + keep out``."""
    dgemm(1.0, weight.T, right.T, keep, out.T, overwrite_c=1)


def _product(signal: Array, weight: Array, out: Array) -> None:
    """``out = signal @ weight^T``, by a small copy where `out` is some columns of a matrix."""
    if out.flags.c_contiguous:
        dgemm(1.0, weight.T, signal.T, 0.0, out.T, trans_a=1, overwrite_c=1)
    else:
        out[...] = dgemm(1.0, weight.T, signal.T, trans_a=1).T


def _outer(factor: float, signal: Array, back: Array, keep: float, out: Array) -> None:
    """``out = factor back^T @ signal + keep out``."""
    dgemm(factor, signal.T, back.T, keep, out.T, trans_b=1, overwrite_c=1)
