"""The grid of parameters of a sweep: lists span it, everything else is one value."""

import itertools
import math
from typing import Any

import numpy as np

from thalweg._core import DataError
from thalweg.basins.plan._exact import decoded, encoded

Axes = tuple[tuple[str, tuple[Any, ...]], ...]
MOST = 10_000
"""Points of a grid."""


def grid_axes(parameters: dict[str, Any]) -> Axes:
    """Return name and values of every parameter.

    A list or a one-dimensional array is an axis of the grid; anything else, a tuple too, is a
    single value (one standard deviation for each layer is a tuple).

    Raises
    ------
    DataError
        If a list is empty, a value cannot be kept in a file, or there are too many points.
    """
    axes = []
    for name, given in parameters.items():
        listed = isinstance(given, list) or (isinstance(given, np.ndarray) and given.ndim == 1)
        values = tuple(_plain(item, name) for item in (given if listed else [given]))
        if not values:
            raise DataError(f"{name} is an empty list; give at least one value")
        axes.append((name, values))
    count = math.prod(len(values) for _, values in axes)
    if count > MOST:
        raise DataError(f"the grid has {count} points; at most {MOST} are possible")
    return tuple(axes)


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return tuple(_plain(item, name) for item in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return np.array(value, dtype=np.float64)
    raise DataError(
        f"{name} must be a number, a text, an array, or a tuple or list of these, got "
        f"{type(value).__name__}"
    )


def points(axes: Axes) -> list[dict[str, Any]]:
    """Return all combinations, the last axis the fastest."""
    names = [name for name, _ in axes]
    return [
        dict(zip(names, choice, strict=True))
        for choice in itertools.product(*(values for _, values in axes))
    ]


def shown(value: Any) -> bool | int | float | str | None:
    """Return a value as it stands in a table: itself if it is a scalar, else a text."""
    if isinstance(value, np.ndarray):
        return f"array {value.shape}: {np.array2string(value, threshold=8, precision=4)}"
    if isinstance(value, tuple):
        return ", ".join(
            f"{item:g}" if isinstance(item, float) else str(shown(item)) for item in value
        )
    return value  # type: ignore[no-any-return]


def encoded_axes(axes: Axes) -> list[Any]:
    """Return the axes as JSON types, numbers exact."""
    return [[name, [encoded(item) for item in values]] for name, values in axes]


def decoded_axes(document: list[Any]) -> Axes:
    """Undo `encoded_axes`."""
    return tuple((str(name), tuple(decoded(item) for item in values)) for name, values in document)
