"""Counting the signs of eigenvalues without computing them."""

import numpy as np

from thalweg._core import Array


def norm_bound(matrix: Array) -> float:
    """Return a bound on the largest absolute eigenvalue of a symmetric matrix."""
    if not matrix.size:
        return 0.0
    return float(min(np.linalg.norm(matrix), np.abs(matrix).sum(axis=1).max()))


def inertia(matrix: Array, zero: float) -> tuple[int, int, int]:
    """Count the eigenvalues below ``-zero``, between, and above ``zero``.

    Parameters
    ----------
    matrix
        Symmetric, shape ``(n, n)``.
    zero
        Non-negative; take at least the backward error of the factorization, some ``n eps ||A||``.

    Returns
    -------
    tuple of int
        ``(negative, zero, positive)``.

    Notes
    -----
    Status: theorem (Sylvester's law): the signs of ``A + zero I`` and ``A - zero I`` are those of
    the block diagonal factors of their factorizations ``L D L^T`` (Bunch-Kaufman). The shifted
    matrices are factored instead of ``A`` because a singular ``A`` has pivots made of rounding.
    """
    negative = _signs(matrix, zero)[0]
    positive = _signs(matrix, -zero)[1]
    return negative, len(matrix) - negative - positive, positive


def _signs(matrix: Array, shift: float) -> tuple[int, int]:
    """Return how many eigenvalues of ``A + shift I`` are negative and positive."""
    size = len(matrix)
    if size == 0:
        return 0, 0
    from scipy.linalg.lapack import dsytrf, dsytrf_lwork  # slow to import, rarely needed

    work = int(dsytrf_lwork(size, lower=1)[0])
    shifted = matrix + shift * np.eye(size)
    factor, pivots, _ = dsytrf(shifted.T, lower=1, lwork=work, overwrite_a=1)
    negative = positive = at = 0
    while at < size:
        wide = 2 if pivots[at] < 0 else 1
        block = factor[at : at + wide, at : at + wide]
        values = np.linalg.eigvalsh(np.tril(block) + np.tril(block, -1).T)
        negative += int(np.sum(values < 0.0))
        positive += int(np.sum(values > 0.0))
        at += wide
    return negative, positive
