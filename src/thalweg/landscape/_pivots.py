"""The pivot test that separates strict from non-strict saddles (Spec 4.3)."""

import dataclasses

import numpy as np

from thalweg._core import Array, Result, Weights

CERTAINLY_ZERO = 1e-11
"""Below this, relative to the norms of the factors, a singular value of a product is zero."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Pivot(Result):
    """One pair of layers ``i > j`` with the ranks of its two complementary products.

    Attributes
    ----------
    layers
        ``(i, j)``, counted from 1.
    rank_between
        Rank of ``B_1 = W_{i-1} ... W_{j+1}``.
    rank_around
        Rank of ``B_2 = W_{j-1} ... W_1 Sigma_XY W_L ... W_{i+1}``.
    tightened
        True if one of them equals the rank of the end-to-end map; ``None`` if a rank that
        matters has no clear gap.
    """

    layers: tuple[int, int]
    rank_between: int | None
    rank_around: int | None
    tightened: bool | None


def product_rank(matrix: Array, scale: float, clear: float = 1e-7) -> int | None:
    """Return the rank of a product whose factors' norms multiply to `scale`, or ``None``.

    ``None`` means that a singular value is neither certainly zero nor above `clear`: no gap.
    """
    if scale == 0.0:
        return 0
    values = np.linalg.svd(matrix, compute_uv=False) / scale
    if np.any((values > CERTAINLY_ZERO) & (values < clear)):
        return None
    return int(np.sum(values >= clear))


def pivots(
    weights: Weights, target: Array, metric: Array, rank: int, clear: float = 1e-7
) -> tuple[Pivot, ...]:
    """Evaluate every pivot of a critical point in reduced coordinates.

    Parameters
    ----------
    weights, target, metric
        Critical point and problem; ``Sigma_XY = D T^T``.
    rank
        Rank ``r`` of the end-to-end map.
    clear
        Singular values of products above this, relative to the norms of the factors (at least
        the natural size of weights), are not zero.

    Returns
    -------
    tuple of Pivot
        For ``i = 2..L``, ``j = 1..i-1``.

    Notes
    -----
    Status: theorem at exact ranks (Spec 4.3; Achour, Malgouyres, Gerchinovitz 2024). Leaving
    ``Sigma_XY`` out of ``B_2`` gives wrong answers.
    """
    depth = len(weights)
    natural = float(np.linalg.norm(target, 2) / np.median(metric)) ** (1.0 / depth)
    norms = [max(float(np.linalg.norm(weight, 2)), natural) for weight in weights]
    cross = metric[:, np.newaxis] * target.T
    cross_norm = float(np.linalg.norm(cross, 2))
    before: list[tuple[Array, float]] = [(cross, cross_norm)]
    for weight, norm in zip(weights, norms, strict=True):
        last, scale = before[-1]
        before.append((weight @ last, scale * norm))
    found = []
    for i in range(2, depth + 1):
        after, after_norm = np.eye(target.shape[0]), 1.0
        for weight, norm in zip(reversed(weights[i:]), reversed(norms[i:]), strict=True):
            after, after_norm = after @ weight, after_norm * norm
        between, between_norm = np.eye(weights[i - 2].shape[0]), 1.0
        for j in range(i - 1, 0, -1):
            if j < i - 1:
                between, between_norm = between @ weights[j], between_norm * norms[j]
            inner, inner_norm = before[j - 1]
            one = product_rank(between, between_norm, clear)
            two = product_rank(inner @ after, inner_norm * after_norm, clear)
            tight: bool | None = rank in {one, two}
            if not tight and (one is None or two is None):
                tight = None
            found.append(Pivot(layers=(i, j), rank_between=one, rank_around=two, tightened=tight))
    return tuple(found)
