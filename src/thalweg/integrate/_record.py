"""What an integration keeps: every step's length, and as many points as memory allows."""

from typing import Any

import numpy as np

from thalweg._core import Array

STORE = 256 * 2**20  # bytes of points; beyond, every other one is dropped
BLOCK = 2**21  # doubles of points that memory is reserved for at once
FEWEST, MOST = 64, 1024  # rows of such a block
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
        self._size = y.size
        self._blocks = 0
        self._spare: tuple[Table, Array] | None = None
        rows, points = self.room()
        rows[0] = (*row, 0.0, 0)
        points[0] = y
        self._rows: list[Table] = [rows[:1]]
        self._points = [points[:1]]
        self._spare = rows[1:], points[1:]
        self._kept: list[Table] = [np.zeros(1, dtype=np.int64)]
        self._pending: list[tuple[tuple[float, ...], Array]] = []
        self._count = 0
        self._bytes = y.nbytes
        self._every = 1
        self._plain = True  # all rows and points stand side by side in one block

    def room(self) -> tuple[Table, Array]:
        """Return memory for rows and points, to be filled from the front and then `took`."""
        if self._spare is None or len(self._spare[0]) == 0:
            self._blocks += 1
            count = min(max(BLOCK // max(self._size, 1), FEWEST), MOST)
            self._whole = np.empty(count, dtype=ROW), np.empty((count, self._size))
            self._spare = self._whole
        return self._spare

    def took(self, count: int) -> None:
        """Note that so many rows of `room` have been filled."""
        rows, points = self.room()
        self._spare = rows[count:], points[count:]
        if count:
            self.add_block(rows[:count], points[:count])

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
        self._plain = False
        rows = np.array([row for row, _ in self._pending], dtype=ROW)
        points = np.array([y for _, y in self._pending])
        self._pending = []
        self.add_block(rows, points)

    def _thin(self) -> None:
        self._plain = False
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
        if self._plain and self._blocks == 1:
            return self._close_block()
        kept: Table = np.concatenate(self._kept)
        points = np.concatenate(self._points)
        if kept[-1] != self._count:
            kept, points = np.append(kept, self._count), np.concatenate([points, y[np.newaxis]])
        return np.concatenate(self._rows), kept, points

    def _close_block(self) -> tuple[Table, Table, Array]:
        end = self._count + 1
        rows, points = self._whole[0][:end], self._whole[1][:end]
        if 2 * len(rows) < len(self._whole[0]):  # do not hold memory that nothing is in
            rows, points = rows.copy(), points.copy()
        return rows, np.arange(len(rows)), points
