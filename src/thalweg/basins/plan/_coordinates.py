"""Stacks of starts in the coordinates in which their flow is integrated."""

import dataclasses
import functools
import itertools
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.basins.plan._grams import inner_gram, outer_gram, traces
from thalweg.certificate import Levels, levels
from thalweg.landscape import Target, gradient_scale
from thalweg.problem import Problem

PIVOT = 1e-12
"""Least pivot, relative to the largest diagonal entry, of Gram matrices of generic starts."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """What all starts of a problem share, computed once in a process.

    Attributes
    ----------
    target, metric
        Of the reduced problem, compressed by sizes alone (Spec 1.5).
    live
        Inputs and outputs on which the target does not vanish.
    known
        Critical levels.
    directions
        Singular vectors of the target.
    slope
        Size of gradients away from critical points.
    """

    target: Array
    metric: Array
    live: tuple[int, int]
    known: Levels
    directions: Target
    slope: float

    @classmethod
    def of(cls, p: Problem) -> "Setting":
        """Compute it."""
        target, metric = p.flow_data()
        known = levels(target, p.max_rank)
        directions = Target.of(target)
        live = [
            int(np.max(np.nonzero(np.any(target != 0, axis=axis))[0], initial=-1)) + 1
            for axis in (0, 1)
        ]
        slope = gradient_scale(target, metric, p.depth)
        inputs, outputs = _kept(target, metric, (live[0], live[1]), p.reduced.dims)
        return cls(
            target=np.ascontiguousarray(target[:outputs, :inputs]),
            metric=metric[:inputs].copy(),
            live=(live[0], live[1]),
            known=known,
            directions=dataclasses.replace(
                directions,
                matrix=target[:outputs, :inputs],
                left=directions.left[:outputs],
                right=directions.right[:, :inputs],
            ),
            slope=slope,
        )

    @functools.cached_property
    def total(self) -> float:
        """The reducible loss of zero weights."""
        return 0.5 * float(np.sum(self.known.sigma**2))

    def compress(self, stacks: list[Array]) -> list[Array]:
        """Leave out what never moves, for reasons of size alone; an isometry for every start."""
        out = list(stacks)
        inputs, outputs = len(self.metric), len(self.target)
        if out[0].shape[2] > inputs:
            head, tail = out[0][:, :, : self.live[0]], out[0][:, :, self.live[0] :]
            out[0] = np.concatenate([head, _transposed(_triangle(_transposed(tail)))], axis=2)
        if out[-1].shape[1] > outputs:
            head, tail = out[-1][:, : self.live[1]], out[-1][:, self.live[1] :]
            out[-1] = np.concatenate([head, _triangle(tail)], axis=1)
        changed = True
        while changed:
            changed = False
            for j in range(len(out) - 1):
                above, below = out[j + 1], out[j]
                if below.shape[1] <= below.shape[2] + above.shape[1]:
                    continue
                both = np.concatenate([below, _transposed(above)], axis=2)
                triangle = _triangle(both)
                split = below.shape[2]
                out[j] = triangle[:, :, :split]
                out[j + 1] = _transposed(triangle[:, :, split:])
                changed = True
        return [np.ascontiguousarray(item) for item in out]


def _kept(
    target: Array, metric: Array, live: tuple[int, int], dims: tuple[int, ...]
) -> tuple[int, int]:
    """Return how many inputs and outputs matter: those that see the target, and a rotation."""
    inputs, outputs = target.shape[1], target.shape[0]
    tail = metric[live[0] :]
    if len(dims) > 2 and len(tail) > 1 and np.all(tail == tail[0]):
        inputs = min(inputs, live[0] + dims[1])
    if len(dims) > 2 and outputs - live[1] > 1:
        outputs = min(outputs, live[1] + dims[-2])
    return inputs, outputs


def _triangle(stack: Array) -> Array:
    """Return ``R`` of every ``Q R``; what is computed of one item does not depend on others."""
    out: Any = np.linalg.qr(stack, mode="r")
    return np.asarray(out, dtype=np.float64)


def _transposed(stack: Array) -> Array:
    return np.swapaxes(stack, 1, 2)


def degenerate(stacks: list[Array]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which starts keep a hidden direction at zero, or nearly so.

    Such a start stays in a smaller network for ever, which rounding would leave. ``[W_j
    W_{j+1}^T]``, each part of unit norm, has a Gram matrix whose pivots tell.
    """
    found = np.zeros(len(stacks[0]), dtype=bool)
    for below, above in itertools.pairwise(stacks):
        gram = np.zeros((below.shape[1], below.shape[1], len(below)))
        for square in (outer_gram(below), inner_gram(above)):
            size = traces(square)
            gram += square / np.where(size > 0, size, 1.0)
        found |= _least_pivot(gram) < PIVOT
    return found


def _least_pivot(gram: Array) -> Array:
    """Return the least pivot of each matrix ``gram[:, :, n]`` with diagonal pivoting left out.

    Without pivoting the least pivot is at least the least eigenvalue, so a singular matrix always
    shows; rounding leaves pivots of the size of ``EPS`` at most there.
    """
    left = gram.copy()
    size = len(left)
    least = np.full(gram.shape[2], np.inf)
    for k in range(size):
        pivot = left[k, k].copy()
        least = np.minimum(least, pivot)
        safe = np.where(pivot > PIVOT, pivot, np.inf)
        for i in range(k + 1, size):
            factor = left[i, k] / safe
            left[i, k + 1 :] -= factor * left[k, k + 1 :]
    return least


def gradient_room(stacks: list[Array], setting: Setting) -> Array:
    """Bound the gradients of starts by the norms of what they are products of.

    Tiny starts have tiny gradients; one that is small beside this bound is near a saddle.
    """
    sizes = [np.sqrt(np.sum(item.reshape(len(item), -1) ** 2, axis=1)) for item in stacks]
    scale = float(setting.metric.max())
    whole = np.prod(sizes, axis=0) * scale + np.sqrt(2.0 * setting.total)
    out: Array = np.zeros(len(whole))
    for j in range(len(sizes)):
        others = [size for k, size in enumerate(sizes) if k != j]
        out += whole * scale * (np.prod(others, axis=0) if others else 1.0)
    return np.minimum(out, setting.slope)
