"""Weights near a critical point, split into the learned signal and free blocks (Spec 4.5, 4.6).

``A_j V_S`` carries the signal into layer ``j``, ``U_S^T B_j`` reads it there. In a frame whose
first columns are the former and whose others span the kernel of the latter, a critical point is
``W_j = diag(signal, Z_j)``: the blocks ``Z_1, ..., Z_L`` together with ``N``, the target restricted
to what is not learned, are the maps around the cycle of layers.
"""

import dataclasses
import itertools

import numpy as np

from thalweg._core import EPS, Array, Weights
from thalweg.landscape._learned import Target
from thalweg.network import prefix_products, suffix_products


@dataclasses.dataclass(frozen=True, kw_only=True)
class Split:
    """Frames of the signal at every layer, and the free blocks in them.

    Attributes
    ----------
    left, right
        Orthonormal bases of outputs and inputs, learned directions first.
    signal
        Diagonal of each layer on the signal, shape ``(L, r)``.
    frames
        Bases of the hidden layers, signal first.
    blocks
        ``Z_1, ..., Z_L``.
    link
        ``N``: from outputs to inputs, diagonal.
    metric
        ``D``.
    noise
        First-order bound on what rounding does to the parts.
    rounding
        The same for a point assembled from them, with that of the target's singular vectors.
    """

    left: Array
    right: Array
    signal: Array
    frames: list[Array]
    blocks: list[Array]
    link: Array
    metric: Array
    noise: float
    rounding: float

    @property
    def rank(self) -> int:
        """Number of learned directions."""
        return int(self.signal.shape[1])

    def assemble(self, blocks: list[Array]) -> list[Array]:
        """Return the weights with this signal and given free blocks."""
        return self._lift(blocks, self.signal)

    def direction(self, blocks: list[Array]) -> list[Array]:
        """Return the change of the weights when the free blocks change by given ones."""
        return self._lift(blocks, np.zeros_like(self.signal))

    def _lift(self, blocks: list[Array], signal: Array) -> list[Array]:
        depth, rank = len(blocks), self.rank
        out: list[Array] = []
        for j, block in enumerate(blocks):
            core = np.zeros((rank + block.shape[0], rank + block.shape[1]))
            core[:rank, :rank] = np.diag(signal[j])
            core[rank:, rank:] = block
            above = self.left if j == depth - 1 else self.frames[j]
            below = self.right.T if j == 0 else np.linalg.inv(self.frames[j - 1])
            out.append(above @ core @ below)
        out[0] = out[0] / self.metric
        return out


def split(weights: Weights, metric: Array, target: Target, learned: tuple[int, ...]) -> Split:
    """Split weights whose end-to-end map is close to that of a learned set.

    Parameters
    ----------
    weights, metric, target
        Point and problem in reduced coordinates, not more outputs than inputs.
    learned
        Directions ``S``.

    Returns
    -------
    Split
        Its own `assemble` of its own blocks is the point, less what crosses the split.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a frame is singular: the signal does not pass some layer.
    """
    depth, keep = len(weights), list(learned)
    rest = [i for i in range(len(target.sigma)) if i not in learned]
    beyond = np.linalg.qr(target.right.T, mode="complete")[0][:, len(target.sigma) :]
    left = target.left[:, keep + rest]
    right = np.hstack([target.right[keep + rest].T, beyond])
    rank = len(keep)
    after, before = suffix_products(weights), prefix_products(weights)
    frames, shrink = [], [np.ones(rank)]
    for front, back in zip(before[1:depth], after[1:depth], strict=True):
        assert front is not None and back is not None  # noqa: S101, PT018
        carried = front * metric @ right[:, :rank]
        norms = np.linalg.norm(carried, axis=0)
        normal = np.linalg.qr((left[:, :rank].T @ back).T, mode="complete")[0][:, rank:]
        frames.append(np.hstack([carried / norms, normal]))
        shrink.append(1.0 / norms)
    shrink.append(1.0 / target.sigma[keep])
    blocks = []
    for j, weight in enumerate(weights):
        moved = weight * metric @ right if j == 0 else weight @ frames[j - 1]
        inner = left.T @ moved if j == depth - 1 else np.linalg.solve(frames[j], moved)
        blocks.append(inner[rank:, rank:])
    link = np.zeros((right.shape[1] - rank, len(rest)))
    np.fill_diagonal(link, target.sigma[rest])
    worst = max((float(np.linalg.cond(item)) for item in frames), default=1.0)
    # Exact singular vectors differ from computed ones by rounding over the gap to other values.
    ends = np.array([target.sigma[cluster.start] for cluster in target.clusters] + [0.0])
    turned = float(target.sigma[0] / (-np.diff(ends)).min())
    size = max(float(np.linalg.norm(weight, 2)) for weight in weights)
    unit = 8 * EPS * (sum(weights[0].shape) + depth) * size
    return Split(
        left=left,
        right=right,
        signal=np.array([above / below for above, below in itertools.pairwise(shrink)]),
        frames=frames,
        blocks=blocks,
        link=link,
        metric=metric,
        noise=unit * worst,
        rounding=unit * (worst + turned),
    )
