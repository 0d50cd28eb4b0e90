"""Checking the tables from which a problem is built."""

from typing import Any

import numpy as np

from thalweg._core import Array, DataError, DimensionError, as_float_array, as_matrix

KEPT = 2**18
"""A table with at most so many numbers is kept: exact proofs start from it."""


def kept_tables(x: Array, y: Array) -> tuple[Array, Array] | None:
    """Return the pair with writing forbidden, or ``None`` if it is too large to keep."""
    if x.size + y.size > KEPT:
        return None
    out = np.ascontiguousarray(x), np.ascontiguousarray(y)
    for array in out:
        array.flags.writeable = False
    return out


def paired_tables(X: Any, Y: Any, samples: str) -> tuple[Array, Array]:
    """Return ``X`` and ``Y`` with samples in columns, after checking that they pair up.

    Parameters
    ----------
    X, Y
        Tables as the user gives them.
    samples
        ``"rows"`` or ``"columns"``.

    Returns
    -------
    tuple of ndarray
        Shapes ``(d_x, m)`` and ``(d_y, m)``.

    Raises
    ------
    DataError
        If `samples` is neither.
    DimensionError
        If the numbers of samples differ.
    """
    if samples not in {"rows", "columns"}:
        raise DataError(f"samples must be one of rows, columns, got {samples!r}")
    x, y = as_matrix(X, "X"), as_matrix(Y, "Y")
    if samples == "rows":
        x, y = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
    elif np.ndim(Y) == 1:
        y = np.ascontiguousarray(y.T)
    if x.shape[1] != y.shape[1]:
        hint = ""
        if x.shape[0] == y.shape[0]:
            other = "columns" if samples == "rows" else "rows"
            hint = f'; the other axis agrees, did you mean samples="{other}"?'
        raise DimensionError(
            f"X has {x.shape[1]} samples and Y has {y.shape[1]} (samples are {samples}); "
            f"they must be equal{hint}"
        )
    return x, y


def target_tables(T: Any, dims: tuple[int, ...], D: Any) -> tuple[Array, Array]:
    """Return what stands for the data when a target map is given, samples in columns.

    Parameters
    ----------
    T
        Matrix or singular values.
    dims
        Layer sizes.
    D
        ``None``, a positive diagonal, or a matrix ``(d_x, k)``.

    Returns
    -------
    tuple of ndarray
        Shapes ``(d_x, k)`` and ``(d_y, k)``.

    Raises
    ------
    DimensionError
        If shapes do not fit.
    DataError
        If the diagonal is not positive.
    """
    if len(dims) < 2:
        raise DimensionError(f"dims {dims} must have at least two entries (d_x, ..., d_y)")
    d_x, d_y = dims[0], dims[-1]
    factor = np.ones(d_x) if D is None else as_float_array(D, "D")
    if factor.ndim == 1:
        if len(factor) != d_x or factor.min(initial=np.inf) <= 0:
            raise DataError(
                f"D has {len(factor)} entries, smallest {factor.min(initial=np.inf):g}; "
                f"{d_x} positive ones are needed (one per input)"
            )
        factor = np.diag(factor)
    elif factor.ndim != 2 or factor.shape[0] != d_x:
        raise DimensionError(f"D has shape {factor.shape}; ({d_x}, k) is needed")
    target = as_float_array(T, "T")
    if target.ndim == 1:
        count = min(d_y, factor.shape[1])
        if len(target) > count:
            raise DimensionError(
                f"T lists {len(target)} singular values, but a {d_y} x {factor.shape[1]} "
                f"target has at most {count}"
            )
        matrix = np.zeros((d_y, factor.shape[1]))
        np.fill_diagonal(matrix[: len(target), : len(target)], target)
        target = matrix
    if target.shape != (d_y, factor.shape[1]):
        raise DimensionError(
            f"T has shape {target.shape}; dims {dims} need ({d_y}, {factor.shape[1]})"
        )
    return factor, target
