"""What the integration of a large network keeps: a table of all steps, and some points on disk."""

import itertools
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
        self._points: list[Array | int] = [start]  # or where they are in the file
        self._size = start.size
        self._file: io.FileIO | None = None
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, int]:
        """Number of points and of weights."""
        return len(self), self._size

    def __len__(self) -> int:
        return len(self._points)

    def __iter__(self) -> Iterator[Array]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, k: int) -> Array:
        """Return a point; those in memory are not copied."""
        item = self._points[k]
        if isinstance(item, np.ndarray):
            return item
        assert self._file is not None  # noqa: S101  it has been written
        y = np.empty(self._size)
        with self._lock:
            self._file.seek(item * y.nbytes)
            self._file.readinto(y.data.cast("B"))
        return y

    def fresh(self, k: int) -> Array:
        """Return a point that the caller may overwrite."""
        y = self[k]
        return y.copy() if any(y is item for item in self._points) else y

    def __reduce__(self) -> tuple[Any, ...]:
        return np.asarray, (np.stack(list(self)),)

    def put(self, y: Array) -> bool:
        """Write a point behind the others; say whether there was room for it on disk."""
        place = self._write(y)
        if place is not None:
            self._points.append(place)
        return place is not None

    def release(self, k: int) -> None:
        """Move a point from memory into the file if there is room on disk."""
        y = self._points[k]
        if isinstance(y, np.ndarray):
            place = self._write(y)
            self._points[k] = y if place is None else place

    def _write(self, y: Array) -> int | None:
        used = {item for item in self._points if isinstance(item, int)}
        free = next(k for k in itertools.count() if k not in used)
        try:
            if self._file is None:
                import tempfile  # slow to import, and large networks only

                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            with self._lock:
                self._file.seek(free * y.nbytes)
                written = self._file.write(y.data.cast("B"))
        except OSError:
            return None
        return free if written == y.nbytes else None

    def thin(self) -> None:
        """Forget every other point behind the start, the first of them among these."""
        self._points[1:] = self._points[2::2]

    def finish(self, y: Array) -> None:
        """Add the end."""
        self._points.append(y)


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
