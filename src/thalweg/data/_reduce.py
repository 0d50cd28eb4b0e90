"""Reduction of a table that is read in batches (Spec 1.6)."""

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from thalweg._core import Array, DataError
from thalweg.data._batches import Source, open_source
from thalweg.data._columns import (
    is_text,
    numeric_column,
    one_hot,
    split_columns,
    whole_number_classes,
)
from thalweg.data._inert import inert
from thalweg.data._scaling import scale_columns
from thalweg.data._table import Table


@dataclasses.dataclass(frozen=True, eq=False)
class Reduction:
    """Triangular factor of ``[1, X, Y]``: everything that the flow and the loss depend on.

    Attributes
    ----------
    factor
        ``R`` with ``R^T R = [1 X Y]^T [1 X Y]``, square and upper triangular.
    n_features
        Number of columns of ``X``.
    n_samples
        Number of rows seen.
    """

    factor: Array
    n_features: int
    n_samples: int

    def table(self, *, standardize: bool, center: bool) -> tuple[Array, Array, tuple[str, ...]]:
        """Return a small ``(X, Y)`` with the same inner products, and notes.

        The rows below the first belong to the table with its column means removed, so centring
        costs nothing and loses nothing.
        """
        cut = 1 + self.n_features
        if not (standardize or center):
            return self.factor[:, 1:cut], self.factor[:, cut:], ()
        X, Y = self.factor[1:, 1:cut], self.factor[1:, cut:]
        root = np.sqrt(self.n_samples)
        size = np.linalg.norm(self.factor[:, 1:cut], axis=0) / root
        spread = np.linalg.norm(X, axis=0) / root
        X, notes = scale_columns(X, spread, size, standardize=standardize)
        return X, Y, notes


def reduce_batches(batches: Iterable[tuple[Array, Array]]) -> Reduction:
    """Reduce batches of rows by orthogonal transformations, never through ``X^T X``.

    Parameters
    ----------
    batches
        Pairs ``(X, Y)`` of arrays with the same columns throughout.

    Returns
    -------
    Reduction
        Its inner products are those of all rows together, to rounding.

    Raises
    ------
    DataError
        If a number is not finite, or there is no row at all.
    """
    factor: Array | None = None
    features = count = 0
    for X, Y in batches:
        rows = np.column_stack([np.ones(len(X)), X, Y])
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            in_x = column <= X.shape[1]
            name = f"X column {column - 1}" if in_x else f"Y column {column - 1 - X.shape[1]}"
            raise DataError(
                f"{name} is {rows[row, column]} in data row {count + row + 1}; finite numbers are "
                "needed, drop or impute those rows"
            )
        features = X.shape[1]
        count += len(X)
        stack = rows if factor is None else np.concatenate([factor, rows])
        factor = np.asarray(np.linalg.qr(stack, mode="r"), dtype=np.float64)
    if factor is None or count == 0:
        raise DataError("the table has no rows; at least one row is needed")
    square = np.zeros((factor.shape[1], factor.shape[1]))
    square[: len(factor)] = factor
    return Reduction(square, features, count)


def reduce_table(
    path: str | os.PathLike[str],
    *,
    target: Sequence[str],
    standardize: bool = False,
    center: bool = False,
    onehot: str = "never",
    progress: Callable[..., None] | None = None,
) -> Table:
    """Reduce a table on disk that need not fit in memory.

    Parameters
    ----------
    path
        ``.csv``, ``.parquet``, ``.arrow`` or ``.feather``.
    target, standardize, center, onehot, progress
        See `read_table`.

    Returns
    -------
    Table
        As many rows as columns (and one); ``n_samples`` counts the rows of the file. A `Problem`
        of it is the `Problem` of the whole file.

    Raises
    ------
    DataError
        As `read_table`.
    """
    source = open_source(pathlib.Path(path))
    where = inert(source.path.name)
    features, targets = split_columns(source.schema.names, target, where)
    classes, names, notes = _classes(source, targets, onehot)

    def batches() -> Iterable[tuple[Array, Array]]:
        done = 0
        for batch in source.batches():
            yield _numbers(batch, features, targets, classes, done)
            done += batch.num_rows
            if progress is not None:
                progress(done, source.n_rows)

    reduction = reduce_batches(batches())
    X, Y, more = reduction.table(standardize=standardize, center=center)
    return Table(
        X=X.copy(),
        Y=Y.copy(),
        feature_names=tuple(features),
        target_names=tuple(names),
        n_samples=reduction.n_samples,
        source=str(path),
        notes=(*notes, f"{reduction.n_samples} rows reduced to {len(X)}", *more),
    )


def _numbers(
    batch: Any, features: list[str], targets: list[str], classes: list[Any] | None, first: int
) -> tuple[Array, Array]:
    names = batch.schema.names

    def column(name: str) -> Any:
        return batch.column(names.index(name))

    X = [numeric_column(column(name), name, "feature", first) for name in features]
    if classes is None:
        Y = [numeric_column(column(name), name, "target", first) for name in targets]
        return np.column_stack(X), np.column_stack(Y)
    labels = column(targets[0]).to_pylist()
    if not isinstance(classes[0], str):
        labels = [int(item) for item in labels]
    return np.column_stack(X), one_hot(labels, classes)


def _classes(
    source: Source, targets: list[str], onehot: str
) -> tuple[list[Any] | None, list[str], tuple[str, ...]]:
    """Run through a single target column once to find its classes."""
    text = is_text(source.schema.field(targets[0]).type)
    if len(targets) != 1 or not (text or onehot == "auto"):
        return None, targets, ()
    seen: set[Any] = set()
    rows = 0
    for batch in source.batches():
        column = batch.column(batch.schema.names.index(targets[0]))
        if not text:
            column = numeric_column(column, targets[0], "target", rows)
        rows += len(column)
        seen |= set(column.unique().to_pylist() if text else np.unique(column).tolist())
        if len(seen) > 1000:
            break
    if text and (None in seen or len(seen) > 1000):
        what = "a missing value" if None in seen else "more than 1000 different texts"
        raise DataError(f"target column {inert(targets[0])!r} has {what}; labels are needed")
    values = sorted(seen)
    found = values if text else whole_number_classes(np.array(values * 2))
    if found is None:
        return None, targets, ()
    kind = "text" if text else "whole-number"
    note = f"{kind} target {inert(targets[0])!r} became one-hot with {len(found)} columns"
    return list(found), [inert(item) for item in found], (note,)
