"""How many columns a table may have: what follows costs their square."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thalweg._core import DataError
from thalweg.data import column_names

MOST = 2000
"""Columns, where no other bound is given."""
QUOTED = re.compile(rb'"[^"]*"')


def named_columns(path: str | Path, bounds: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns of an upload; archives of arrays have none.

    Raises
    ------
    DataError
        If there are too many, or the file cannot be read.
    """
    file = Path(path)
    if file.suffix == ".npz":
        return []
    if file.suffix == ".csv":
        # A reader looks at every column: the first line alone says whether they are too many.
        with file.open("rb") as content:
            first = QUOTED.sub(b"", content.readline())
        check_columns(1 + max(first.count(mark) for mark in (b",", b";", b"\t")), bounds)
    names = column_names(file)
    check_columns(len(names), bounds)
    return names


def check_columns(count: int, bounds: Mapping[str, Any]) -> None:
    """Refuse a table that is too wide.

    Raises
    ------
    DataError
        If it is.
    """
    most = int(bounds.get("columns", MOST))
    if count > most:
        raise DataError(
            f"the table has {count} columns; at most {most} are allowed here: leave some out, or "
            "use Python"
        )
