"""A line of descent by search, where the general rule does not apply (Spec 4.5, 4.7)."""

import numpy as np

from thalweg._core import Array, Weights, median
from thalweg.landscape._learned import Target
from thalweg.landscape._witness import DescentCurve, line_noise
from thalweg.network import line_polynomial, prefix_products, suffix_products

DRAWS = 24


def off_signal(
    weights: Weights, metric: Array, target: Target, learned: tuple[int, ...]
) -> list[Array]:
    """Return ``Q_0, ..., Q_L``: projectors of each layer's space along what carries the signal.

    ``Q_j = I - A_j V_S Sigma_S^-1 U_S^T B_j``, ``A_j = W_j ... W_1 D``, ``B_j = W_L ... W_{j+1}``.
    """
    keep = list(learned)
    left, right = target.left[:, keep], target.right[keep].T / target.sigma[keep]
    after, before = suffix_products(weights), prefix_products(weights)
    out = []
    for back, front in zip(after, before, strict=True):
        carried = np.diag(metric) if front is None else front * metric
        received = left.T if back is None else left.T @ back
        out.append(np.eye(len(carried)) - carried @ right @ received)
    return out


def search_descent(
    weights: Weights, metric: Array, target: Target, learned: tuple[int, ...]
) -> DescentCurve | None:
    """Try lines off the learned signal; return the one along which the loss falls most.

    Returns
    -------
    DescentCurve or None
        In reduced coordinates; ``None`` if no draw gave one, which is not a proof that none exists.
    """
    frames = off_signal(weights, metric, target, learned)
    rng = np.random.default_rng(0)
    natural = float(target.sigma[0] / median(metric)) ** (1.0 / len(weights))
    best: DescentCurve | None = None
    lowest = 0.0
    for draw in range(DRAWS):
        direction = []
        for j, weight in enumerate(weights):
            block = rng.normal(size=weight.shape)
            if draw % 2:
                block = np.outer(block[:, 0], block[0])
            step = frames[j + 1] @ block @ frames[j]
            norm = float(np.linalg.norm(step))
            direction.append(step * (natural / norm) if norm > 1e-9 else 0.0 * step)
        for flipped in (direction, [*direction[:-1], -direction[-1]]):
            found, drop = _descends(weights, flipped, target.matrix, metric)
            if found is not None and drop < lowest:
                best, lowest = found, drop
    return best


def _descends(
    weights: Weights, direction: Weights, target: Array, metric: Array
) -> tuple[DescentCurve | None, float]:
    """Return the line if the loss falls along it from the start, and by how much at most."""
    line = line_polynomial(weights, direction, target, metric)
    line[0] = 0.0
    noise = line_noise(weights, direction, target, metric)
    solid = np.flatnonzero(np.abs(line) > noise)
    if not solid.size or solid[0] < 3 or line[solid[0]] >= 0.0:
        return None, 0.0
    order = int(solid[0])
    line[:order] = 0.0
    values = np.polynomial.polynomial.polyval(np.geomspace(1e-3, 1.0, 40), line)
    layers = tuple(range(1, len(weights) + 1))
    curve = DescentCurve(direction=tuple(direction), polynomial=line, order=order, layers=layers)
    return curve, float(values.min())
