"""Gram matrices of many small matrices at once, with the matrices along the last axis.

NumPy multiplies stacks of tiny matrices one by one, which costs as much as a good part of the
integration. Here a matrix is a lane: what is computed of it does not depend on how many there are.
"""

import numpy as np

from thalweg._core import Array

FEW = 5
"""Widths up to which products are written out; the same for all starts of a problem."""


def outer_gram(stack: Array) -> Array:
    """Return ``W W^T`` of a stack ``(N, d, e)`` as ``(d, d, N)``."""
    count = len(stack)
    if max(stack.shape[1:]) > FEW:
        # BLAS is called in another way, with other bits, for a stack of one matrix.
        stack = np.repeat(stack, 2, axis=0) if len(stack) == 1 else np.ascontiguousarray(stack)
        square: Array = stack @ np.swapaxes(stack, 1, 2)
        return np.ascontiguousarray(np.moveaxis(square, 0, -1))[:, :, :count]
    return _written_out(np.ascontiguousarray(np.moveaxis(stack, 0, -1)))


def inner_gram(stack: Array) -> Array:
    """Return ``W^T W`` of a stack ``(N, d, e)`` as ``(e, e, N)``."""
    return outer_gram(np.swapaxes(stack, 1, 2))


def squared(symmetric: Array) -> Array:
    """Return ``S S`` of symmetric matrices ``(d, d, N)``."""
    if len(symmetric) > FEW:
        return outer_gram(np.moveaxis(symmetric, -1, 0))
    return _written_out(symmetric)


def frobenius_squares(lanes: Array) -> Array:
    """Return the squared Frobenius norm of each matrix ``(d, e, N)``."""
    total = np.zeros(lanes.shape[2])
    for row in lanes:
        for entry in row:  # NumPy's own sum takes another order where there is one lane
            total += entry * entry
    return total


def traces(lanes: Array) -> Array:
    """Return the trace of each matrix ``(d, d, N)``."""
    total = np.zeros(lanes.shape[2])
    for i in range(len(lanes)):
        total += lanes[i, i]
    return total


def _written_out(rows: Array) -> Array:
    size = len(rows)
    out = np.empty((size, size, rows.shape[2]))
    for i in range(size):
        part = np.zeros((size - i, rows.shape[2]))
        for k in range(rows.shape[1]):
            part += rows[i, k] * rows[i:, k]
        out[i, i:] = part
        out[i:, i] = part
    return out
