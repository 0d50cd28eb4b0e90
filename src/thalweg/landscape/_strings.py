"""Critical points off the learned signal, as strings around a cycle of the layers (Spec 4.3, 4.6).

Off the signal a critical point is a cycle of linear maps: the free blocks ``Z_1, ..., Z_L`` from
node 0 (inputs) to node ``L`` (outputs), closed by ``N = Sigma_XY`` restricted to what is not
learned. It is critical exactly if every product of ``L`` consecutive maps around the cycle
vanishes. Such a cycle splits into *strings*: arcs ``(first node, number of nodes)`` of at most
``L`` nodes along which a vector is handed on. Their multiplicities are the ranks of all products.
"""

import functools
import itertools
from collections.abc import Callable

import numpy as np

Arc = tuple[int, int]
Strings = tuple[tuple[Arc, int], ...]
"""Arcs with their multiplicities, sorted."""


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
