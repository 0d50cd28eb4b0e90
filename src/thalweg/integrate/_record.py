"""What an integration keeps: every step's length, and as many points as memory allows."""

from typing import Any

import numpy as np

from thalweg._core import Array

STORE = 256 * 2**20  # bytes of points; beyond, every other one is dropped
PENDING = 64  # single steps that are gathered into a block
ROW = np.dtype(
    [("t", float), ("loss", float), ("gradient_norm", float), ("h", float), ("kind", np.int64)]
)

Table = np.ndarray[Any, Any]
"""Array of `ROW`, or of whole numbers."""


class Record:
    """Accepted steps in blocks of rows (`ROW`), and the points they lead to.

    A row tells where a step ended, and how long and of which kind the step was.
    """

    def __init__(self, row: tuple[float, float, float], y: Array) -> None:
        """Begin with a point: time, loss, gradient norm, and the weights."""
        self._rows: list[Table] = [np.array([(*row, 0.0, 0)], dtype=ROW)]
        self._points = [y.copy()[np.newaxis]]
        self._kept: list[Table] = [np.zeros(1, dtype=np.int64)]
        self._pending: list[tuple[tuple[float, ...], Array]] = []
        self._count = 0
        self._bytes = y.nbytes
        self._every = 1

    def add(self, row: tuple[float, ...], y: Array) -> None:
        """Note one accepted step."""
        self._pending.append((row, y))
        if len(self._pending) == PENDING:
            self._flush()

    def add_block(self, rows: Table, points: Array) -> None:
        """Note accepted steps, one in each row."""
        if self._pending:
            self._flush()
        index = np.arange(self._count + 1, self._count + len(rows) + 1)
        self._rows.append(rows)
        self._count += len(rows)
        if self._every > 1:
            chosen = index % self._every == 0
            index, points = index[chosen], points[chosen]
        self._kept.append(index)
        self._points.append(points)
        self._bytes += points.nbytes
        while self._bytes > STORE and len(self._points) > 1:
            self._thin()

    def _flush(self) -> None:
        rows = np.array([row for row, _ in self._pending], dtype=ROW)
        points = np.array([y for _, y in self._pending])
        self._pending = []
        self.add_block(rows, points)

    def _thin(self) -> None:
        self._every *= 2
        index: Table = np.concatenate(self._kept)
        points = np.concatenate(self._points)
        chosen = index % self._every == 0
        self._kept, self._points = [index[chosen]], [points[chosen]]
        self._bytes = self._points[0].nbytes

    def close(self, y: Array) -> tuple[Table, Table, Array]:
        """Return all rows, the numbers of the kept ones, and the kept points; `y` is the last."""
        if self._pending:
            self._flush()
        kept: Table = np.concatenate(self._kept)
        points = np.concatenate(self._points)
        if kept[-1] != self._count:
            kept, points = np.append(kept, self._count), np.concatenate([points, y[np.newaxis]])
        return np.concatenate(self._rows), kept, points
