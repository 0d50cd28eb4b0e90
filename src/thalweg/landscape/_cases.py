"""The names that the paper gives to critical points of shallow networks (Spec 4.4)."""

from thalweg._core import Array


def paper_case(depth: int, rank: int, ranks: Array | None) -> str | None:
    """Return the paper's case of a saddle with at most two hidden layers, else ``None``.

    ``ranks`` is the table of an exact critical point's ranks off the signal, see `pivots`.
    """
    if depth == 2:
        return "§4.1"
    if depth != 3 or ranks is None:
        return None
    if ranks[1, 2]:
        return "Prop. 3 (iii), r_Z > r"
    gone = not ranks[1, 3] and not ranks[2, 1]
    if rank == 0:
        return "Case 1.2" if gone else "Case 1.1"
    return "Case 2.2 / Remark 3" if gone else "Case 2.1"
