"""How a saddle is left at the lowest order: the fewest layers to fill (Spec 4.3, 4.5).

A line that changes only free blocks lowers the loss through closed paths around the cycle: a
change in the layers ``j_1 < ... < j_m`` contributes ``-t^m tr(B_0 w_{j_m} ... B_1 w_{j_1})``, where
``B_0`` runs through ``N`` and each product ``B`` through the blocks in between. Paths exist exactly
where all these products differ from zero. With the fewest layers for which they do:

- no closed path uses fewer changes, so ``-<N, P^k>`` vanishes for ``k < m``;
- an open path from inputs to outputs with ``g`` changes becomes a closed one with at most one
  more, as ``N`` is injective; so ``P^g = 0`` for ``g < m - 1``, and ``1/2 |P|^2`` starts at
  ``t^(2 m - 2)``.

For ``m >= 3`` the loss is ``-c t^m + O(t^(2m-2))`` or higher: the line descends and ``m`` is its
order. For ``m = 2``, a pivot that is not tightened, one of the two open paths can be avoided.
"""

import dataclasses
import itertools

import numpy as np

from thalweg._core import Array
from thalweg.landscape._nearest import Nearest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filling:
    """Changes of the fewest blocks that close a path around the cycle.

    Attributes
    ----------
    layers
        Which, counted from 1, ascending.
    blocks
        The changes of all free blocks; each of rank one or zero.
    rate
        ``c > 0``: the loss changes by ``-c t^m`` at the lowest order, ``m = len(layers)``.
    """

    layers: tuple[int, ...]
    blocks: list[Array]
    rate: float


def fill(exact: Nearest) -> Filling | None:
    """Return the lowest-order way out of an exact critical point.

    Parameters
    ----------
    exact
        The point; singular values positive, not more outputs than inputs.

    Returns
    -------
    Filling or None
        ``None`` if nothing is left to learn or some node has no room (then the point is a global
        minimum, or has learned the wrong directions and mixing them is the way out).

    Notes
    -----
    Status: derived; see the module's text.
    """
    found = _strongest(exact)
    if found is None:
        return None
    layers, products = found
    ends = [np.linalg.svd(product) for product in products]
    # Path k leads from the change in layers[k] to the next one: start vector, end vector, gain.
    paths = [(right[0], left[:, 0], float(gain[0])) for left, gain, right in ends]
    if len(layers) == 2:
        paths[0] = _one_sided(exact, layers, products[0])
    blocks = [np.zeros_like(block) for block in exact.blocks]
    rate = 1.0
    for k, layer in enumerate(layers):
        start, (_, end, gain) = paths[k][0], paths[k - 1]
        blocks[layer - 1] = np.outer(start, end)
        rate *= gain
    # One sign makes the trace positive whatever the signs of the vectors: gains are positive.
    if len(layers) == 2:
        blocks, rate = _balance(exact, layers, blocks, rate)
    return Filling(layers=layers, blocks=blocks, rate=rate)


def _strongest(exact: Nearest) -> tuple[tuple[int, ...], list[Array]] | None:
    """Return layers and the products between them, the last one through the link."""
    depth = len(exact.blocks)
    between, around = _products(exact)
    best: dict[tuple[int, int], tuple[int, float, tuple[int, ...]]] = {}
    for first in range(1, depth + 1):
        best[first, first] = (1, 0.0, (first,))
        for last in range(first + 1, depth + 1):
            trials = [
                (count + 1, cost - np.log(between[before, last][1]), (*chain, last))
                for before in range(first, last)
                if (before, last) in between and (first, before) in best
                for count, cost, chain in [best[first, before]]
            ]
            if trials:
                best[first, last] = min(trials)
    closed = [
        (count, cost - float(np.log(around[last, first][1])), chain)
        for (first, last), (count, cost, chain) in best.items()
        if (last, first) in around
    ]
    if not closed:
        return None
    chain = min(closed)[2]
    maps = [between[one, two][0] for one, two in itertools.pairwise(chain)]
    return chain, [*maps, around[chain[-1], chain[0]][0]]


Maps = dict[tuple[int, int], tuple[Array, float]]


def _products(exact: Nearest) -> tuple[Maps, Maps]:
    """Return the products that differ from zero, with their norms.

    The first maps ``(i, j)`` to ``Z_{j-1} ... Z_{i+1}``, the second to ``Z_{j-1} ... Z_1 N Z_L ...
    Z_{i+1}``, for a change in layer ``i`` followed by one in layer ``j``.
    """
    depth, blocks, ranks = len(exact.blocks), exact.blocks, exact.ranks
    between: Maps = {}
    around: Maps = {}

    def keep(kept: Maps, pair: tuple[int, int], steps: int, product: Array) -> None:
        norm = float(np.linalg.norm(product, 2)) if steps < depth and product.size else 0.0
        if norm > 0.0 and ranks[steps, pair[1] - 1]:
            kept[pair] = (product, norm)

    for i in range(1, depth + 1):
        product = np.eye(len(blocks[i - 1]))
        for j in range(i + 1, depth + 1):
            keep(between, (i, j), j - 1 - i, product)
            product = blocks[j - 1] @ product
        product = exact.split.link @ product
        for j in range(1, i + 1):
            keep(around, (i, j), depth - i + j, product)
            product = blocks[j - 1] @ product
    return between, around


def _one_sided(
    exact: Nearest, layers: tuple[int, ...], product: Array
) -> tuple[Array, Array, float]:
    """Return a path between two layers that is part of no open path through one of them.

    Strings that pass the outputs and strings that come from the inputs are different ones, so
    either the kernel of what leads on to the outputs or the complement of what arrives from the
    inputs still sees the product.
    """
    first, last = layers
    depth = len(exact.blocks)
    onward = np.eye(len(exact.blocks[first - 1]))
    for block in exact.blocks[first:]:
        onward = block @ onward
    arriving = np.eye(exact.blocks[0].shape[1])
    for block in exact.blocks[: last - 1]:
        arriving = block @ arriving
    rows = np.linalg.svd(onward)[2][: exact.ranks[depth - first, depth]]
    columns = np.linalg.svd(arriving)[0][:, : exact.ranks[last - 1, last - 1]]
    trials = [
        product - (product @ rows.T) @ rows,
        product - columns @ (columns.T @ product),
    ]
    best = max(trials, key=lambda item: float(np.linalg.norm(item, 2)))
    left, gain, right = np.linalg.svd(best)
    return right[0], left[:, 0], float(gain[0])


def _balance(
    exact: Nearest, layers: tuple[int, ...], blocks: list[Array], rate: float
) -> tuple[list[Array], float]:
    """Scale two changes so that the quadratic term is as negative as it can be."""
    opens = []
    for layer in layers:
        product = np.eye(exact.blocks[0].shape[1])
        for j, block in enumerate(exact.blocks, 1):
            product = (blocks[j - 1] if j == layer else block) @ product
        opens.append(product)
    form = np.array([[0.5 * float(np.vdot(one, two)) for two in opens] for one in opens])
    form[0, 1] = form[1, 0] = form[0, 1] - 0.5 * rate
    values, vectors = np.linalg.eigh(form)
    scaled = [block.copy() for block in blocks]
    for layer, factor in zip(layers, vectors[:, 0], strict=True):
        scaled[layer - 1] *= factor
    return scaled, -float(values[0])
