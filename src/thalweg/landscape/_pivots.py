"""The pivot test that separates strict from non-strict saddles (Spec 4.3)."""

import dataclasses

from thalweg._core import Array, Result
from thalweg.landscape._strings import pivot_arcs


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Pivot(Result):
    """One pair of layers ``i > j`` with the ranks of its two complementary products.

    Attributes
    ----------
    layers
        ``(i, j)``, counted from 1.
    rank_between
        Rank of ``B_1 = W_{i-1} ... W_{j+1}``.
    rank_around
        Rank of ``B_2 = W_{j-1} ... W_1 Sigma_XY W_L ... W_{i+1}``.
    tightened
        True if one of them equals the rank of the end-to-end map.
    """

    layers: tuple[int, int]
    rank_between: int
    rank_around: int
    tightened: bool


def pivots(ranks: Array, rank: int) -> tuple[Pivot, ...]:
    """Evaluate every pivot of an exact critical point.

    Parameters
    ----------
    ranks
        ``ranks[m, k]``: rank, off the signal, of the product of the ``m`` maps that end at node
        ``k`` of the cycle of layers.
    rank
        Rank ``r`` of the end-to-end map; the signal adds it to every product.

    Returns
    -------
    tuple of Pivot
        For ``i = 2..L``, ``j = 1..i-1``.

    Notes
    -----
    Status: theorem at exact ranks (Spec 4.3; Achour, Malgouyres, Gerchinovitz 2024). Leaving
    ``Sigma_XY`` out of ``B_2`` gives wrong answers.
    """
    depth = ranks.shape[1] - 1
    found = []
    for layers, between, around in pivot_arcs(depth):
        one, two = (
            rank + int(ranks[length - 1, (start + length - 1) % (depth + 1)])
            for start, length in (between, around)
        )
        tight = rank in {one, two}
        found.append(Pivot(layers=layers, rank_between=one, rank_around=two, tightened=tight))
    return tuple(found)
