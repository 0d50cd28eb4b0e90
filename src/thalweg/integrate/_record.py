"""What an integration keeps: every step's length, and as many points as memory allows."""

from typing import Any

import numpy as np

from thalweg._core import Array

STORE = 256 * 2**20  # bytes of points; beyond, every other one is dropped
BLOCK = 2**21  # doubles of points that memory is reserved for at once
FEWEST, MOST = 64, 1024  # rows of such a block
ROW = np.dtype(
    [("t", float), ("loss", float), ("gradient_norm", float), ("h", float), ("kind", np.int64)]
)

Table = np.ndarray[Any, Any]
"""Array of `ROW`, or of whole numbers."""


class Record:
    """Accepted steps in blocks of rows (`ROW`), and the points they lead to.

    A row tells where a step ended, and how long and of which kind the step was.
    """

    def __init__(self, row: tuple[float, float, float] | None, y: Array) -> None:
        """Begin with a point: time, loss, gradient norm, and the weights.

        Without a row the first that is added is that of `y`.
        """
        self._size = y.size
        self._total = 0  # of rows
        # Full blocks: their rows, the points that are kept, every how many, and the count of rows.
        # In one piece, so that Ctrl-C leaves all of it before or after a change.
        self._full: tuple[list[Table], list[Array], int, int] = [], [], 1, 0
        self._reserve()
        if row is not None:
            self.add((*row, 0.0, 0), y)

    def _reserve(self) -> None:
        count = min(max(BLOCK // max(self._size, 1), FEWEST), MOST)
        self._block = np.empty(count, dtype=ROW), np.empty((count, self._size))

    @property
    def _filled(self) -> int:
        """Rows of the block that are taken."""
        return self._total - self._full[3]

    def room(self) -> tuple[Table, Array]:
        """Return memory for rows and points, to be filled from the front and then `took`."""
        rows, points = self._block
        if self._filled == len(rows):
            self._put_away()
            self._reserve()
            rows, points = self._block
        return rows[self._filled :], points[self._filled :]

    def took(self, count: int) -> None:
        """Note that so many rows of `room` have been filled."""
        self._total += count

    def add(self, row: tuple[float, ...], y: Array) -> None:
        """Note one accepted step."""
        rows, points = self.room()
        rows[0], points[0] = row, y
        self._total += 1

    def _put_away(self) -> None:
        """Move the block to those that are full; thin out the points if they are too many."""
        rows, points = self._taken()
        before, kept, every, count = self._full
        if every > 1:
            points = points[-count % every :: every].copy()
        kept = [*kept, points]
        while sum(item.nbytes for item in kept) > STORE and len(kept) > 1:
            every *= 2
            kept = [np.concatenate(kept)[::2].copy()]
        self._full = [*before, rows], kept, every, count + len(rows)

    def _taken(self) -> tuple[Table, Array]:
        (rows, points), end = self._block, self._filled
        if 2 * end < len(rows):  # do not hold memory that nothing is in
            return rows[:end].copy(), points[:end].copy()
        return rows[:end], points[:end]

    def close(self, y: Array) -> tuple[Table, Table, Array]:
        """Return all rows, the numbers of the kept ones, and the kept points; `y` is the last."""
        if not self._full[0]:
            rows, points = self._taken()
            return rows, np.arange(len(rows)), points
        self._put_away()
        blocks, parts, every, count = self._full
        kept, points = np.arange(0, count, every), np.concatenate(parts)
        if kept[-1] != count - 1:
            kept, points = np.append(kept, count - 1), np.concatenate([points, y[np.newaxis]])
        return np.concatenate(blocks), kept, points
