"""Saddles as limits, and what forbids to name one: exact arguments only (Spec 4.8)."""

import dataclasses

import numpy as np

from thalweg._core import Array, Weights
from thalweg.certificate import levels
from thalweg.network import Block, blocks, gradient, gradient_rounding, loss
from thalweg.problem import Compression

VISIBLE = 16.0
"""Gradient, relative to a bound on its rounding error, from which on it shows the way."""
UNDERFLOW = 1e-290
"""Products of weights below this may have been rounded to zero."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outlook:
    """What zeros of the start say about the end of a trajectory.

    Attributes
    ----------
    decided
        Whether every part of the network provably goes to its own best value, or to zero.
    weights
        The point, with parts whose limit is known put there.
    gradient, rounding
        Of the undecided part whose gradient shows most: its norm and a bound on its error.
    """

    decided: bool
    weights: list[Array]
    gradient: float
    rounding: float

    @property
    def visible(self) -> bool:
        """Whether the gradient still shows where some undecided part goes."""
        return self.gradient > VISIBLE * self.rounding


def outlook(start: Compression, point: Weights) -> Outlook:
    """Say where a trajectory must end, from the start's zeros and the loss of each part.

    Parameters
    ----------
    start
        Start and problem.
    point
        A later point of its trajectory.

    Returns
    -------
    Outlook
        With ``decided`` a theorem, given that the start is what was meant: a part of the network
        that zeros separate from the rest never leaves its own space, and within it the basin
        certificate (Spec 3.4 b) or `chain_vanishes` says where it ends.
    """
    slopes = gradient(point, start.target, start.metric)
    noise = gradient_rounding(point, start.target, start.metric)
    weights = [weight.copy() for weight in point]
    decided, best = True, (0.0, 0.0)
    for part in blocks(start.weights, start.target):
        first = part.of_weights(start.weights)
        target = part.of_target(start.target)
        if _never_moves(first, target):
            part.put(weights, first)
            continue
        limit = chain_limit(first, target)
        if limit is not None:
            part.put(weights, limit)
            continue
        if _in_basin(part, part.of_weights(point), start):
            continue
        decided = False
        seen = _norm(part.of_weights(slopes)), _norm(part.of_weights(noise))
        if best[1] == 0.0 or seen[0] * best[1] > best[0] * seen[1]:
            best = seen
    return Outlook(decided=decided, weights=weights, gradient=best[0], rounding=best[1])


def _in_basin(part: Block, weights: list[Array], start: Compression) -> bool:
    target, metric = part.of_target(start.target), start.metric[part.units[0]]
    known = levels(target, min(part.dims))
    return bool(known.in_basin(loss(weights, target, metric)))


def _never_moves(weights: list[Array], target: Array) -> bool:
    """Say whether the gradient of a part vanishes for its zeros alone."""
    if target.size == 0 or min(min(item.shape) for item in weights) == 0:
        return True
    patterns = [(item != 0.0).astype(np.float64) for item in weights]
    slopes = gradient(patterns, -(target != 0.0).astype(np.float64), np.ones(target.shape[1]))
    return not any(item.any() for item in slopes)


def chain_limit(weights: list[Array], target: Array) -> list[Array] | None:
    """Return the limit of a chain of single units that ends at a product of zero, else ``None``.

    Differences of squares are conserved. If the product has the wrong sign, all weights shrink
    until the smallest is zero. If that is one weight, it passes through zero and changes the sign;
    if two are of equal modulus, they stay equal, vanish together, and nothing moves any more.
    The theorem is about the doubles: no tolerance.
    """
    if target.shape != (1, 1) or any(item.shape != (1, 1) for item in weights):
        return None
    sizes = np.array([abs(item[0, 0]) for item in weights])
    sign = np.sign(target[0, 0]) * np.prod([np.sign(item[0, 0]) for item in weights])
    least = sizes.min()
    if sign >= 0.0 or np.sum(sizes == least) < 2:
        return None
    out = [np.sqrt((size - least) * (size + least)) for size in sizes]
    return [np.sign(item) * size for item, size in zip(weights, out, strict=True)]


def has_vanishing_chain(start: Compression) -> bool:
    """Say whether some part of the network is a chain that `chain_limit` proves to vanish."""
    dims = start.dims
    if max(dims) > 1 and any(weight.all() for weight in start.weights):
        return False
    return any(
        chain_limit(part.of_weights(start.weights), part.of_target(start.target)) is not None
        for part in blocks(start.weights, start.target)
    )


def stands_still(start: Compression) -> bool:
    """Say whether the gradient of a start is zero, not merely rounded to it from tiny products."""
    slopes = gradient(start.weights, start.target, start.metric)
    if any(item.any() for item in slopes):
        return False
    sizes = np.concatenate([np.abs(item).ravel() for item in [*start.weights, start.target]])
    sizes = sizes[sizes > 0.0]
    if not sizes.size or all(
        _never_moves(part.of_weights(start.weights), part.of_target(start.target))
        for part in blocks(start.weights, start.target)
    ):
        return True
    power = 2 * len(start.weights)
    least = min(1.0, float(sizes.min())) * min(1.0, float(start.metric.min()))
    return bool(power * np.log(least) > np.log(UNDERFLOW))


def _norm(weights: list[Array]) -> float:
    return float(np.sqrt(sum(float(np.vdot(item, item)) for item in weights)))
