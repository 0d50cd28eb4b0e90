"""Which columns are targets, and what their types mean."""

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._core import Array, DataError
from thalweg.data._inert import inert

MOST_CLASSES = 100
"""Distinct whole numbers up to which a target column is taken for labels."""


def split_columns(
    names: Sequence[str], target: Sequence[str], where: str
) -> tuple[list[str], list[str]]:
    """Return the feature and target columns.

    Raises
    ------
    DataError
        If no target is named, one does not exist, or no feature is left.
    """
    shown = ", ".join(inert(name, 24) for name in names[:12]) + (", ..." if len(names) > 12 else "")
    if not target:
        raise DataError(
            f"{where} needs a target; name it with --target COL[,COL], columns: {shown}"
        )
    for name in target:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {inert(near[0])!r}?" if near else f"columns: {shown}"
            raise DataError(f"{where} has no column {inert(name)!r}; {hint}")
    if len(set(target)) != len(target):
        raise DataError(f"target columns {', '.join(map(inert, target))} repeat; name each once")
    features = [name for name in names if name not in target]
    if not features:
        raise DataError(f"all columns of {where} are targets; at least one feature is needed")
    return features, list(target)


def numeric_column(column: Any, name: str, role: str, first_row: int = 0) -> Array:
    """Return an Arrow column as doubles.

    Raises
    ------
    DataError
        If it is text, dates or nested, or a value is missing; the message names the column.
    """
    import pyarrow as pa

    kind = column.type
    label = f"{role} column {inert(name)!r}"
    if is_text(kind):
        advice = "remove it, or encode it as numbers"
        raise DataError(f"{label} is text (for example {_first(column)!r}); {advice}")
    if column.null_count:
        row = first_row + int(np.flatnonzero(np.asarray(column.is_null()))[0])
        raise DataError(
            f"{label} has a missing value in data row {row + 1} ({column.null_count} in all); "
            "drop or impute those rows"
        )
    known = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    if not any(is_kind(kind) for is_kind in known):
        raise DataError(f"{label} has type {inert(kind)}; numbers are needed")
    return exact_doubles(column, label)


def exact_doubles(column: Any, label: str) -> Array:
    """Convert an Arrow column of numbers; whole numbers that doubles cannot hold are refused."""
    import pyarrow as pa

    try:
        safe = column.cast(pa.float64(), safe=not pa.types.is_decimal(column.type))
    except pa.ArrowInvalid:
        raise DataError(
            f"{label} has whole numbers beyond 2**53, which doubles cannot hold; scale the column"
        ) from None
    return np.asarray(safe, dtype=np.float64)


def is_text(kind: Any) -> bool:
    """Tell whether an Arrow type holds text."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _first(column: Any) -> str:
    """Return the first value that is no number."""
    for item in column:
        try:
            float(item.as_py() or 0.0)
        except ValueError:
            return inert(item.as_py(), 24)
    return inert(column[0].as_py(), 24) if len(column) else ""


def one_hot(labels: Any, classes: Sequence[Any]) -> Array:
    """Return a 0/1 matrix with one column for each class."""
    position = {value: i for i, value in enumerate(classes)}
    out = np.zeros((len(labels), len(classes)))
    out[np.arange(len(labels)), [position[item] for item in labels]] = 1.0
    return out


def whole_number_classes(values: Array) -> list[int] | None:
    """Return the sorted classes if whole numbers look like labels, else ``None``."""
    distinct = np.unique(values)
    whole = bool(np.all(distinct == np.round(distinct)))
    if not whole or not 2 <= len(distinct) <= min(MOST_CLASSES, max(2, len(values) // 2)):
        return None
    return [int(item) for item in distinct]
