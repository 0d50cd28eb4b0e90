"""The exact critical point next to a numerical one, by construction (Spec 4.8).

In the frames of the learned signal the weights split into that signal and free blocks. What keeps
the point from being critical is set to exact zero: components across the split, and those that
would make a product of ``L`` consecutive maps around the cycle differ from zero. The images of
such products form a flag at each node; maps that lower the flags satisfy every condition.
"""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, Weights
from thalweg.landscape._learned import Target
from thalweg.network import prefix_products, suffix_products

LADDER = 10.0 ** np.arange(-13.0, -2.0)
"""Relative sizes below which singular values of free blocks are set to zero, tried in turn."""
GAP = 100.0
"""How much larger than the distance moved, relatively, the kept singular values must be."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nearest:
    """An exactly critical point and the ranks of its products.

    Attributes
    ----------
    weights
        The point, up to the rounding of its evaluation, in the coordinates of the flow.
    distance
        Frobenius distance from the given weights, with a bound on that rounding.
    relative
        The same relative to the largest layer, at least the natural size of weights.
    ranks
        ``ranks[m, k]``: rank, off the signal, of the product of the ``m`` maps that end at node
        ``k`` of the cycle.
    kept
        Least singular value of a free block that counts as not zero, relative to its layer.
    """

    weights: list[Array]
    distance: float
    relative: float
    ranks: Array
    kept: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Split:
    """Frames of the signal at every layer, and the free blocks in them."""

    left: Array
    right: Array
    sigma: Array
    frames: list[Array]
    blocks: list[Array]
    link: Array


def nearest_critical(
    weights: Weights, metric: Array, target: Target, learned: tuple[int, ...]
) -> Nearest | None:
    """Return the exact critical point next to weights that learned given directions.

    Parameters
    ----------
    weights, metric, target
        Point and problem in reduced coordinates; singular values distinct and positive, not more
        outputs than inputs.
    learned
        Directions ``S``.

    Returns
    -------
    Nearest or None
        The first on a ladder of truncations whose kept singular values exceed the distance
        `GAP` times; ``None`` if there is none: no gap.

    Notes
    -----
    Status: derived. The gradient of the result vanishes in exact arithmetic for exact singular
    vectors of the target, whatever the rounding in the frames.
    """
    depth = len(weights)
    natural = float(target.sigma[0] / np.median(metric)) ** (1.0 / depth)
    size = max(natural, *(float(np.linalg.norm(weight, 2)) for weight in weights))
    try:
        split = _split(weights, metric, target, list(learned))
    except np.linalg.LinAlgError:
        return None
    scales = [max(float(np.linalg.norm(block, 2)), 1e-3 * natural) for block in split.blocks]
    scales[0] = max(scales[0], 1e-3 * natural * float(np.median(metric)))
    for floor in LADDER:
        found = _flags(split, scales, float(floor))
        if found is None:
            continue
        flags, ranks, kept = found
        point = _assemble(split, _lowered(split.blocks, flags, ranks), metric)
        shifts = [a - b for a, b in zip(weights, point, strict=True)]
        moved = float(np.sqrt(sum(np.sum(shift**2) for shift in shifts)))
        worst = max((float(np.linalg.cond(item)) for item in split.frames), default=1.0)
        distance = moved + 64 * EPS * worst * size
        if kept >= GAP * distance / size:
            return Nearest(
                weights=point, distance=distance, relative=distance / size, ranks=ranks, kept=kept
            )
    return None


def _split(weights: Weights, metric: Array, target: Target, keep: list[int]) -> _Split:
    left, sigma, right = np.linalg.svd(target.matrix)
    rest = [i for i in range(len(left)) if i not in keep]
    rest_in = [*rest, *range(len(left), len(right))]
    rank, depth = len(keep), len(weights)
    after, before = suffix_products(weights), prefix_products(weights)
    frames, shrink = [], [np.ones(rank)]
    for j in range(1, depth):
        front, back = before[j], after[j]
        assert front is not None and back is not None  # noqa: S101, PT018
        carried = front * metric @ right[keep].T
        norms = np.linalg.norm(carried, axis=0)
        normal = np.linalg.qr((left[:, keep].T @ back).T, mode="complete")[0][:, rank:]
        frames.append(np.hstack([carried / norms, normal]))
        shrink.append(1.0 / norms)
    blocks = []
    for j in range(1, depth + 1):
        moved = weights[j - 1] * metric @ right[rest_in].T if j == 1 else None
        if moved is None:
            moved = weights[j - 1] @ frames[j - 2][:, rank:]
        below = left[:, rest].T @ moved if j == depth else np.linalg.solve(frames[j - 1], moved)
        blocks.append(below if j == depth else below[rank:])
    link = np.zeros((len(rest_in), len(rest)))
    np.fill_diagonal(link, sigma[rest])
    return _Split(
        left=left[:, keep + rest],
        right=right[keep + rest_in].T,
        sigma=np.concatenate([sigma[keep], *shrink]),
        frames=frames,
        blocks=blocks,
        link=link,
    )


def _flags(
    split: _Split, scales: list[float], floor: float
) -> tuple[list[Array], Array, float] | None:
    """Return nested bases at every node and their dimensions, or ``None`` if not nilpotent."""
    depth = len(split.blocks)
    nodes = [split.blocks[0].shape[1], *(len(block) for block in split.blocks)]
    ranks = np.zeros((depth + 1, depth + 1), int)
    ranks[0] = nodes
    spans: list[list[Array]] = [[np.eye(size) for size in nodes]]
    kept = np.inf
    for m in range(depth):
        images = [np.linalg.qr(split.link @ spans[m][depth])[0]]
        for j, (block, scale) in enumerate(zip(split.blocks, scales, strict=True), 1):
            basis, values, _ = np.linalg.svd(block @ spans[m][j - 1], full_matrices=False)
            count = int(np.sum(values > floor * scale))
            if count:
                kept = min(kept, float(values[count - 1]) / scale)
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
    whole = np.linalg.qr(split.link @ bases[-1], mode="complete")[0]
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


def _assemble(split: _Split, blocks: list[Array], metric: Array) -> list[Array]:
    """Return the weights with exact signal and given free blocks."""
    depth = len(blocks)
    rank = split.left.shape[1] - len(blocks[-1])
    parts = split.sigma.reshape(depth + 1, rank)
    sigma, shrink = parts[0], parts[1:]
    out: list[Array] = []
    for j, block in enumerate(blocks, 1):
        core = np.zeros((rank + block.shape[0], rank + block.shape[1]))
        signal = sigma * shrink[j - 1] if j == depth else shrink[j - 1] / shrink[j]
        core[:rank, :rank] = np.diag(signal)
        core[rank:, rank:] = block
        core = np.asarray((split.left if j == depth else split.frames[j - 1]) @ core)
        core = core @ split.right.T if j == 1 else np.linalg.solve(split.frames[j - 2].T, core.T).T
        out.append(core)
    out[0] = out[0] / metric
    return out
