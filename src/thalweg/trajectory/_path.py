"""Consecutive pieces of an integration as one path in the coordinates of the data."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, as_scalar
from thalweg.conserved import drift_scales, imbalance
from thalweg.integrate import LARGEST, Solution, packed, project, project_large
from thalweg.network import end_to_end, unpack
from thalweg.problem import Compression, Problem

LEAST_POINTS, MOST_POINTS, MOST_NUMBERS = 400, 2000, 2_000_000
"""Points of a trajectory that are shown, fewer if it is large; `Path.compressed_at` knows all."""
SMOOTH = 400
"""Points of a piece below which long steps are shown with points inside."""
LARGE_POINTS, LARGE_NUMBERS = (32, 100), 4_000_000
"""Of a large network, points at which the end-to-end map is computed, and entries in all."""
REPAIR = 1e-13
LARGE_REPAIR = 1e-13
"""Relative drift of the conserved matrices that is not repaired further, the second for networks
beyond the compiled core."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Path:
    """A trajectory in compressed coordinates with the way back to the data.

    Attributes
    ----------
    problem, start, compression
        The problem, the user's start and its compression.
    pieces
        From `solve`, each beginning where the one before ended.
    """

    problem: Problem
    start: list[Array]
    compression: Compression
    pieces: list[Solution]

    @functools.cached_property
    def parts(self) -> list[Solution]:
        """The pieces with points inside their longest steps, computed when series are asked for."""
        return [piece.refined(SMOOTH) for piece in self.pieces]

    @functools.cached_property
    def t(self) -> Array:
        """Times of accepted steps, thinned on long runs."""
        return self._joined([part.t for part in self.parts])

    @functools.cached_property
    def loss(self) -> Array:
        """Reducible loss at `t`."""
        return self._joined([part.loss for part in self.parts])

    @functools.cached_property
    def gradient_norm(self) -> Array:
        """Gradient norm at `t`, in the coordinates of the flow."""
        return self._joined([part.gradient_norm for part in self.parts])

    @functools.cached_property
    def y(self) -> Array:
        """Packed compressed weights at `t`, with the conserved matrices put right."""
        raw = self._joined([np.asarray(part.y) for part in self.parts])
        return self._project(raw, overwrite=True)

    @property
    def large(self) -> bool:
        """Whether the points were too large to be kept; then they are integrated again."""
        return not isinstance(self.pieces[0].y, np.ndarray)

    def visit(self) -> Iterator[list[Array]]:
        """Give the compressed weights of a large network at each of `t`, as integrated.

        The conserved matrices are not repaired, which would cost more than the run. What is given
        may be overwritten when the next one is asked for.
        """
        begin = 0
        for k, part in enumerate(self.parts):
            steps = self._shown - begin
            inside = steps[(steps >= min(k, 1)) & (steps < len(part.t))]
            for y in part.visit(inside.tolist()):
                yield unpack(y, self.compression.dims)
            begin += len(part.t) - 1

    def at_index(self, index: int) -> list[Array]:
        """Return compressed weights at ``t[index]``, conserved matrices put right."""
        if self.large:
            return self.compressed_at(float(self.t[index]))
        return unpack(self.y[index], self.compression.dims)

    def _joined(self, pieces: list[Array]) -> Array:
        return np.asarray(self._whole(pieces)[self._shown], dtype=np.float64)

    @staticmethod
    def _whole(pieces: list[Array]) -> Array:
        return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])

    @functools.cached_property
    def _shown(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Numbers of the points that are shown: half evenly among steps, half among log times."""
        t = self._whole([part.t for part in self.parts])
        most = min(MOST_POINTS, max(LEAST_POINTS, MOST_NUMBERS // self.parts[0].y.shape[1]))
        if self.large:
            few, many = LARGE_POINTS
            dims = self.compression.dims
            most = min(many, max(few, LARGE_NUMBERS // (dims[0] * dims[-1])))
        if len(t) <= most:
            return np.arange(len(t))
        even = np.linspace(0, len(t) - 1, most // 2).astype(np.int64)
        times = np.geomspace(max(t[1], 1e-12 * t[-1]), t[-1], most // 2)
        return np.union1d(even, np.minimum(np.searchsorted(t, times), len(t) - 1))

    @functools.cached_property
    def _conserved(self) -> list[Array]:
        return imbalance(self.compression.weights)

    def _project(self, rows: Array, *, overwrite: bool = False) -> Array:
        if len(self._conserved) == 0:
            return rows
        enough = REPAIR * min(drift_scales(self.compression.weights))
        dims = self.compression.dims
        return project(rows, dims, self._conserved, enough, overwrite=overwrite)

    def stack(self) -> list[Array]:
        """Return compressed weights over `t`: one array ``(K, d_j, d_{j-1})`` for each layer."""
        return unpack(self.y, self.compression.dims)

    @functools.cached_property
    def series(self) -> tuple[Array, Array]:
        """End-to-end maps ``P D`` over `t` in reduced coordinates and the drift of ``C_j``.

        Shapes ``(K, d_y, k)`` and ``(K,)``. The drift is relative (Spec 2.2); of a large network
        it is that of the weights as integrated, and Frobenius norms bound the spectral ones.
        """
        reduced = self.problem.reduce(self.start)
        scales = np.array([scale if scale > 0 else 1.0 for scale in drift_scales(reduced)])
        if not self.large:
            layers = self.stack()
            return self._product(layers), self._drift(layers, scales, 2)
        products, drifts = [], []
        for layers in self.visit():
            products.append(self._product(layers))
            drifts.append(self._drift(layers, scales, "fro"))
        return np.stack(products), np.array(drifts)

    def _drift(self, layers: list[Array], scales: Array, order: Any) -> Array:
        worst: Array = np.zeros(layers[0].shape[:-2])
        for now, then, scale in zip(imbalance(layers), self._conserved, scales, strict=True):
            change = np.linalg.norm(now - then, ord=order, axis=(-2, -1)).astype(np.float64)
            worst = np.maximum(worst, change / scale)
        return worst

    def _product(self, layers: list[Array]) -> Array:
        product = end_to_end(layers) * self.compression.metric
        before, after = self.compression.frames[0], self.compression.frames[-1]
        if before is not None:
            product = product @ before.T
        return product if after is None else after @ product

    def compressed_at(self, t: float) -> list[Array]:
        """Return compressed weights at a time inside the path."""
        t = as_scalar(t, "t")
        first, last = float(self.pieces[0].t[0]), float(self.pieces[-1].t[-1])
        if not first <= t <= last:
            raise DataError(f"t = {t:g} is outside the run [{first:g}, {last:g}]; integrate longer")
        piece = next(item for item in self.pieces if t <= item.t[-1])
        return self.conserving(piece.at(t))

    def conserving(self, weights: list[Array]) -> list[Array]:
        """Put the conserved matrices of compressed weights right by a gauge transformation.

        The end-to-end map does not change, so a minimum or a saddle stays what it is.
        """
        flat, dims = packed(weights), self.compression.dims
        if flat.size > LARGEST and self._conserved:
            enough = LARGE_REPAIR * min(drift_scales(self.compression.weights))
            return unpack(project_large(flat, dims, self._conserved, enough), dims)
        return unpack(self._project(flat[np.newaxis])[0], dims)

    def to_data(self, weights: list[Array]) -> list[Array]:
        """Map compressed weights to the coordinates of the data."""
        return self.problem.lift(self.compression.expand(weights), like=self.start)

    def to_reduced(self, weights: list[Array]) -> list[Array]:
        """Map compressed weights to reduced coordinates."""
        return self.compression.expand(weights)
