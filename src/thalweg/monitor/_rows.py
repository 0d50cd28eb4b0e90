"""Rows of the table in bounded memory."""

from typing import Any

import pyarrow as pa

from thalweg.monitor._parts import PARTS

NUMBERS = (
    "value",
    "drift",
    "change",
    *PARTS,
    "lr",
    "effective_lr",
    "factor",
)
"""Columns of float64, in order."""

SCHEMA = pa.schema(
    [
        ("step", pa.int64()),
        ("law", pa.string()),
        ("kind", pa.string()),
        *((name, pa.float64()) for name in NUMBERS),
        ("passes", pa.int64()),
    ]
)


class Rows:
    """Recorded steps, each with a row for every law.

    Parameters
    ----------
    most
        Recorded steps that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._steps: list[list[dict[str, Any]]] = []

    def add(self, rows: list[dict[str, Any]]) -> bool:
        """Add a step; returns True if every second step was dropped to make room."""
        if not rows:
            return False
        self._steps.append(rows)
        if len(self._steps) <= self._most:
            return False
        self._steps = self._steps[::2]
        return True

    def flat(self) -> list[dict[str, Any]]:
        """Return all rows in the order of their arrival."""
        return [row for rows in self._steps for row in rows]


def as_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows as a table, by step."""
    ordered = sorted(rows, key=lambda row: int(row["step"]))
    return pa.Table.from_pylist(ordered, schema=SCHEMA)
