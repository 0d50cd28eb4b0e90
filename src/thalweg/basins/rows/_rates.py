"""Rates that hold from the last point of every start on, for a whole chunk (Spec 3.3).

The rate of theorem 3.3 asks for the supremum of ``||W_1||`` over the rest of the way, and the rest
of the way is bounded through the rate. Written as one inequality this closes without the conserved
matrices: with excess ``E`` and ``f`` such that the rate is ``(f / sup ||W_1||)^2``, the path is at
most ``sqrt(2 E) sup ||W_1|| / f``, hence ``sup ||W_1|| <= ||W_1|| / (1 - sqrt(2 E) / f)`` wherever
``sqrt(2 E) < f``. Near the end of a run this bound is the present norm itself.
"""

import dataclasses
from typing import Any

import numpy as np

from thalweg._core import EPS, Array, lowered_least
from thalweg.basins.plan import frobenius_squares, outer_gram, squared
from thalweg.certificate import Levels

ROOM = 1e-9
"""By how much, relatively, rates are lowered and distances raised against rounding."""


@dataclasses.dataclass(frozen=True)
class Rates:
    """What is proved about the rest of every trajectory.

    Attributes
    ----------
    rate
        ``excess(t) <= excess exp(-2 rate t)``; 0 where nothing is proved.
    path
        Bound on the length of the rest of the way; NaN where nothing is proved.
    """

    rate: Array
    path: Array


@np.errstate(divide="ignore", invalid="ignore", over="ignore")
def later_rates(
    stacks: list[Array], loss: Array, problem: tuple[Array, Array], known: Levels
) -> Rates:
    """Return rates for points whose loss is known.

    Parameters
    ----------
    stacks
        Weights in the coordinates of the flow, one stack ``(N, d_j, d_{j-1})`` for each layer.
    loss
        Reducible losses there, shape ``(N,)``.
    problem
        ``(T, D)`` in these coordinates.
    known
        Levels of the problem with the bottleneck of the network.

    Notes
    -----
    Status: theorem (Spec 3.3; with a bottleneck docs/certificates.md) about the flow from the
    computed points, with the bound on later norms above.
    """
    target, metric = problem
    dims = (stacks[0].shape[2], *(item.shape[1] for item in stacks))
    sizes = [_size(item) for item in (stacks[:1] + stacks[1:][-1:])]  # first and last
    product = np.prod(
        [np.sqrt(np.sum(item.reshape(len(item), -1) ** 2, axis=1)) for item in stacks], axis=0
    )
    noise = 256 * EPS * (float(np.linalg.norm(target)) + product * float(metric.max()))
    error = np.sqrt(2.0 * np.maximum(loss, 0.0)) + noise
    full = min(target.shape)
    if min(dims) < full:
        excess = np.maximum(0.5 * error**2 - known.least, 0.0) * (1.0 + ROOM)
        excess += ROOM * 1e-3 * known.least
        if known.rank != min(dims):
            return _nothing(len(loss))
        return _narrow(sizes, excess, metric, known)
    if known.rank != full:
        return _nothing(len(loss))
    return _wide(sizes, error, problem, known)


def _nothing(count: int) -> Rates:
    return Rates(np.zeros(count), np.full(count, np.nan))


def _wide(sizes: list[Array], error: Array, problem: tuple[Array, Array], known: Levels) -> Rates:
    """Every singular direction can be learned: the first or the last layer transmits all errors."""
    target, metric = problem
    d_y, k = target.shape
    sigma = float(known.lowered[min(d_y, k) - 1])
    if d_y <= k:
        grip = lowered_least(metric) * _product_floor(error, target, metric, known)
        here, there = sizes[0], sizes[-1]
    else:
        grip = sigma - error
        here, there = sizes[-1], sizes[0]
    share = error / grip
    proved = (grip > 0.0) & (share < 1.0) & (sigma > error)
    bound = here / (1.0 - share)
    rate = (grip / bound) ** 2
    if d_y == k and len(sizes) > 1:
        rate = rate + ((sigma - error) / (there + error * bound / grip)) ** 2
    return _told(rate, 0.5 * error**2, proved)


def _product_floor(error: Array, target: Array, metric: Array, known: Levels) -> Array:
    """Bound ``sigma_{d_y}(W_L ... W_1)`` from below for all later times, as for a single run."""
    d_y, k = target.shape
    best = (float(known.lowered[d_y - 1]) - error) / float(metric.max())
    for m in range(d_y, k + 1):
        values = np.linalg.svd(target[:, :m] / metric[:m], compute_uv=False)
        floor = float(values[d_y - 1]) - 16 * EPS * float(values[0])
        best = np.maximum(best, floor - error / float(metric[:m].min()))
    return best


def _narrow(sizes: list[Array], excess: Array, metric: Array, known: Levels) -> Rates:
    """With a bottleneck ``r``: near the best value that it allows."""
    r = known.rank
    steep = float(known.sigma[0] ** 2 + known.sigma[r] ** 2) + 2.0 * excess
    room = known.gap - 4.0 * excess
    kept = float(known.lowered[r - 1]) - np.sqrt(2.0 * excess)
    ratio = lowered_least(metric) / float(metric.max())
    grip = kept / np.sqrt(1.0 + steep / room)
    share = np.sqrt(2.0 * excess) / (grip * ratio)
    proved = (room > 0.0) & (kept > 0.0) & (share < 1.0)
    bound = np.maximum(sizes[0] / ratio, sizes[-1]) / (1.0 - share)
    return _told((grip / bound) ** 2, excess, proved)


def _told(rate: Array, excess: Array, proved: Any) -> Rates:
    good = proved & np.isfinite(rate) & (rate > 0.0)
    rate = np.where(good, rate * (1.0 - ROOM), 0.0)
    path = np.where(good, np.sqrt(2.0 * excess / rate) * (1.0 + ROOM), np.nan)
    return Rates(rate, path)


def _size(stack: Array) -> Array:
    """Bound spectral norms from above by the fourth root of ``||(W W^T)^2||_F``."""
    flat = stack if stack.shape[1] <= stack.shape[2] else np.swapaxes(stack, 1, 2)
    out: Array = frobenius_squares(squared(outer_gram(flat))) ** 0.125
    return out * (1.0 + ROOM)
