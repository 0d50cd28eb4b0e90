"""Jumping from inside the basin onto the set of global minima (Spec 3.3, 4.8)."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, Weights
from thalweg.network import prefix_products, residual, suffix_products

DENSE_LIMIT = 1500
"""Largest ``d_y k`` for which the normal equations are solved densely."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Jump:
    """Where the tail of a trajectory leads, to second order in what remains.

    Attributes
    ----------
    weights
        A point with ``P D = T_r`` to rounding.
    length
        Distance from the point jumped from.
    converged
        False if Gauss-Newton did not settle: the point jumped from is still too far.
    """

    weights: list[Array]
    length: float
    converged: bool


def best_fit(target: Array, rank: int) -> Array:
    """Return the best approximation of rank at most `rank` (Eckart-Young)."""
    if rank >= min(target.shape):
        return target
    left, values, right = np.linalg.svd(target, full_matrices=False)
    out: Array = (left[:, :rank] * values[:rank]) @ right[:rank]
    return out


def close_tail(weights: Weights, target: Array, metric: Array, rank: int) -> Jump:
    """Move along minimum-norm Gauss-Newton steps onto ``{P D = T_r}``.

    Close to the set the flow is ``y' = J^T M``, whose limit is the minimum-norm solution of
    ``J (y_inf - y) = M``; the difference to the true limit is quadratic in ``||M||``.

    Parameters
    ----------
    weights, target, metric
        Point and problem in reduced coordinates.
    rank
        Rank of the best fit that the network reaches.

    Returns
    -------
    Jump
        The predicted limit.
    """
    goal = best_fit(target, rank)
    point = [weight.copy() for weight in weights]
    sizes = [float(np.linalg.norm(weight)) for weight in weights]
    rounding = 4 * EPS * max(float(np.linalg.norm(goal)), float(np.prod(sizes) * metric.max()))
    error = residual(point, goal, metric)
    norm = float(np.linalg.norm(error))
    origin = point
    for _ in range(12):
        if norm <= rounding:
            break
        trial = _newton_step(point, error, metric)
        error_trial = residual(trial, goal, metric)
        norm_trial = float(np.linalg.norm(error_trial))
        if not np.isfinite(norm_trial) or norm_trial >= norm:
            break
        point, error, norm = trial, error_trial, norm_trial
    length = float(
        np.sqrt(sum(float(np.sum((a - b) ** 2)) for a, b in zip(point, origin, strict=True)))
    )
    return Jump(weights=point, length=length, converged=norm <= 1e3 * rounding)


def _newton_step(weights: list[Array], error: Array, metric: Array) -> list[Array]:
    """Return ``y + J^T (J J^T)^+ vec(error)``."""
    after, before = suffix_products(weights), prefix_products(weights)
    d_y = error.shape[0]
    outs, ins = [], []
    for j in range(len(weights)):
        back, front = after[j + 1], before[j]
        outs.append(np.eye(d_y) if back is None else back)
        ins.append(np.diag(metric) if front is None else front * metric)
    multiplier = _solve_normal(outs, ins, error, min(weight.shape[0] for weight in weights))
    return [
        weight + back.T @ multiplier @ front.T
        for weight, back, front in zip(weights, outs, ins, strict=True)
    ]


def _solve_normal(outs: list[Array], ins: list[Array], error: Array, bottleneck: int) -> Array:
    d_y, k = error.shape
    left = [item @ item.T for item in outs]
    right = [item.T @ item for item in ins]
    free = min(bottleneck, k)
    image = d_y * k if free >= min(d_y, k) else free * (d_y + k - free)
    if d_y * k > DENSE_LIMIT:
        return _conjugate_gradients(left, right, error)
    gram = np.zeros((d_y * k, d_y * k))
    for one, two in zip(left, right, strict=True):
        gram += np.kron(one, two)
    values, vectors = np.linalg.eigh(gram)
    keep = np.zeros(len(values), dtype=bool)
    keep[len(values) - image :] = True
    keep &= values > 1e-15 * values[-1]
    basis = vectors[:, keep]
    out: Array = (basis @ ((basis.T @ error.ravel()) / values[keep])).reshape(d_y, k)
    return out


def _conjugate_gradients(left: list[Array], right: list[Array], error: Array) -> Array:
    """Solve the normal equations without forming them; minimum-norm on singular systems."""
    solution = np.zeros_like(error)
    rest = error.copy()
    direction = rest.copy()
    square = float(np.vdot(rest, rest))
    goal = 1e-28 * square
    for _ in range(4 * error.size):
        if square <= goal:
            break
        image = sum(one @ direction @ two for one, two in zip(left, right, strict=True))
        curvature = float(np.vdot(direction, image))
        if curvature <= 0.0:
            break
        step = square / curvature
        solution += step * direction
        rest -= step * image
        fresh = float(np.vdot(rest, rest))
        direction = rest + (fresh / square) * direction
        square = fresh
    return solution
