"""From a path to a table."""

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._core import DataError, as_matrix
from thalweg.data._batches import FORMATS, Source, open_source, readable
from thalweg.data._columns import (
    is_text,
    numeric_column,
    one_hot,
    split_columns,
    whole_number_classes,
)
from thalweg.data._inert import inert
from thalweg.data._numpy_files import read_arrays, read_npy
from thalweg.data._reduce import reduce_table
from thalweg.data._scaling import rescale
from thalweg.data._table import Table

IN_MEMORY = 512 * 2**20
"""Bytes of doubles beyond which a table is reduced batch by batch (Spec 1.6)."""


def read_table(
    path: str | os.PathLike[str],
    *,
    target: Sequence[str] = (),
    y: str | os.PathLike[str] | None = None,
    standardize: bool = False,
    center: bool = False,
    onehot: str = "never",
    progress: Callable[..., None] | None = None,
) -> Table:
    """Read features and targets from a file.

    Parameters
    ----------
    path
        ``.npz`` with keys ``X`` and ``Y``, ``.npy`` (with `y`), ``.csv``, ``.parquet``, ``.arrow``
        or ``.feather``. Files whose table exceeds half a gigabyte are reduced batch by batch.
    target
        Names of the target columns, for formats that name columns.
    y
        The ``.npy`` file of the targets.
    standardize, center
        See `rescale`.
    onehot
        ``"auto"``: a single target column of whole numbers that look like labels becomes one-hot;
        ``"never"``: numbers stay numbers. A single text column always becomes one-hot.
    progress
        Called as ``progress(rows_done, rows_in_all or None)`` while a large file is reduced.

    Returns
    -------
    Table
        Doubles, finite.

    Raises
    ------
    DataError
        If the file, a column or a value cannot be used; one line that says which and why.
    """
    path, target = pathlib.Path(path), [target] if isinstance(target, str) else target
    if onehot not in {"auto", "never"}:
        raise DataError(f"onehot must be 'auto' or 'never', got {onehot!r}")
    kind = _known_format(path)
    if kind in FORMATS:
        source = open_source(path)
        table = None if _size(source) > IN_MEMORY else _named_columns(source, target, onehot)
        if table is None:
            return reduce_table(
                path,
                target=target,
                standardize=standardize,
                center=center,
                onehot=onehot,
                progress=progress,
            )
    else:
        if target:
            raise DataError(f"--target names columns, but {kind} files have none; leave it out")
        table = _plain_arrays(path, y, onehot)
    X, Y, notes = rescale(table.X, table.Y, standardize=standardize, center=center)
    return Table(
        X=X,
        Y=Y,
        feature_names=table.feature_names,
        target_names=table.target_names,
        n_samples=table.n_samples,
        source=str(path),
        notes=(*table.notes, *notes),
    )


def _known_format(path: pathlib.Path) -> str:
    """Return the suffix of a file that exists and may be readable."""
    kind = path.suffix.lower()
    if kind not in {".npz", ".npy", *FORMATS}:
        known = ", ".join([".npz", ".npy", *FORMATS])
        raise DataError(f"{inert(path)} has no known format; {known} can be read")
    with readable(path):
        if not path.is_file():
            why = "is a directory" if path.is_dir() else "does not exist"
            raise DataError(f"{inert(path)} {why}; give the path of a {kind} file")
    return kind


def _size(source: Source) -> int:
    """Return bytes that the columns take, as far as the file tells beforehand."""
    return 8 * (source.n_rows or 0) * len(source.schema.names)


