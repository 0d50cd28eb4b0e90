"""Exact linear algebra on doubles: integers with one power of two for a whole matrix."""

import dataclasses
from fractions import Fraction


@dataclasses.dataclass(frozen=True)
class Exact:
    """The matrix ``rows / 2**shift``."""

    rows: list[list[int]]
    shift: int

    @staticmethod
    def of(values: list[list[float]]) -> "Exact":
        """Convert doubles without error."""
        ratios = [[value.as_integer_ratio() for value in row] for row in values]
        shift = max((below.bit_length() - 1 for row in ratios for _, below in row), default=0)
        return Exact([[top * (2**shift // below) for top, below in row] for row in ratios], shift)

    def __matmul__(self, other: "Exact") -> "Exact":
        columns = list(zip(*other.rows, strict=True))
        rows = [
            [sum(a * b for a, b in zip(row, column, strict=True)) for column in columns]
            for row in self.rows
        ]
        return Exact(rows, self.shift + other.shift)

    def __sub__(self, other: "Exact") -> "Exact":
        shift = max(self.shift, other.shift)
        one, two = 2 ** (shift - self.shift), 2 ** (shift - other.shift)
        rows = [
            [a * one - b * two for a, b in zip(left, right, strict=True)]
            for left, right in zip(self.rows, other.rows, strict=True)
        ]
        return Exact(rows, shift)

    @property
    def transposed(self) -> "Exact":
        """The transpose."""
        return Exact([list(column) for column in zip(*self.rows, strict=True)], self.shift)


def bordered(square: Exact, border: Exact, corner: Fraction) -> list[list[int]]:
    """Return ``[[S, B^T], [B, corner I]]`` times a positive number, in integers."""
    size, extra = len(square.rows), len(border.rows)
    full = square.rows + border.rows
    shifts = [square.shift] * size + [border.shift] * extra
    top = max(square.shift, border.shift)
    below = corner.denominator
    out = [[0] * (size + extra) for _ in range(size + extra)]
    for i, row in enumerate(full):
        for k, value in enumerate(row):
            out[i][k] = value * 2 ** (top - shifts[i]) * below
            out[k][i] = out[i][k]
    for i in range(size, size + extra):
        out[i][i] = corner.numerator * 2**top
    return out


def shifted(symmetric: Exact, by: Fraction) -> list[list[int]]:
    """Return ``A - by I`` times a positive number, in integers."""
    below = by.denominator
    out = [[value * below for value in row] for row in symmetric.rows]
    for i, row in enumerate(out):
        row[i] -= by.numerator * 2**symmetric.shift
    return out


def _eliminate(matrix: list[list[int]], k: int, before: int) -> None:
    """One fraction-free step (Bareiss) with the pivot ``matrix[k][k]``, symmetric."""
    pivot = matrix[k][k]
    lead = [matrix[i][k] for i in range(len(matrix))]
    for i in range(k + 1, len(matrix)):
        row, a = matrix[i], lead[i]
        for j in range(k + 1, i + 1):
            row[j] = (row[j] * pivot - a * lead[j]) // before
            matrix[j][i] = row[j]


def inertia(matrix: list[list[int]]) -> tuple[int, int, int]:
    """Count negative, zero and positive eigenvalues of a symmetric integer matrix, exactly.

    Congruences keep the signs (Sylvester), and the pivots of an elimination are the diagonal.
    The matrix is used up.
    """
    order, before, negative, positive = len(matrix), 1, 0, 0
    for k in range(order):
        if not _bring_pivot(matrix, k):
            return negative, order - k, positive
        pivot = matrix[k][k]
        # The diagonal entry is the quotient of two successive fraction-free pivots.
        if (pivot > 0) == (before > 0):
            positive += 1
        else:
            negative += 1
        _eliminate(matrix, k, before)
        before = pivot
    return negative, 0, positive


def _bring_pivot(matrix: list[list[int]], k: int) -> bool:
    """Make ``matrix[k][k]`` nonzero by a congruence; ``False`` if all that is left is zero."""
    order = len(matrix)
    at = next((i for i in range(k, order) if matrix[i][i]), None)
    if at is None:
        pair = next(((i, j) for i in range(k, order) for j in range(k, i) if matrix[i][j]), None)
        if pair is None:
            return False
        at, other = pair
        for j in range(order):
            matrix[at][j] += matrix[other][j]
        for i in range(order):
            matrix[i][at] += matrix[i][other]
    if at != k:
        matrix[k], matrix[at] = matrix[at], matrix[k]
        for row in matrix:
            row[k], row[at] = row[at], row[k]
    return True


def trace_of_fit(square: Exact, border: Exact) -> Fraction | None:
    """Return ``tr(B S^-1 B^T)``; ``None`` unless S is positive definite."""
    size = len(square.rows)
    matrix, before = bordered(square, border, Fraction(0)), 1
    for k in range(size):
        if matrix[k][k] <= 0:
            return None
        pivot = matrix[k][k]
        _eliminate(matrix, k, before)
        before = pivot
    total = -sum(matrix[i][i] for i in range(size, len(matrix)))
    return Fraction(total, before * 2 ** max(square.shift, border.shift))


def rank(matrix: Exact) -> int:
    """Return the rank, exactly."""
    rows = [list(row) for row in matrix.rows]
    found, before = 0, 1
    for column in range(len(rows[0]) if rows else 0):
        at = next((i for i in range(found, len(rows)) if rows[i][column]), None)
        if at is None:
            continue
        rows[found], rows[at] = rows[at], rows[found]
        lead = rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][column]
            rows[i] = [
                (a * lead[column] - factor * b) // before
                for a, b in zip(rows[i], lead, strict=True)
            ]
        before = lead[column]
        found += 1
    return found
