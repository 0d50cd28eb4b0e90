"""How far the flow can still go from a point (theory 3.3, with the constants at the point)."""

import functools
import operator

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field
from thalweg.network import suffix_products, unpack

SINGULAR = 1e-10  # of a Gram matrix: below, its least eigenvalue is not believed


def path_left(field: Field, y: Array, loss: float) -> float:
    """Return an upper bound of the way that the flow still goes, infinite where none is known.

    ``|gradient|^2 >= sigma_min(R_1)^2 sigma_min(D)^2 |M|^2``, so the way is at most
    ``|M| / (sigma_min(R_1) sigma_min(D))``, with half the square of ``sigma_min(R_1)`` to cover
    its change on a way so short.
    """
    layers = unpack(y, field.dims)
    error = np.sqrt(2 * loss) + 16 * np.finfo(float).eps * field.target_norm
    least = float(field.metric.min())
    above = _least_above(suffix_products(layers)[1])
    if not (above > 0 and least > 0):
        return np.inf
    path = float(error / (np.sqrt(0.5 * above) * least))
    sizes = [path + float(np.linalg.norm(layer)) for layer in layers[1:]]
    products = [
        functools.reduce(operator.mul, sizes[:j] + sizes[j + 1 :], 1.0) for j in range(len(sizes))
    ]
    moved = path * np.sqrt(len(sizes)) * max(products, default=0.0)
    return path if moved <= 0.29 * np.sqrt(above) else np.inf


def _least_above(above: Array | None) -> float:
    """Return a lower bound of the least eigenvalue of ``R_1 R_1^T``, 0 if that is singular."""
    if above is None:
        return 1.0
    if len(above) > above.shape[1]:
        return 0.0
    gram = above @ above.T
    try:
        np.linalg.cholesky(gram)
        trace = float(np.trace(np.linalg.inv(gram)))
    except np.linalg.LinAlgError:
        return 0.0
    return 1.0 / trace if 0 < trace * float(np.trace(gram)) < 1 / SINGULAR else 0.0
