"""Enclosing all eigenvalues of a symmetric matrix from approximate eigenvectors.

Let ``C`` be symmetric, ``Q`` any square matrix and ``d_1 <= ... <= d_n`` any numbers. With
``E = Q^T C Q - diag(d)`` and ``F = Q^T Q - I``, if ``||F|| < 1`` then ``Q`` is invertible and

    lambda_k(C)  lies in  [d_k - ||E||, d_k + ||E||] / [1 - ||F||, 1 + ||F||].

Proof. Weyl: ``lambda_k(Q^T C Q)`` is within ``||E||`` of ``d_k``. Ostrowski: it is
``theta lambda_k(C)`` with ``theta`` between the least and the largest eigenvalue of ``Q^T Q``,
hence in ``[1 - ||F||, 1 + ||F||]``. Where ``Q`` and ``d`` come from does not matter: a wrong
eigenvector routine makes the enclosure wide, never wrong. Multiple eigenvalues do no harm.
"""

import functools

import numpy as np

from thalweg._core import Array
from thalweg.rigorous._balls import (
    Ball,
    BallMatrix,
    ball,
    diagonal,
    frobenius_bound,
    identity,
    largest,
    matrix,
    middles,
    nonnegative,
)


def eigenvalues(symmetric: BallMatrix) -> list[Ball] | None:
    """Enclose every eigenvalue, in ascending order.

    Parameters
    ----------
    symmetric
        Ball matrix of which every contained symmetric matrix is meant.

    Returns
    -------
    list of ball or None
        The k-th ball contains the k-th smallest eigenvalue; ``None`` if nothing can be proved
        (entries that are not finite, or useless approximate eigenvectors).
    """
    order = symmetric.nrows()
    if order == 0:
        return []
    centre = middles(symmetric)
    if not np.isfinite(centre).all():
        return None
    shift = _exponent(centre)
    scaled = symmetric * ball(2.0**-shift)
    try:
        vectors = np.linalg.eigh(np.ldexp(0.5 * centre + 0.5 * centre.T, -shift))[1]
    except np.linalg.LinAlgError:
        return None
    frame = matrix(vectors)
    back = frame.transpose()
    defect = frobenius_bound(back * frame - identity(order))
    if not defect < 1:
        return None
    rotated = back * scaled * frame
    # Any numbers may stand for d; the diagonal is a better choice than what eigh returns.
    values = [rotated[k, k].mid() for k in range(order)]
    error = frobenius_bound(rotated - diagonal(values))
    if not error.is_finite():
        return None
    ascending = sorted(values)  # of exact balls: a total order
    return [_widen(value, error, defect) * ball(2.0**shift) for value in ascending]


def positive_eigenvalues(symmetric: BallMatrix) -> list[Ball] | None:
    """Enclose the eigenvalues of a positive semidefinite matrix, small ones too.

    An eigenvalue far below the largest has a poor relative enclosure, but its inverse is among
    the largest of the inverse matrix. Each gets the narrower of the two balls.
    """
    direct = eigenvalues(symmetric)
    try:
        inverse = eigenvalues(symmetric.inv())
    except ZeroDivisionError:
        return direct
    if direct is None or inverse is None:
        return direct
    out = []
    for one, other in zip(direct, reversed(inverse), strict=True):
        two = 1 / other if other > 0 else one
        out.append(two if two.rad() < one.rad() else one)
    return out


def _exponent(centre: Array) -> int:
    """Return a power of two near the largest entry, within what a double can scale by."""
    top = float(np.abs(centre).max())
    return 0 if top == 0.0 else int(np.clip(np.frexp(top)[1], -500, 500))


def _widen(value: Ball, error: Ball, defect: Ball) -> Ball:
    """Return a ball around ``[(value - error), (value + error)] / [1 - defect, 1 + defect]``."""
    corners = [
        end / (1 + sign * defect) for end in (value - error, value + error) for sign in (-1, 1)
    ]
    return functools.reduce(lambda one, two: one.union(two), corners)


def singular_values(rectangular: BallMatrix) -> list[Ball] | None:
    """Enclose every singular value, largest first.

    With square ``U``, ``V`` and ``N = U^T A V - diag(s)``: the k-th singular value of ``A`` lies
    in ``[s_k - ||N||, s_k + ||N||]`` divided by the singular values of ``U`` and ``V``, which lie
    in ``[sqrt(1 - ||F||), sqrt(1 + ||F||)]`` with the defects ``F`` of orthogonality.
    """
    centre = middles(rectangular)
    count = min(centre.shape)
    if not np.isfinite(centre).all():
        return None
    try:
        left, sizes, right = np.linalg.svd(centre, full_matrices=True)
    except np.linalg.LinAlgError:
        return None
    frames = [matrix(np.ascontiguousarray(item)) for item in (left.T, right)]
    defects = [frobenius_bound(item * item.transpose() - identity(item.nrows())) for item in frames]
    if not largest(defects) < 1:
        return None
    rotated = frames[0] * rectangular * frames[1].transpose()
    for k in range(count):
        rotated[k, k] = rotated[k, k] - ball(sizes[k])
    error = frobenius_bound(rotated)
    if not error.is_finite():
        return None
    # One factor (1 +- ||F||)^(1/2) for each side, hence the geometric mean of the two.
    defect = largest(defects)
    descending = sorted((float(size) for size in sizes), reverse=True)
    return [nonnegative(_widen(ball(size), error, defect)) for size in descending]
