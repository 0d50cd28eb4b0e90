"""The columns of a table, to choose targets from."""

from typing import Any

from thalweg._core import DataError
from thalweg.explorer.tasks._breadth import named_columns
from thalweg.explorer.tasks._emit import Emit


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send the names of the columns of an upload."""
    given = arguments.get("source")
    path = given.get("path") if isinstance(given, dict) else None
    if path is None:
        raise DataError("hand a file over first")
    emit("columns", columns=named_columns(path, arguments.get("limits", {})))
