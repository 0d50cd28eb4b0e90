"""The one place where a rank, a gap or a zero is decided."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

EPS = float(np.finfo(np.float64).eps)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Relative thresholds; every decision that uses one reports the number it decided on.

    Attributes
    ----------
    rank
        A singular value of an ``(a, b)`` matrix counts as zero below
        ``rank * max(a, b) * eps * largest``.
    gap
        Two singular values count as tied when they differ by less than ``gap`` times the largest.
    critical
        A gradient counts as zero below ``critical`` times the natural scale of gradients.
    """

    rank: float = 4.0
    gap: float = 1e-9
    critical: float = 1e-9


DEFAULT = Tolerance()


def rank_threshold(
    singular_values: NDArray[np.float64], shape: tuple[int, int], tol: Tolerance = DEFAULT
) -> float:
    """Value below which a singular value of a matrix of this shape counts as zero."""
    largest = float(singular_values[0]) if singular_values.size else 0.0
    return tol.rank * max(shape) * EPS * largest


def numerical_rank(
    singular_values: NDArray[np.float64], shape: tuple[int, int], tol: Tolerance = DEFAULT
) -> int:
    """Count the singular values above `rank_threshold`."""
    return int(np.count_nonzero(singular_values > rank_threshold(singular_values, shape, tol)))


def lowered_least(singular_values: NDArray[np.float64]) -> float:
    """Return the least of the singular values of one matrix less a bound on its rounding error.

    That error is relative to the largest one. Ranks are decided by a wider margin, so the result
    is positive for values that count as nonzero.
    """
    slack = 2.0 * float(np.sqrt(len(singular_values))) * EPS * float(singular_values.max())
    return float(singular_values.min()) - slack
