"""Leaving out directions that never move and never matter (Spec 1.5)."""

import dataclasses
import math
from typing import Any

import numpy as np

from thalweg._core import Array, Weights, numerical_rank
from thalweg.network import pack, unit_labels, unpack


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compression:
    """Weights of an equivalent smaller network, and the way back.

    Attributes
    ----------
    weights, target, metric
        The smaller network in reduced coordinates ``(T, D)``; its flow is the original one.
    frames
        ``Q_0 .. Q_L`` with orthonormal columns (``None`` is the identity):
        ``W_j = Q_j W_j' Q_{j-1}^T``.
    exact
        True if only sizes decided (a layer wider than its neighbours together); False if a
        numerical rank of the start did.
    """

    weights: list[Array]
    target: Array
    metric: Array
    frames: list[Array | None]
    exact: bool

    @property
    def dims(self) -> tuple[int, ...]:
        """Layer sizes of the smaller network."""
        return (self.weights[0].shape[1], *(weight.shape[0] for weight in self.weights))

    def expand(self, weights: Weights) -> list[Array]:
        """Map weights of the smaller network back."""
        out = []
        for j, weight in enumerate(weights):
            before, after = self.frames[j], self.frames[j + 1]
            item = weight if before is None else weight @ before.T
            out.append(item if after is None else after @ item)
        return out


def _live(target: Array) -> int:
    """Return how many columns there are up to the last one that is not zero."""
    if target[:, -1:].any():
        return int(target.shape[1])  # as nearly always
    return int(np.max(np.flatnonzero(target.any(axis=0)), initial=-1)) + 1


def _unit(matrix: Array) -> Array:
    size = math.sqrt(float(np.vdot(matrix, matrix)))
    return matrix / size if size > 0 else matrix


def _range(columns: Array) -> Array | None:
    """Return an orthonormal basis of the column space, or ``None`` if it is everything."""
    shape = columns.shape[0], columns.shape[1]
    values: Array = np.linalg.svd(columns, compute_uv=False).astype(np.float64)
    if numerical_rank(values, shape) == shape[0]:
        return None  # as nearly always
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    rank = max(1, numerical_rank(values, shape))
    return None if rank == shape[0] else np.ascontiguousarray(left[:, :rank])


def _null_frame(block: Array, size: int, keep: int) -> Array | None:
    """Return a frame that keeps the first `keep` axes and the row space of `block` behind them."""
    frame = _range(block.T)
    if frame is None:
        return None
    full = np.zeros((size, keep + frame.shape[1]))
    full[:keep, :keep] = np.eye(keep)
    full[keep:, keep:] = frame
    return full


def _apart(frame: Array, columns: Array, labels: Any) -> Array:
    """Return a basis of the column space that does not mix rows with different labels.

    Zeros between parts of the network keep these apart for ever, which a basis that mixes them
    would hide behind rounding errors. `frame` is the basis to be returned for a single part.
    """
    names = np.unique(labels)
    if len(names) == 1 or not columns.any():
        return frame
    bases = []
    for name in names:
        rows = np.flatnonzero(labels == name)
        if not columns[rows].any():
            continue
        part = _range(columns[rows])
        part = np.eye(len(rows)) if part is None else part
        basis = np.zeros((len(columns), part.shape[1]))
        basis[rows] = part
        bases.append(basis)
    return np.ascontiguousarray(np.hstack(bases))


def compress(weights: Weights, target: Array, metric: Array) -> Compression:
    """Compress hidden layers to the rank of ``[W_j  W_{j+1}^T]``, and null inputs and outputs.

    A hidden direction on which both neighbouring matrices vanish stays zero for ever. Inputs on
    which the target vanishes and the metric is constant may be rotated among themselves, hence
    only as many matter as ``W_1`` has independent columns there; outputs likewise.

    Parameters
    ----------
    weights
        Start, in reduced coordinates.
    target, metric
        ``T`` of shape ``(d_y, k)`` and ``D`` of length ``k``.

    Returns
    -------
    Compression
        Isometric to the original flow from this start. Theorem (Spec 1.5) for exact ranks; with
        ``exact=False`` the rank is numerical, and parts of the start at rounding level are
        dropped.
    """
    depth = len(weights)
    small = list(weights)
    frames: list[Array | None] = [None] * (depth + 1)
    exact = True
    live = _live(target)
    tail = metric[live:]
    if len(tail) > 1 and np.all(tail == tail[0]):
        frame = _null_frame(small[0][:, live:], len(metric), live)
        if frame is not None:
            exact &= frame.shape[1] - live >= min(small[0].shape[0], len(tail))
            small[0], target, frames[0] = small[0] @ frame, target @ frame, frame
            metric = metric[: frame.shape[1]]
    live = _live(target.T)
    if len(target) - live > 1:
        frame = _null_frame(small[-1][live:].T, len(target), live)
        if frame is not None:
            exact &= frame.shape[1] - live >= min(small[-1].shape[1], len(target) - live)
            small[-1], target, frames[depth] = frame.T @ small[-1], frame.T @ target, frame
    changed = True
    while changed:
        changed = False
        for j in range(depth - 1):
            columns = np.concatenate([_unit(small[j]), _unit(small[j + 1].T)], axis=1)
            frame = _range(columns)
            if frame is None:
                continue
            frame = _apart(frame, columns, unit_labels(small, target)[j + 1])
            if frame.shape[1] == len(columns):
                continue
            exact &= frame.shape[1] == columns.shape[1]
            small[j], small[j + 1] = frame.T @ small[j], small[j + 1] @ frame
            old = frames[j + 1]
            frames[j + 1] = frame if old is None else old @ frame
            changed = True
    sizes = (small[0].shape[1], *(weight.shape[0] for weight in small))
    return Compression(
        weights=unpack(pack(small), sizes),  # side by side, as the integrator takes them
        target=np.ascontiguousarray(target),
        metric=metric.copy(),
        frames=frames,
        exact=exact,
    )
