"""From data to the few numbers that the flow depends on (Spec 1.3, 1.4)."""

import dataclasses

import numpy as np

from thalweg._core import Array, DataError, numerical_rank


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moments:
    """What the loss knows of the data ``X (d_x, m)``, ``Y (d_y, m)``, samples in columns.

    Attributes
    ----------
    basis
        ``U_X``, shape ``(d_x, rho)``: left singular vectors of ``X``.
    scale
        ``D``, shape ``(rho,)``: its positive singular values, non-increasing.
    target
        ``T = Y V_1``, shape ``(d_y, rho)``.
    left, sigma, right
        Singular value decomposition ``T = left @ diag(sigma) @ right``, ``right`` square.
    residual
        ``0.5 * ||Y (I - V_1 V_1^T)||_F**2``: what no weights can fit.
    input_singular_values, target_rank
        All singular values of ``X``; numerical rank of ``Y``.
    target_singular_values
        Singular values of ``Y``.
    """

    basis: Array
    scale: Array
    target: Array
    left: Array
    sigma: Array
    right: Array
    residual: float
    input_singular_values: Array
    target_singular_values: Array
    target_rank: int


def _fix_signs(left: Array, right: Array) -> tuple[Array, Array]:
    """Make the largest entry of every left vector positive, so that signs are reproducible."""
    count = min(left.shape[1], right.shape[0])
    top = np.argmax(np.abs(left[:, :count]), axis=0)
    sign = np.where(left[top, np.arange(count)] < 0, -1.0, 1.0)
    left, right = left.copy(), right.copy()
    left[:, :count] *= sign
    right[:count] *= sign[:, np.newaxis]
    return left, right


def reduce_data(x: Array, y: Array) -> Moments:
    """Reduce data with samples in columns by thin singular value decompositions.

    Parameters
    ----------
    x, y
        Shapes ``(d_x, m)`` and ``(d_y, m)``.

    Returns
    -------
    Moments
        The reduction; its cost afterwards does not depend on ``m``.

    Raises
    ------
    DataError
        If ``x`` is identically zero.
    """
    basis, scale, right = np.linalg.svd(x, full_matrices=False)
    rank = numerical_rank(scale, (x.shape[0], x.shape[1]))
    if rank == 0:
        raise DataError(
            "X is identically zero, so no weights can change the loss; give at least one feature "
            "that is not zero"
        )
    all_scales = scale
    basis, right = _fix_signs(basis, right)
    basis, scale, right = basis[:, :rank], scale[:rank], right[:rank]
    target = y @ right.T
    rest = y - target @ right
    left, sigma, mixing = np.linalg.svd(target, full_matrices=True)
    left, mixing = _fix_signs(left, mixing)
    of_y: Array = np.linalg.svd(y, compute_uv=False).astype(np.float64)
    return Moments(
        basis=np.ascontiguousarray(basis),
        scale=scale.copy(),
        target=np.ascontiguousarray(target),
        left=left,
        sigma=sigma,
        right=mixing,
        residual=0.5 * float(np.vdot(rest, rest)),
        input_singular_values=all_scales,
        target_singular_values=of_y,
        target_rank=numerical_rank(of_y, (y.shape[0], y.shape[1])),
    )
