"""Checks at the public door: what comes in is float64, finite, two-dimensional and ours."""

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._core._errors import DataError, DimensionError
from thalweg._core._types import Array

LARGEST = 1e100
"""Largest absolute value accepted: its third power is still finite."""
SMALLEST = 1e-100
"""A nonzero array must reach this in absolute value: its third power is still positive."""


def as_float_array(value: Any, name: str) -> Array:
    """Copy `value` into a C-ordered float64 array that nobody else holds.

    Real numbers of any width are accepted and widened. Everything whose conversion would lose
    something (complex, masked, dates, text, objects) is refused by name.

    Parameters
    ----------
    value
        Anything array-like.
    name
        How the error message calls it.

    Returns
    -------
    ndarray
        Float64, C order, owned by the caller.

    Raises
    ------
    DataError
        If the numbers are not real, not finite, or out of range.
    """
    raw = _as_real_array(value, name)
    _refuse_lost_digits(raw, name)
    array = np.array(raw, dtype=np.float64, order="C", copy=True)
    top = float(np.abs(array).max(initial=0.0))
    if not math.isfinite(top):
        finite = np.isfinite(array)
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        count = int(array.size - finite.sum())
        raise DataError(
            f"{name}{list(where)} is {array[where]} ({count} such entries); "
            "finite numbers are needed, drop or impute those rows"
        )
    if top > LARGEST or 0.0 < top < SMALLEST:
        raise DataError(
            f"the largest entry of {name} is {top:.3g} in absolute value; between "
            f"{SMALLEST:g} and {LARGEST:g} is needed, rescale {name} (change its unit)"
        )
    return array


def _as_real_array(value: Any, name: str) -> np.ndarray[Any, Any]:
    """Return an array of a real dtype, without conversion."""
    masked = sys.modules.get("numpy.ma")  # slow to import, and there if the value is one
    if masked is not None and isinstance(value, masked.MaskedArray):
        if masked.is_masked(value):
            raise DataError(
                f"{name} is a masked array with masked entries; fill or drop them first "
                f"(for example {name}.filled(value), or keep the complete rows)"
            )
        value = value.data
    if hasattr(value, "detach"):  # a torch tensor or nn.Parameter
        value = value.detach().cpu().numpy()
    try:
        raw = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{name} is not a rectangular array of numbers ({error}); give rows of equal length"
        ) from None
    if raw.dtype.kind not in "fiub":
        raise DataError(
            f"{name} has dtype {raw.dtype}; real numbers are needed "
            f"(float or integer), convert {name} explicitly first"
        )
    return raw


def _refuse_lost_digits(raw: np.ndarray[Any, Any], name: str) -> None:
    """Refuse numbers that float64 cannot hold."""
    if raw.dtype.kind == "f" and raw.dtype.itemsize > 8:
        narrow = raw.astype(np.float64)
        if not np.array_equal(narrow.astype(raw.dtype), raw, equal_nan=True):
            raise DataError(
                f"{name} has dtype {raw.dtype}, and float64 would lose digits; "
                f"round it yourself with {name}.astype(float)"
            )
    if raw.dtype.kind in "iu" and raw.dtype.itemsize == 8 and raw.size:
        widest = max(abs(int(raw.max())), abs(int(raw.min())))
        if widest > 2**53:
            raise DataError(
                f"{name} holds the integer {widest}, beyond 2**53, which float64 cannot hold "
                f"exactly; subtract an offset or convert {name} to float yourself"
            )


def as_matrix(value: Any, name: str) -> Array:
    """Like `as_float_array`, but two-dimensional and not empty; 1-D becomes one column.

    Raises
    ------
    DataError
        If the array is empty.
    DimensionError
        If it has another number of dimensions.
    """
    array = as_float_array(value, name)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise DimensionError(
            f"{name} has shape {array.shape}; a table with two dimensions is needed, "
            f"reshape it, for example {name}.reshape(len({name}), -1)"
        )
    if array.size == 0:
        raise DataError(f"{name} is empty (shape {array.shape}); at least one row and one column")
    return array


def as_dims(value: Any, name: str = "dims") -> tuple[int, ...]:
    """Check a sequence of layer sizes: positive integers.

    Raises
    ------
    DimensionError
        If one is not a positive integer.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        value = (value,)
    if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
        raise DimensionError(f"{name} must be a sequence of positive integers, got {value!r}")
    for item in value:
        if isinstance(item, (bool, np.bool_)) or not isinstance(item, (int, np.integer)):
            raise DimensionError(f"{name} must be positive integers, got {item!r} in {value!r}")
        if item < 1:
            raise DimensionError(f"{name} must be positive integers, got {item} in {value!r}")
    return tuple(int(item) for item in value)


def as_count(value: Any, name: str) -> int:
    """Check a positive integer.

    Raises
    ------
    DataError
        If it is anything else.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < 1:
        raise DataError(f"{name} must be a positive integer, got {value!r}")
    return int(value)


def as_weights(value: Any, dims: tuple[int, ...] | None = None, name: str = "w") -> list[Array]:
    """Copy a sequence of weight matrices ``[W_1, ..., W_L]`` and check that they chain.

    Parameters
    ----------
    value
        Sequence of arrays, ``W_j`` of shape ``(d_j, d_{j-1})``.
    dims
        Sizes ``(d_0, ..., d_L)`` that they must have; ``None`` accepts any that chain.
    name
        How the error message calls it.

    Returns
    -------
    list of ndarray
        Float64 copies.

    Raises
    ------
    DimensionError
        If the shapes do not chain or do not fit `dims`.
    """
    if isinstance(value, np.ndarray) and value.ndim != 3 and value.dtype != object:
        raise DimensionError(
            f"{name} is one array of shape {value.shape}; a list of matrices [W_1, ..., W_L] is "
            "needed"
        )
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, str):
        kind = type(value).__name__
        raise DimensionError(f"{name} is of type {kind}; a list of matrices [W_1, ...] is needed")
    weights = [as_float_array(item, f"{name}[{j}]") for j, item in enumerate(value)]
    if not weights:
        raise DimensionError(f"{name} is empty; a list of matrices [W_1, ..., W_L] is needed")
    shapes = [item.shape for item in weights]
    if any(len(shape) != 2 for shape in shapes):
        raise DimensionError(f"{name} has shapes {shapes}; every weight must be a matrix")
    for j in range(1, len(shapes)):
        if shapes[j][1] != shapes[j - 1][0]:
            raise DimensionError(
                f"{name}[{j}] has shape {shapes[j]} and {name}[{j - 1}] has {shapes[j - 1]}; "
                f"W_{j + 1} needs {shapes[j - 1][0]} columns (nn.Linear layout, rows = outputs)"
            )
    if dims is not None:
        wanted = [(dims[j + 1], dims[j]) for j in range(len(dims) - 1)]
        if shapes != wanted:
            raise DimensionError(f"{name} has shapes {shapes}; this problem needs {wanted}")
    return weights


def as_scalar(value: Any, name: str, *, low: float = -np.inf, high: float = np.inf) -> float:
    """Check a finite real number in ``[low, high]``.

    Raises
    ------
    DataError
        If it is not.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise DataError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise DataError(f"{name} must be a finite number in [{low:g}, {high:g}], got {number!r}")
    return number
