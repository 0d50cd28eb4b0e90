"""Critical points off the learned signal, as strings around a cycle of the layers (Spec 4.3, 4.6).

Off the signal a critical point is a cycle of linear maps: the free blocks ``Z_1, ..., Z_L`` from
node 0 (inputs) to node ``L`` (outputs), closed by ``N = Sigma_XY`` restricted to what is not
learned. It is critical exactly if every product of ``L`` consecutive maps around the cycle
vanishes. Such a cycle splits into *strings*: arcs ``(first node, number of nodes)`` of at most
``L`` nodes along which a vector is handed on. Their multiplicities are the ranks of all products.
"""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

Arc = tuple[int, int]
Strings = tuple[tuple[Arc, int], ...]
"""Arcs with their multiplicities, sorted."""

MOST = 5000
"""Strata of one rank that are enumerated."""


def free_sizes(dims: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Return the dimensions ``n_0, ..., n_L`` of the nodes at rank ``r``."""
    return tuple(size - rank for size in dims)


@functools.cache
def arcs_of(depth: int) -> tuple[Arc, ...]:
    """Return every arc of 1 to ``L`` nodes of the cycle with ``L + 1`` nodes."""
    return tuple(itertools.product(range(depth + 1), range(1, depth + 1)))


def covers(arc: Arc, part: Arc, depth: int) -> bool:
    """Tell whether an arc contains another."""
    return (part[0] - arc[0]) % (depth + 1) + part[1] <= arc[1]


@functools.cache
def pivot_arcs(depth: int) -> tuple[tuple[tuple[int, int], Arc, Arc], ...]:
    """Return for each pivot ``(i, j)`` the arcs of ``B_1`` and of ``B_2``; they are complements."""
    return tuple(
        ((i, j), (j, i - j), (i, depth + 1 - i + j))
        for i in range(2, depth + 1)
        for j in range(i - 1, 0, -1)
    )


def is_strict(strings: Strings, depth: int) -> bool:
    """Tell whether some pivot is not tightened: both of its products exceed the signal."""
    present = [arc for arc, count in strings if count]
    return any(
        any(covers(arc, between, depth) for arc in present)
        and any(covers(arc, around, depth) for arc in present)
        for _, between, around in pivot_arcs(depth)
    )


def stratum_dimension(dims: tuple[int, ...], rank: int, strings: Strings) -> int:
    """Return the dimension of the set of critical points with one learned set and such strings.

    Orbit of the changes of bases that keep ``N``: ``sum n_j^2 - n_0 n_L - dim End``, and the
    hidden frames of the signal: ``r^2 + 2 r n_j`` each. There is a map between two strings if an
    arc begins the one and ends the other.
    """
    depth = len(dims) - 1
    nodes = free_sizes(dims, rank)
    own = 0
    for ((start, length), one), ((begin, size), two) in itertools.product(strings, repeat=2):
        shared = (begin + size - 1 - start) % (depth + 1) + 1
        own += one * two * (shared <= min(length, size))
    frames = sum(rank * rank + 2 * rank * size for size in nodes[1:-1])
    return frames + sum(size * size for size in nodes) - nodes[0] * nodes[-1] - own


def dense_dimension(dims: tuple[int, ...], rank: int) -> int:
    """Return the dimension at the full rank, where some node is empty and free blocks are free."""
    nodes = free_sizes(dims, rank)
    blocks = sum(one * two for one, two in itertools.pairwise(nodes))
    return blocks + sum(rank * rank + 2 * rank * size for size in nodes[1:-1])


def enumerate_strings(nodes: tuple[int, ...], linked: int) -> Iterator[Strings]:
    """Yield every multiset of strings that fills the nodes.

    Parameters
    ----------
    nodes
        Dimensions of the nodes.
    linked
        Rank of ``N``: so many strings go on from node ``L`` to node 0.
    """
    depth = len(nodes) - 1
    parts = [(node, 1) for node in range(depth + 1)] + [(depth, 2)]
    # Node by node the arcs that reach no earlier node; the last of them takes what is left.
    groups = [
        [
            arc
            for arc in arcs_of(depth)
            if covers(arc, (node, 1), depth)
            and not any(covers(arc, (old, 1), depth) for old in range(node))
        ]
        for node in range(depth + 1)
    ]
    order = [
        (
            arc,
            [k for k, part in enumerate(parts) if covers(arc, part, depth)],
            node,
            arc == group[-1],
        )
        for node, group in enumerate(groups)
        for arc in group
    ]
    left = [*nodes, linked]

    def fill_from(place: int, chosen: tuple[tuple[Arc, int], ...]) -> Iterator[Strings]:
        if place == len(order):
            if not any(left):
                yield tuple(sorted(chosen))
            return
        arc, use, node, last = order[place]
        most = min(left[k] for k in use)
        least = left[node] if last else 0
        for count in range(least, most + 1):
            for k in use:
                left[k] -= count
            added = ((arc, count),) if count else ()
            yield from fill_from(place + 1, chosen + added)
            for k in use:
                left[k] += count

    yield from fill_from(0, ())


@functools.lru_cache(maxsize=256)
def strata(dims: tuple[int, ...], rank: int, linked: int) -> tuple[Strings, ...] | None:
    """Return all strata at a rank, or ``None`` if there are more than `MOST`."""
    found = enumerate_strings(free_sizes(dims, rank), linked)
    out = tuple(itertools.islice(found, MOST + 1))
    return out if len(out) <= MOST else None


class StratumCount(NamedTuple):
    """Number of strata of a kind and the dimension of the largest; ``None`` if unknown."""

    kind: str
    number: int | None
    dimension: int | None


@functools.lru_cache(maxsize=256)
def count_strata(
    dims: tuple[int, ...], rank: int, linked: int, kinds: tuple[str, ...], frozen: int
) -> tuple[StratumCount, ...]:
    """Count the strata of every kind.

    Parameters
    ----------
    dims, rank, linked
        Layer sizes, learned directions, rank of ``N``; negative where the rule does not hold.
    kinds
        Kinds at that learned set; if there is more than one, strict and non-strict saddles.
    frozen
        Weights that never see data, added to every dimension.
    """
    found = strata(dims, rank, linked) if linked >= 0 else None
    if found is None:
        # With an empty node the blocks are not restricted: one open stratum is dense.
        dense = linked >= 0 and min(dims) == rank
        size = dense_dimension(dims, rank) + frozen if dense else None
        return tuple(StratumCount(kind, None, size) for kind in kinds)
    out = []
    for kind in kinds:
        wanted = "non" not in kind
        own = [
            item for item in found if len(kinds) == 1 or is_strict(item, len(dims) - 1) == wanted
        ]
        size = max(stratum_dimension(dims, rank, item) for item in own) + frozen
        out.append(StratumCount(kind, len(own), size))
    return tuple(out)


def random_strings(
    nodes: tuple[int, ...],
    linked: int,
    allowed: Callable[[Arc], bool],
    rng: np.random.Generator,
) -> list[Arc]:
    """Return random strings of allowed arcs; every multiset of them has a positive probability.

    Walks once around the cycle from node ``L`` and hands on a random part of the open strings.
    """
    depth = len(nodes) - 1
    closed: list[Arc] = [(depth, 1)] * (nodes[-1] - linked)
    open_: list[Arc] = [(depth, 2)] * linked + [(0, 1)] * (nodes[0] - linked)
    for node in range(1, depth):
        wanted = rng.choice([0.0, rng.random(), 1.0])
        going: list[Arc] = []
        for start, length in rng.permutation(np.array(open_, int).reshape(-1, 2)).tolist():
            longer = (start, length + 1)
            fits = len(going) < nodes[node] and length < depth and allowed(longer)
            if fits and rng.random() < wanted:
                going.append(longer)
            else:
                closed.append((start, length))
        open_ = going + [(node, 1)] * (nodes[node] - len(going))
    # Strings that reach node L go on with those that began there.
    begun = [arc for arc in closed if arc[0] == depth]
    closed = [arc for arc in closed if arc[0] != depth]
    wanted = rng.choice([0.0, rng.random(), 1.0])
    for start, length in rng.permutation(np.array(open_, int).reshape(-1, 2)).tolist():
        fitting = [
            arc
            for arc in set(begun)
            if length + arc[1] <= depth and allowed((start, length + arc[1]))
        ]
        if start != depth and fitting and rng.random() < wanted:
            tail = fitting[int(rng.integers(len(fitting)))]
            begun.remove(tail)
            closed.append((start, length + tail[1]))
        elif start == depth:
            begun.append((start, length))
        else:
            closed.append((start, length))
    return closed + begun


def as_strings(arcs: list[Arc]) -> Strings:
    """Count equal arcs."""
    return tuple(sorted((arc, arcs.count(arc)) for arc in set(arcs)))


def strings_of_ranks(ranks: np.ndarray) -> Strings:
    """Return the strings with given ranks.

    Parameters
    ----------
    ranks
        ``ranks[m, k]``: rank of the product of the ``m`` maps that end at node ``k``; its row 0
        holds the dimensions of the nodes, its last row is zero.
    """
    depth = ranks.shape[1] - 1
    size = depth + 1

    def rank(start: int, length: int) -> int:
        # Strings that contain the arc: rank of the product of its length - 1 maps.
        return int(ranks[length - 1, (start + length - 1) % size]) if length <= depth else 0

    out = []
    for start, length in arcs_of(depth):
        longer = rank(start - 1, length + 1) + rank(start, length + 1)
        both = rank(start - 1, length + 2) if length + 2 <= depth else 0
        count = rank(start, length) - longer + both
        if count:
            out.append(((start, length), count))
    return tuple(sorted(out))
