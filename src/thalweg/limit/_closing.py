"""Jumping from inside the basin onto the set of global minima (Spec 3.3, 4.8)."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from thalweg._core import EPS, Array, Weights
from thalweg.integrate import land
from thalweg.network import prefix_products, residual, suffix_products

DENSE_LIMIT = 1500
"""Largest ``d_y k`` for which the normal equations are solved densely."""

FLOPS, FEWEST = 5e10, 200
"""Operations for one Gauss-Newton step beyond that size, and iterations granted in any case."""


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
    landed = land(weights, goal, metric) if rank >= min(target.shape) else None
    if landed is not None:
        return Jump(weights=landed, length=_apart(landed, weights), converged=True)
    point = list(weights)
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
    length = _apart(point, origin)
    if point is origin:
        point = [weight.copy() for weight in weights]
    return Jump(weights=point, length=length, converged=norm <= 1e3 * rounding)


def _apart(one: Weights, two: Weights) -> float:
    return math.sqrt(sum(float(np.sum((a - b) ** 2)) for a, b in zip(one, two, strict=True)))


def _newton_step(weights: list[Array], error: Array, metric: Array) -> list[Array]:
    """Return ``y + J^T (J J^T)^+ vec(error)``."""
    outs, before = suffix_products(weights)[1:], prefix_products(weights)[:-1]
    multiplier = _solve_normal(outs, before, metric, error)
    scaled = multiplier * metric
    new = []
    for weight, back, front in zip(weights, outs, before, strict=True):
        move = scaled if back is None else back.T @ scaled
        move = move + weight if front is None else move @ front.T + weight
        new.append(move)
    return new


def _solve_normal(
    outs: list[Array | None], before: list[Array | None], metric: Array, error: Array
) -> Array:
    """Solve ``sum_j L_j X R_j = error`` with ``L_j = B_j B_j^T``, ``R_j = D A_j^T A_j D``.

    Where a product of layers is ``None`` it is the unit matrix.
    """
    d_y, k = error.shape
    left = [np.eye(d_y) if item is None else item @ item.T for item in outs]
    right = [metric**2 if front is None else _gram(front, metric) for front in before]
    if d_y * k > DENSE_LIMIT:
        return _conjugate_gradients(left, right, error)
    free = min(k, *(d_y if item is None else item.shape[1] for item in outs))
    image = d_y * k if free >= min(d_y, k) else free * (d_y + k - free)
    gram = np.zeros((d_y * k, d_y * k))
    for one, two in zip(left, right, strict=True):
        gram += np.kron(one, np.diag(two) if two.ndim == 1 else two)
    values, vectors = np.linalg.eigh(gram)
    keep = np.zeros(len(values), dtype=bool)
    keep[len(values) - image :] = True
    keep &= values > 1e-15 * values[-1]
    basis = vectors[:, keep]
    out: Array = (basis @ ((basis.T @ error.ravel()) / values[keep])).reshape(d_y, k)
    return out


def _gram(front: Array, metric: Array) -> Array:
    out: Array = front.T @ front
    out *= metric
    out *= metric[:, np.newaxis]
    return out


def _conjugate_gradients(left: list[Array], right: list[Array], error: Array) -> Array:
    """Solve the normal equations without forming them.

    The terms of the first and the last layer together are inverted exactly, as a preconditioner;
    what a singular system leaves open does not change the step.
    """
    d_y, k = error.shape
    precondition = _outer_layers(left[0], right[0], right[-1])
    first = left[0]
    solution = np.zeros_like(error)
    rest = error.copy()
    better = precondition(rest)
    direction = better.copy()
    power = float(np.vdot(rest, better))
    goal = 1e-28 * float(np.vdot(rest, rest))
    flops = 2.0 * (len(left) + 2) * d_y * k * (d_y + k)
    for _ in range(int(min(4 * error.size, max(FLOPS / flops, FEWEST)))):
        if not power > 0.0 or float(np.vdot(rest, rest)) <= goal:
            break
        image = first @ direction
        image *= right[0]
        for one, two in zip(left[1:], right[1:], strict=True):
            image += one @ direction @ two
        curvature = float(np.vdot(direction, image))
        if curvature <= 0.0:
            break
        step = power / curvature
        solution += step * direction
        image *= step
        rest -= image
        del image, better
        better = precondition(rest)
        power, before = float(np.vdot(rest, better)), power
        direction *= power / before
        direction += better
    return solution


def _outer_layers(left: Array, squares: Array, right: Array) -> Callable[[Array], Array]:
    """Return the inverse of ``X -> A X D^2 + X F``, ``A = left``, ``F = right``, semidefinite."""
    root = np.sqrt(squares)
    values, frame = np.linalg.eigh(left)
    if right.ndim == 1:  # a single layer
        others, turn = np.zeros(len(root)), np.eye(len(root))
    else:
        scaled = right / root
        scaled /= root[:, np.newaxis]
        others, turn = np.linalg.eigh(scaled)
        del scaled
    both = values[:, np.newaxis] + others
    positive = both > 1e-15 * both.max()
    inverse = np.where(positive, 1.0 / np.where(positive, both, 1.0), 0.0)
    turn /= root[:, np.newaxis]
    return lambda x: frame @ ((frame.T @ x @ turn) * inverse) @ turn.T
