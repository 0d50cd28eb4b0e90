"""The exact critical point next to a numerical one, by construction (Spec 4.8).

What keeps the point from being critical is set to exact zero: components across the split of
signal and free blocks, and those that would make a product of ``L`` consecutive maps around the
cycle differ from zero. The images of such products form a flag at each node; maps that lower the
flags satisfy every condition.
"""

import dataclasses

import numpy as np

from thalweg._core import Array, Weights, median
from thalweg.landscape._learned import Target
from thalweg.landscape._split import Split, split

LADDER = 10.0 ** np.arange(-13.0, -2.0)
"""Relative sizes below which singular values of free blocks are set to zero, tried in turn."""
GAP = 100.0
"""How much larger than the distance moved, relatively, the kept singular values must be."""

NEARER = 4.0
"""How much less must be set to zero for other, unclear ranks to cast doubt on clear ones."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nearest:
    """An exactly critical point and the ranks of its products.

    Attributes
    ----------
    weights
        The point, up to the rounding of its evaluation, in the coordinates of the flow.
    split, blocks
        Its parts; the blocks satisfy every condition by their pattern of zeros.
    distance
        Frobenius distance from the given weights, with a bound on that rounding.
    relative
        The same relative to the largest layer, at least the natural size of weights.
    ranks
        ``ranks[m, k]``: rank, off the signal, of the product of the ``m`` maps that end at node
        ``k`` of the cycle.
    kept
        Least singular value of a free block that counts as not zero, relative to the same:
        how far the weights would have to move for it to vanish. Infinite if all vanish.
    clear
        True if `kept` exceeds `relative` at least `GAP` times; otherwise the ranks are a guess.
    """

    weights: list[Array]
    split: Split
    blocks: list[Array]
    distance: float
    relative: float
    ranks: Array
    kept: float

    @property
    def clear(self) -> bool:
        """Tell whether what was kept and what was set to zero are far apart."""
        return self.kept >= GAP * self.relative


def nearest_critical(
    weights: Weights,
    metric: Array,
    target: Target,
    learned: tuple[int, ...],
    moved: float = 0.0,
) -> Nearest | None:
    """Return the exact critical point next to weights that learned given directions.

    Parameters
    ----------
    weights, metric, target
        Point and problem in reduced coordinates; singular values positive, not more outputs than
        inputs.
    learned
        Directions ``S``.
    moved
        How far the weights have been moved already; it counts as a part of the distance.

    Returns
    -------
    Nearest or None
        The first on a ladder of truncations with a clear gap, unless an earlier one sets `NEARER`
        times less to zero: then that, whose ranks are a guess. Without a clear one the one with
        the widest gap; ``None`` if no truncation makes the point critical.

    Notes
    -----
    Status: derived. The gradient of the result vanishes in exact arithmetic for exact singular
    vectors of the target, whatever the rounding in the frames.
    """
    natural = float(target.sigma[0] / median(metric)) ** (1.0 / len(weights))
    size = max(natural, *(float(np.linalg.norm(weight, 2)) for weight in weights))
    try:
        parts = split(weights, metric, target, learned)
    except np.linalg.LinAlgError:
        return None
    # The first block is what W_1 does after the metric.
    usual = [natural * median(metric), *([natural] * (len(weights) - 1))]
    scales = [
        max(float(np.linalg.norm(block, 2)), 1e-3 * least)
        for block, least in zip(parts.blocks, usual, strict=True)
    ]
    best: Nearest | None = None
    closest: tuple[float, Nearest] | None = None
    for floor in LADDER:
        found = _flags(parts, scales, float(floor))
        if found is None:
            continue
        flags, ranks, least = found
        kept = least / size
        blocks = _lowered(parts.blocks, flags, ranks)
        point = parts.assemble(blocks)
        shifts = [a - b for a, b in zip(weights, point, strict=True)]
        crossed = float(np.sqrt(sum(np.sum(shift**2) for shift in shifts)))
        distance = moved + crossed + parts.rounding
        trial = Nearest(
            weights=point,
            split=parts,
            blocks=blocks,
            distance=distance,
            relative=distance / size,
            ranks=ranks,
            kept=kept,
        )
        if trial.clear:
            if closest is not None and NEARER * max(closest[0], parts.noise, moved) < crossed:
                return closest[1]
            return trial
        if closest is None or crossed < closest[0]:
            closest = crossed, trial
        if best is None or kept * best.relative > best.kept * trial.relative:
            best = trial
    return best


def _flags(
    parts: Split, scales: list[float], floor: float
) -> tuple[list[Array], Array, float] | None:
    """Return nested bases at every node and their dimensions, or ``None`` if not nilpotent."""
    depth = len(parts.blocks)
    nodes = [parts.blocks[0].shape[1], *(len(block) for block in parts.blocks)]
    ranks = np.zeros((depth + 1, depth + 1), int)
    ranks[0] = nodes
    spans: list[list[Array]] = [[np.eye(size) for size in nodes]]
    kept = np.inf
    # What a change of W_1 does to the first block is multiplied by the metric.
    units = [float(parts.metric.max()), *([1.0] * (depth - 1))]
    for m in range(depth):
        images = [np.linalg.qr(parts.link @ spans[m][depth])[0]]
        for j, (block, scale) in enumerate(zip(parts.blocks, scales, strict=True), 1):
            basis, values, _ = np.linalg.svd(block @ spans[m][j - 1], full_matrices=False)
            count = int(np.sum(values > floor * scale))
            if count:
                kept = min(kept, float(values[count - 1]) / units[j - 1])
            images.append(basis[:, :count])
        spans.append(images)
        ranks[m + 1] = [image.shape[1] for image in images]
        if np.any(ranks[m + 1] > ranks[m]):
            return None
    if ranks[depth].any():
        return None
    bases = []
    for node in range(1, depth + 1):
        basis = np.zeros((nodes[node], 0))
        for m in range(depth, -1, -1):
            image = spans[m][node]
            beside = image - basis @ (basis.T @ image)
            more = np.linalg.svd(beside, full_matrices=False)[0]
            more = more[:, : ranks[m, node] - basis.shape[1]]
            basis = np.linalg.qr(np.hstack([basis, more]))[0]
        bases.append(basis)
    # At the inputs the flag is what the link makes of the outputs' flag, not an estimate.
    whole = np.linalg.qr(parts.link @ bases[-1], mode="complete")[0]
    return [whole, *bases], ranks, kept


def _lowered(blocks: list[Array], flags: list[Array], ranks: Array) -> list[Array]:
    """Return the blocks without what does not lower the flags."""
    out = []
    for j, block in enumerate(blocks, 1):
        inside = flags[j].T @ block @ flags[j - 1]
        for column in range(inside.shape[1]):
            level = int(np.sum(ranks[:, j - 1] > column))
            inside[ranks[level, j] :, column] = 0.0
        out.append(flags[j] @ inside @ flags[j - 1].T)
    return out