def _named_columns(source: Source, target: Sequence[str], onehot: str) -> Table | None:
    """Return the table, or ``None`` as soon as it turns out too large for memory."""
    import pyarrow as pa

    where = inert(source.path.name)
    features, targets = split_columns(source.schema.names, target, where)
    batches, rows = [], 0
    with readable(source.path):
        for batch in source.batches():
            batches.append(batch)
            rows += batch.num_rows
            if 8 * rows * len(source.schema.names) > IN_MEMORY:
                return None
        table = pa.Table.from_batches(batches) if batches else source.schema.empty_table()
        table = table.combine_chunks()
    if table.num_rows == 0:
        raise DataError(f"{where} has a header but no rows; at least one row is needed")
    columns = {name: _column(table, name) for name in (*features, *targets)}
    X = np.column_stack([numeric_column(columns[name], name, "feature") for name in features])
    notes: tuple[str, ...] = ()
    if len(targets) == 1 and is_text(columns[targets[0]].type):
        Y, names, notes = _labels(columns[targets[0]], targets[0])
    else:
        Y = np.column_stack([numeric_column(columns[name], name, "target") for name in targets])
        Y, names, notes = _maybe_one_hot(Y, targets, onehot)
    return Table(
        X=as_matrix(X, "X"),
        Y=as_matrix(Y, "Y"),
        feature_names=tuple(features),
        target_names=tuple(names),
        n_samples=table.num_rows,
        source=str(source.path),
        notes=notes,
    )


def _column(table: Any, name: str) -> Any:
    import pyarrow as pa

    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _labels(column: Any, name: str) -> tuple[Any, list[str], tuple[str, ...]]:
    labels = column.to_pylist()
    if None in labels:
        row = labels.index(None) + 1
        raise DataError(f"target column {inert(name)!r} has a missing value in data row {row}")
    classes = sorted(set(labels))
    if len(classes) > max(2, len(labels) // 2):
        raise DataError(
            f"target column {inert(name)!r} has {len(classes)} different texts in {len(labels)} "
            "rows; labels that repeat are needed, or numbers"
        )
    note = f"text target {inert(name)!r} became one-hot with {len(classes)} columns"
    return one_hot(labels, classes), [inert(item) for item in classes], (note,)


def _maybe_one_hot(Y: Any, names: list[str], onehot: str) -> tuple[Any, list[str], tuple[str, ...]]:
    if onehot != "auto" or Y.shape[1] != 1 or not np.all(np.isfinite(Y)):
        return Y, names, ()
    classes = whole_number_classes(Y[:, 0])
    if classes is None:
        return Y, names, ()
    note = f"whole-number target {inert(names[0])!r} became one-hot with {len(classes)} columns"
    labels = [int(item) for item in Y[:, 0]]
    return one_hot(labels, classes), [str(item) for item in classes], (note,)


def _plain_arrays(path: pathlib.Path, y: str | os.PathLike[str] | None, onehot: str) -> Table:
    if path.suffix.lower() == ".npz":
        if y is not None:
            raise DataError("--y goes with a .npy file; an .npz file holds X and Y itself")
        arrays = read_arrays(path)
        if not {"X", "Y"} <= set(arrays):
            held = ", ".join(inert(name, 24) for name in list(arrays)[:8]) or "nothing"
            raise DataError(f"{inert(path.name)} holds {held}; the keys X and Y are needed")
        X, Y = arrays["X"], arrays["Y"]
    else:
        if y is None:
            raise DataError(f"{inert(path.name)} holds X; name the targets with --y Y.npy")
        if not pathlib.Path(y).is_file():
            raise DataError(f"{inert(y)} does not exist; give the .npy file of the targets")
        X, Y = read_npy(path), read_npy(pathlib.Path(y))
    notes = [
        f"{name} was {array.dtype}, widened to float64"
        for name, array in (("X", X), ("Y", Y))
        if array.dtype != np.float64
    ]
    if Y.ndim == 1:
        Y = Y[:, np.newaxis]
    X, Y = as_matrix(X, "X"), as_matrix(Y, "Y")
    if len(X) != len(Y):
        raise DataError(f"X has {len(X)} rows and Y has {len(Y)}; one row for each sample in both")
    names = [f"y{i}" for i in range(Y.shape[1])]
    Y, names, more = _maybe_one_hot(Y, names, onehot)
    return Table(
        X=X,
        Y=Y,
        feature_names=tuple(f"x{i}" for i in range(X.shape[1])),
        target_names=tuple(names),
        n_samples=len(X),
        source=str(path),
        notes=(*notes, *more),
    )
