"""What the integration of a large network keeps: a table of all steps, and some points on disk."""

import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg._core import Array
from thalweg.integrate._record import ROW, Table

if TYPE_CHECKING:
    import io

MOST = 32  # points between start and end that are kept
DISK = 2**30  # bytes of points on disk
FIRST = 16  # steps between two points in the beginning: writing one takes about as long as a step


class StoredPoints:
    """Packed weights at kept steps: start and end in memory, those between in a file.

    Reads like an array of shape ``(K, n)`` as far as whole rows go. The file has no name and
    vanishes with the object.
    """

    def __init__(self, start: Array) -> None:
        self._ends = [start]
        self._slots: list[int] = []
        self._file: io.FileIO | None = None
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, int]:
        """Number of points and of weights."""
        return len(self), self._ends[0].size

    def __len__(self) -> int:
        return len(self._ends) + len(self._slots)

    def __iter__(self) -> Iterator[Array]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, k: int) -> Array:
        """Return a point; start and end are not copied."""
        k = range(len(self))[k]
        if k == 0 or k > len(self._slots):
            return self._ends[min(k, 1)]
        assert self._file is not None  # noqa: S101  a slot has been written
        y = np.empty_like(self._ends[0])
        with self._lock:
            self._file.seek(self._slots[k - 1] * y.nbytes)
            self._file.readinto(y.data.cast("B"))
        return y

    def fresh(self, k: int) -> Array:
        """Return a point that the caller may overwrite."""
        y = self[k]
        return y.copy() if any(y is end for end in self._ends) else y

    def __reduce__(self) -> tuple[Any, ...]:
        return np.asarray, (np.stack(list(self)),)

    def put(self, y: Array) -> bool:
        """Write a point behind the others; say whether there was room for it on disk."""
        free = next(k for k in range(len(self._slots) + 1) if k not in self._slots)
        try:
            if self._file is None:
                import tempfile  # slow to import, and large networks only

                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            self._file.seek(free * y.nbytes)
            written = self._file.write(y.data.cast("B"))
        except OSError:
            return False
        if written == y.nbytes:
            self._slots.append(free)
        return written == y.nbytes

    def thin(self) -> None:
        """Forget every other point between start and end, the first of them among these."""
        self._slots = self._slots[1::2]

    def finish(self, y: Array) -> None:
        """Add the end."""
        self._ends.append(y)


class LargeRecord:
    """As `Record`, in bounded memory."""

    def __init__(self, row: tuple[float, float, float], y: Array) -> None:
        self._rows: list[tuple[float, ...]] = [(*row, 0.0, 0)]
        self._points = StoredPoints(y)
        self._kept: list[int] = []
        self._most = max(2, min(MOST, DISK // max(y.nbytes, 1)))
        self._every = FIRST
        self._full = False

    def add(self, row: tuple[float, ...], y: Array) -> None:
        """Note one accepted step."""
        self._rows.append(row)
        step = len(self._rows) - 1
        if step % self._every or self._full:
            return
        if len(self._kept) == self._most:
            self._every *= 2
            self._kept = self._kept[1::2]
            self._points.thin()
            if step % self._every:
                return
        if self._points.put(y):
            self._kept.append(step)
        else:
            self._full = True

    def close(self, y: Array) -> tuple[Table, Table, StoredPoints]:
        """Return all rows, the numbers of the kept ones, and the kept points; `y` is the last."""
        last = len(self._rows) - 1
        kept = [0, *self._kept]
        if kept[-1] != last:
            kept.append(last)
            self._points.finish(y)
        return np.array(self._rows, dtype=ROW), np.array(kept, dtype=np.int64), self._points
