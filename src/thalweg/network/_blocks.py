"""Parts of a network that zeros keep apart for ever."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg._core import EPS, Array, Weights
from thalweg.network._loss import gradient

Labels = list[npt.NDArray[np.int64]]


@dataclasses.dataclass(frozen=True, eq=False)
class Block:
    """A part of a network: the numbers of its units in each layer, inputs first."""

    units: tuple[npt.NDArray[np.int64], ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """Layer sizes of the part."""
        return tuple(len(item) for item in self.units)

    def of_weights(self, weights: Weights) -> list[Array]:
        """Return the part's weights."""
        pairs = zip(weights, itertools.pairwise(self.units), strict=True)
        return [weight[np.ix_(after, before)] for weight, (before, after) in pairs]

    def of_target(self, target: Array) -> Array:
        """Return the part's target."""
        return target[np.ix_(self.units[-1], self.units[0])]

    def put(self, into: list[Array], part: Weights) -> None:
        """Write the part's weights into those of the network."""
        pairs = zip(into, part, itertools.pairwise(self.units), strict=True)
        for weight, item, (before, after) in pairs:
            weight[np.ix_(after, before)] = item


def unit_labels(weights: Weights, target: Array) -> Labels:
    """Label the units of every layer by their part.

    Units are joined by weights that are not zero, inputs and outputs also by entries of the target.
    """
    sizes = [weights[0].shape[1], *(weight.shape[0] for weight in weights)]
    ends = np.cumsum([0, *sizes])
    if all(weight.size and weight.all() for weight in weights):
        return [np.zeros(size, dtype=np.int64) for size in sizes]
    labels = [np.arange(a, b) for a, b in itertools.pairwise(ends)]
    links = [(j, j + 1, weight != 0.0) for j, weight in enumerate(weights)]
    links.append((0, len(weights), target != 0.0))
    changed = True
    while changed:
        before = [item.copy() for item in labels]
        for low, high, mask in links:
            _spread(labels[low], labels[high], mask)
        changed = any(not np.array_equal(a, b) for a, b in zip(labels, before, strict=True))
    return labels


def _spread(low: Any, high: Any, mask: npt.NDArray[np.bool_]) -> None:
    """Give units on both sides of a matrix the least label of those that they are joined with."""
    none = np.iinfo(np.int64).max
    if mask.size:
        np.minimum(high, np.where(mask, low, none).min(axis=1), out=high)
        np.minimum(low, np.where(mask, high[:, np.newaxis], none).min(axis=0), out=low)


def blocks(weights: Weights, target: Array) -> list[Block]:
    """Return the parts between which all weights and all entries of the target are zero.

    The gradient vanishes between them, so the flow keeps them apart, and each follows its own flow.

    Parameters
    ----------
    weights, target
        Weights ``W_1`` first and ``T`` of shape ``(d_y, k)``; the metric is diagonal.

    Returns
    -------
    list of Block
        Every unit is in one of them. A part may be without units in some layers; nothing in it
        moves then.

    Notes
    -----
    Theorem: changing the sign of all units of one part is a symmetry of the loss (Spec 2.5) that
    leaves such weights as they are, so it leaves their whole trajectory as it is.
    """
    labels = unit_labels(weights, target)
    names = np.unique(np.concatenate(labels))
    return [Block(tuple(np.flatnonzero(item == name) for item in labels)) for name in names]


def gradient_rounding(weights: Weights, target: Array, metric: Array) -> list[Array]:
    """Bound the rounding errors of the entries of a gradient, to first order and up to sizes.

    Parameters
    ----------
    weights, target, metric
        Point and problem.

    Returns
    -------
    list of Array
        Machine precision times the sum of the absolute values of the terms of each entry.
    """
    sizes = [np.abs(weight) for weight in weights]
    return [EPS * item for item in gradient(sizes, -np.abs(target), metric)]
