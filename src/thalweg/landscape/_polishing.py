"""From a nearly critical point to the critical point next to it (Spec 4.8)."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, Weights
from thalweg.landscape._spectrum import DENSE_LIMIT
from thalweg.network import dense_hessian, gradient, hessian_product, pack, unpack


@dataclasses.dataclass(frozen=True, kw_only=True)
class Polished:
    """A critical point near a given one.

    Attributes
    ----------
    weights, moved
        The point and its distance from the given one.
    gradient_before, gradient_after
        Gradient norms.
    unstable
        Size of the given point's displacement along directions of negative curvature, or of the
        whole displacement where there is none; ``None`` if not computed.
    escape_rate
        Largest rate at which a displacement grows there.
    """

    weights: list[Array]
    moved: float
    gradient_before: float
    gradient_after: float
    unstable: float
    escape_rate: float


def polish_reduced(weights: Weights, target: Array, metric: Array) -> Polished:
    """Apply least-norm Newton steps to ``grad = 0``, ignoring near-null directions.

    Parameters
    ----------
    weights, target, metric
        Point and problem in reduced coordinates.

    Returns
    -------
    Polished
        The critical point; equal to the input if that is critical exactly.
    """
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    start = pack(weights)

    def slope(flat: Array) -> Array:
        return pack(gradient(unpack(flat, dims), target, metric))

    point, step = start.copy(), slope(start)
    before = float(np.linalg.norm(step))
    norm = before
    for _ in range(8):
        if norm == 0.0:
            break
        trial = point - _least_norm(unpack(point, dims), step, (target, metric))
        fresh = slope(trial)
        if not np.linalg.norm(fresh) < norm:
            break
        point, step, norm = trial, fresh, float(np.linalg.norm(fresh))
    final = unpack(point, dims)
    gap = start - point
    unstable, rate = _instability(final, gap, (target, metric))
    return Polished(
        weights=[item.copy() for item in final],
        moved=float(np.linalg.norm(gap)),
        gradient_before=before,
        gradient_after=norm,
        unstable=unstable,
        escape_rate=rate,
    )


def _least_norm(weights: Weights, slope: Array, problem: tuple[Array, Array]) -> Array:
    """Return the minimum-norm solution of ``H step = slope`` on the well-determined part."""
    if len(slope) <= DENSE_LIMIT:
        values, vectors = np.linalg.eigh(dense_hessian(weights, *problem))
        keep = np.abs(values) > 1e-6 * np.abs(values).max(initial=0.0)
        basis = vectors[:, keep]
        out: Array = basis @ ((basis.T @ slope) / values[keep])
        return out
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    from scipy.sparse.linalg import LinearOperator, minres  # slow to import, rarely needed

    operator = LinearOperator(
        (len(slope), len(slope)),
        matvec=lambda v: pack(hessian_product(weights, unpack(np.ravel(v), dims), *problem)),
        dtype=np.float64,
    )
    solution: Array = minres(operator, slope, rtol=1e-10, maxiter=500)[0]
    return solution


def _instability(weights: Weights, gap: Array, problem: tuple[Array, Array]) -> tuple[float, float]:
    whole = float(np.linalg.norm(gap))
    if len(gap) > DENSE_LIMIT or whole == 0.0:
        return whole, 0.0
    values, vectors = np.linalg.eigh(dense_hessian(weights, *problem))
    negative = values < -64 * len(values) * EPS * np.abs(values).max(initial=0.0)
    if not negative.any():
        return whole, 0.0
    return float(np.linalg.norm(vectors[:, negative].T @ gap)), -float(values[0])
