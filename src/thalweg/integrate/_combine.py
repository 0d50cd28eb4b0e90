"""Linear combinations of long vectors: one pass over memory, a block at a time."""

import ctypes
from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg.blas import daxpy

from thalweg._core import Array
from thalweg.integrate._native import Double, Pointer, address, instruction_set, load

MOST = 4
"""Vectors in one combination."""
Fill = Callable[[slice], None]
Factors, Places = Double * MOST, Pointer * MOST


class Combination:
    """``c_1 x_1 + ... + c_m x_m`` of packed vectors, at most `MOST` of them.

    The compiled core does it in one pass, BLAS without it.
    """

    def __init__(self, *terms: tuple[float, Array]) -> None:
        self._terms, self._library = terms, _library()
        if self._library is not None:
            self._factors = Factors(*(c for c, _ in terms))
            self._places = Places(*(address(x) for _, x in terms))

    def into(self, out: Array) -> Fill:
        """Return what writes a part of it into that part of `out`, which may be one of `x`."""
        if self._library is None:

            def fill(part: slice) -> None:
                out[part] = _sum(self._terms, part)

            return fill
        combine, begin = self._library.thalweg_combine, address(out)
        known = len(self._terms), self._factors, self._places

        def fill_compiled(part: slice) -> None:
            combine(*known, part.start, part.stop - part.start, begin + 8 * part.start)

        return fill_compiled

    def squares(self, part: slice) -> float:
        """Return the sum of squares of a part of it."""
        if self._library is None:
            total = _sum(self._terms, part)
            return float(total @ total)
        count, begin, size = len(self._terms), part.start, part.stop - part.start
        found = self._library.thalweg_combine(count, self._factors, self._places, begin, size, None)
        return float(found)


def two_into(
    vectors: Sequence[Array],
    one: tuple[Sequence[float], Array],
    two: tuple[Sequence[float], Array],
) -> Fill:
    """Return what writes parts of two combinations of the same `MOST` vectors.

    Each is given by its factors and where it goes, which may be one of the vectors.
    """
    (c, first), (d, second) = one, two
    library = _library()
    if library is None:

        def fill(part: slice) -> None:
            sums = [_sum(tuple(zip(item, vectors, strict=True)), part) for item in (c, d)]
            first[part], second[part] = sums

        return fill
    scales, others = Factors(*c), Factors(*d)
    places = Places(*(address(x) for x in vectors))
    ends = address(first), address(second)

    def fill_compiled(part: slice) -> None:
        begin, size = part.start, part.stop - part.start
        goals = (end + 8 * begin for end in ends)
        library.thalweg_combine_two(scales, others, places, begin, size, *goals)

    return fill_compiled


def _library() -> ctypes.CDLL | None:
    name = instruction_set()
    return None if name is None else load(name)


def _sum(terms: Sequence[tuple[float, Array]], part: slice) -> Array:
    total = np.zeros(part.stop - part.start)
    for c, x in terms:
        daxpy(x[part], total, a=c)
    return total
