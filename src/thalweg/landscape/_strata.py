"""Strata of critical points: all rank patterns at a rank, and their dimensions (Spec 4.6)."""

import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple

from thalweg.landscape._strings import Arc, Strings, arcs_of, covers, free_sizes, is_strict

MOST = 5000
"""Strata of one rank that are enumerated."""


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


@functools.lru_cache(maxsize=256)
def strata_of_kind(
    dims: tuple[int, ...], rank: int, linked: int, kind: str | None
) -> tuple[Strings, ...] | None:
    """Return the strata of strict or of non-strict saddles; of any other kind, all of them."""
    found = strata(dims, rank, linked)
    if found is None or kind not in {"strict_saddle", "non_strict_saddle"}:
        return found
    wanted = kind == "strict_saddle"
    return tuple(item for item in found if is_strict(item, len(dims) - 1) == wanted)


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
    if linked < 0 or strata(dims, rank, linked) is None:
        # With an empty node the blocks are not restricted: one open stratum is dense.
        dense = linked >= 0 and min(dims) == rank
        size = dense_dimension(dims, rank) + frozen if dense else None
        return tuple(StratumCount(kind, None, size) for kind in kinds)
    out = []
    for kind in kinds:
        own = strata_of_kind(dims, rank, linked, kind if len(kinds) > 1 else None) or ()
        size = max(stratum_dimension(dims, rank, item) for item in own) + frozen
        out.append(StratumCount(kind, len(own), size))
    return tuple(out)
