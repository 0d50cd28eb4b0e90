"""Linear combinations of long vectors: one pass over memory, a block at a time."""

import ctypes
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy.linalg.blas import daxpy

from thalweg._core import Array
from thalweg.integrate._native import Double, Pointer, address, instruction_set, load

MOST = 4
"""Vectors that the compiled kernel takes."""
Fill = Callable[[slice], None]


class Combination:
    """``c_1 x_1 + ... + c_m x_m`` of packed vectors, at most `MOST` of them.

    The compiled core does it in one pass, BLAS without it.
    """

    def __init__(self, *terms: tuple[float, Array]) -> None:
        self._terms = [(float(c), x) for c, x in terms]
        self._library = _library()
        if self._library is not None:
            self._scales = _scales(c for c, _ in self._terms)
            self._vectors = (Pointer * len(terms))(*(address(x) for _, x in self._terms))

    def put(self, part: slice, out: Array | None) -> float:
        """Write a part of it into `out`, which has its length; return the sum of squares.

        `out` may be the same part of one of the vectors; without it nothing is written.
        """
        if self._library is not None:
            place, count = None if out is None else address(out), len(self._terms)
            begin, size = part.start, part.stop - part.start
            found = self._library.thalweg_combine(
                count, self._scales, self._vectors, begin, size, place
            )
            return float(found)
        total = _sum(self._terms, part)
        if out is not None:
            out[...] = total
        return float(total @ total)

    def into(self, out: Array) -> Fill:
        """Return what writes a part of it into that part of `out`."""

        def fill(part: slice) -> None:
            self.put(part, out[part])

        return fill


def two_into(
    vectors: tuple[Array, ...], one: tuple[Sequence[float], Array], two: tuple[Sequence[float], Array]
) -> Fill:
    """Return what writes parts of two combinations of the same `MOST` vectors.

    Each is a pair of factors and where it goes, which may be one of the vectors.
    """
    (c, first), (d, second) = one, two
    library = _library()
    if library is not None:
        scales, others = _scales(c), _scales(d)
        pointers = (Pointer * len(vectors))(*(address(x) for x in vectors))

    def fill(part: slice) -> None:
        if library is not None:
            begin, size = part.start, part.stop - part.start
            library.thalweg_combine_two(
                scales, others, pointers, begin, size, address(first[part]), address(second[part])
            )
            return
        totals = [_sum(list(zip(item, vectors, strict=True)), part) for item in (c, d)]
        first[part], second[part] = totals

    return fill


def _library() -> ctypes.CDLL | None:
    name = instruction_set()
    return None if name is None else load(name)


def _scales(values: Iterable[float]) -> ctypes.Array[Double]:
    given = tuple(values)
    return (Double * len(given))(*given)


def _sum(terms: list[tuple[float, Array]], part: slice) -> Array:
    total = np.zeros(part.stop - part.start)
    for c, x in terms:
        daxpy(x[part], total, a=c)
    return total
