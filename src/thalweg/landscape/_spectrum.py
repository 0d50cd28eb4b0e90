"""The ends of the Hessian's spectrum at a point, densely or by Lanczos."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, Weights
from thalweg.landscape._lanczos import lanczos_ends
from thalweg.network import (
    dense_hessian,
    hessian_product,
    hessian_size,
    inertia as count_signs,
    norm_bound,
    pack,
    unpack,
)

DENSE_LIMIT = 600
"""Largest number of parameters for which all eigenvalues are computed."""
INERTIA_LIMIT = 1500
"""Largest number of parameters for which their signs are counted."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Eigenvalues of a Hessian, all of them or the two extreme ones.

    Attributes
    ----------
    values
        Ascending.
    lowest
        Unit eigenvector of the least eigenvalue, packed.
    zero
        Threshold below which an eigenvalue counts as zero.
    complete
        True if `values` holds the whole spectrum.
    inertia
        Numbers of negative, zero and positive eigenvalues; ``None`` if only the ends are known.
    """

    values: Array
    lowest: Array
    zero: float
    complete: bool
    inertia: tuple[int, int, int] | None

    @property
    def has_negative(self) -> bool:
        """Tell whether some eigenvalue is negative beyond the threshold."""
        return bool(self.values[0] < -self.zero)


def hessian_spectrum(weights: Weights, target: Array, metric: Array, floor: float) -> Spectrum:
    """Compute the spectrum of the Hessian in reduced coordinates.

    Parameters
    ----------
    weights, target, metric
        Point and problem.
    floor
        Relative threshold for zero eigenvalues; the rounding of the entries is one anyway.

    Returns
    -------
    Spectrum
        Complete up to `DENSE_LIMIT` parameters; up to `INERTIA_LIMIT` both ends by Lanczos and
        the signs by factorization; beyond, the ends alone.
    """
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    size = sum(weight.size for weight in weights)
    rounding = 16 * size * EPS * hessian_size(weights, target, metric)
    if size <= DENSE_LIMIT:
        values, vectors = np.linalg.eigh(dense_hessian(weights, target, metric))
        zero = max(floor * float(np.abs(values).max(initial=0.0)), rounding)
        negative, positive = int(np.sum(values < -zero)), int(np.sum(values > zero))
        return Spectrum(
            values=values,
            lowest=vectors[:, 0],
            zero=zero,
            complete=True,
            inertia=(negative, size - negative - positive, positive),
        )

    def product(vector: Array) -> Array:
        moved = hessian_product(weights, unpack(np.ravel(vector), dims), target, metric)
        return pack(moved)

    low, high = lanczos_ends(product, size)
    top = max(abs(low[0]), abs(high[0]))
    signs, zero = None, max(max(floor, 1e-8) * top, rounding)
    if size <= INERTIA_LIMIT:
        matrix = dense_hessian(weights, target, metric)
        zero = max(floor * top, 16 * size * EPS * norm_bound(matrix), rounding)
        signs = count_signs(matrix, zero)
    return Spectrum(
        values=np.array([low[0], high[0]]), lowest=low[1], zero=zero, complete=False, inertia=signs
    )
