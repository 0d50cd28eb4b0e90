"""The names that the paper gives to critical points of shallow networks (Spec 4.4)."""

import numpy as np

from thalweg._core import Array, Weights
from thalweg.landscape._canonical import off_signal
from thalweg.landscape._learned import Target
from thalweg.landscape._pivots import product_rank


def paper_case(
    weights: Weights, metric: Array, target: Target, learned: tuple[int, ...]
) -> str | None:
    """Return the paper's case of a saddle with at most two hidden layers, else ``None``."""
    depth, rank = len(weights), len(learned)
    if depth == 2:
        return "§4.1"
    if depth != 3:
        return None
    middle = product_rank(weights[1], float(np.linalg.norm(weights[1], 2)))
    if middle is None:
        return None
    if middle > rank:
        return "Prop. 3 (iii), r_Z > r"
    frames = off_signal(weights, metric, target, learned)
    first = frames[1] @ weights[0] * metric @ target.right.T
    last = weights[2] @ frames[2]
    sizes = [float(np.linalg.norm(weights[0] * metric, 2)), float(np.linalg.norm(weights[2], 2))]
    gone = all(
        np.linalg.norm(part, 2) <= 1e-9 * max(size, 1e-300)
        for part, size in zip((first, last), sizes, strict=True)
    )
    if rank == 0:
        return "Case 1.2" if gone else "Case 1.1"
    return "Case 2.2 / Remark 3" if gone else "Case 2.1"
