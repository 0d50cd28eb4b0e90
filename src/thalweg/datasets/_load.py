"""Data by name or by path."""

import difflib
import functools
import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._core import DataError
from thalweg.data import read_arrays, read_table, rescale
from thalweg.datasets._dataset import Dataset

HERE = pathlib.Path(__file__).parent


@functools.cache
def _index() -> dict[str, dict[str, Any]]:
    text = (HERE / "index.json").read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def names() -> tuple[str, ...]:
    """Return the names of the bundled data sets."""
    return tuple(_index())


def load(name: str) -> Dataset:
    """Load a bundled data set.

    Parameters
    ----------
    name
        One of `names`.

    Returns
    -------
    Dataset
        Numbers as published, in their own units; labels as one-hot columns.

    Raises
    ------
    DataError
        If there is no such data set.

    Examples
    --------
    >>> import thalweg as tw
    >>> tw.datasets.load("linnerud").X.shape
    (20, 3)
    """
    if name not in _index():
        raise DataError(f"no bundled data set {name!r}; {_hint(str(name))}")
    about = _index()[name]
    arrays = read_arrays(HERE / f"{name}.npz")
    return Dataset(
        name=name,
        X=arrays["X"].astype(np.float64),
        Y=arrays["Y"].astype(np.float64),
        feature_names=tuple(_expand(about["feature_names"])),
        target_names=tuple(about["target_names"]),
        n_samples=len(arrays["X"]),
        description=about["description"],
        licence=about["licence"],
        source=about["source"],
    )


def load_data(
    name_or_path: Any,
    *,
    target: Sequence[str] = (),
    y: str | os.PathLike[str] | None = None,
    standardize: bool = False,
    center: bool = False,
    onehot: str = "never",
    progress: Callable[..., None] | None = None,
) -> Dataset:
    """Load a bundled data set by its name, or a file by its path.

    Parameters
    ----------
    name_or_path
        A name from `names`, or the path of a file that `thalweg.data.read_table` can read.
    target, y, standardize, center, onehot, progress
        See `thalweg.data.read_table`; `target` and `y` only apply to files.

    Returns
    -------
    Dataset
        Ready for `Dataset.problem`.

    Raises
    ------
    DataError
        If neither a data set nor a readable file is meant.
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        kind = type(name_or_path).__name__
        raise DataError(f"a name or a path is needed, got {kind}; {_hint('')}")
    text = os.fspath(name_or_path)
    if text in _index():
        if target or y is not None:
            raise DataError(f"{text} is bundled with its targets; leave --target and --y out")
        found = load(text)
        X, Y, notes = rescale(found.X, found.Y, standardize=standardize, center=center)
        return found if X is found.X else _replaced(found, X, Y, notes)
    path = pathlib.Path(text)
    if not path.suffix and not path.exists():
        raise DataError(f"{text!r} is neither a bundled data set nor a file; {_hint(text)}")
    table = read_table(
        path,
        target=target,
        y=y,
        standardize=standardize,
        center=center,
        onehot=onehot,
        progress=progress,
    )
    return Dataset(
        name=path.stem,
        X=table.X,
        Y=table.Y,
        feature_names=table.feature_names,
        target_names=table.target_names,
        n_samples=table.n_samples,
        description=f"table from {path.name}",
        licence="the user's",
        source=str(path),
        notes=table.notes,
    )


def _replaced(found: Dataset, X: Any, Y: Any, notes: tuple[str, ...]) -> Dataset:
    fields = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return Dataset(**(fields | {"X": X, "Y": Y, "notes": notes}))


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name, names(), n=1)
    known = ", ".join(names())
    return f"did you mean {near[0]!r}? ({known})" if near else f"bundled are {known}"


def _expand(names: list[Any]) -> list[str]:
    """Write out a pattern ``[text, rows, columns]``."""
    if len(names) == 3 and isinstance(names[1], int):
        return [names[0].format(i, j) for i in range(names[1]) for j in range(names[2])]
    return list(names)
