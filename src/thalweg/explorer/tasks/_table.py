"""The columns of a table, to choose targets from."""

from typing import Any

from thalweg._core import DataError
from thalweg.data import column_names
from thalweg.explorer.tasks._emit import Emit

MOST = 2000
"""Names of columns that are sent."""


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send the names of the columns of an upload; archives of arrays have none."""
    given = arguments.get("source")
    path = given.get("path") if isinstance(given, dict) else None
    if path is None:
        raise DataError("hand a file over first")
    names = [] if str(path).endswith(".npz") else column_names(path)
    emit("columns", columns=names[:MOST])
