"""Consecutive pieces of an integration as one path in the coordinates of the data."""

import dataclasses
import functools
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, as_scalar
from thalweg.conserved import drift_scales, imbalance
from thalweg.integrate import Solution, project
from thalweg.network import unpack
from thalweg.problem import Compression, Problem

LEAST_POINTS, MOST_POINTS, MOST_NUMBERS = 400, 2000, 2_000_000
"""Points of a trajectory that are shown, fewer if it is large; `Path.compressed_at` knows all."""
REPAIR = 1e-14
"""Relative drift of the conserved matrices that is not repaired further."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Path:
    """A trajectory in compressed coordinates with the way back to the data.

    Attributes
    ----------
    problem, start, compression
        The problem, the user's start and its compression.
    parts
        Pieces from `solve`, each beginning where the one before ended.
    """

    problem: Problem
    start: list[Array]
    compression: Compression
    parts: list[Solution]

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
        return self._project(self._raw)

    @functools.cached_property
    def _raw(self) -> Array:
        return self._joined([part.y for part in self.parts])

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
        if len(t) <= most:
            return np.arange(len(t))
        even = np.linspace(0, len(t) - 1, most // 2).astype(np.int64)
        times = np.geomspace(max(t[1], 1e-12 * t[-1]), t[-1], most // 2)
        return np.union1d(even, np.minimum(np.searchsorted(t, times), len(t) - 1))

    @functools.cached_property
    def _conserved(self) -> list[Array]:
        return imbalance(self.compression.weights)

    def _project(self, rows: Array) -> Array:
        if len(self._conserved) == 0:
            return rows
        enough = REPAIR * min(drift_scales(self.compression.weights))
        return project(rows, self.compression.dims, self._conserved, enough)

    def stack(self) -> list[Array]:
        """Return compressed weights over `t`: one array ``(K, d_j, d_{j-1})`` for each layer."""
        return self._layers(self.y)

    def _layers(self, rows: Array) -> list[Array]:
        dims, out, begin = self.compression.dims, [], 0
        for j in range(len(dims) - 1):
            end = begin + dims[j] * dims[j + 1]
            out.append(rows[:, begin:end].reshape(-1, dims[j + 1], dims[j]))
            begin = end
        return out

    def products(self) -> Array:
        """Return the end-to-end maps ``P D`` over `t` in reduced coordinates, ``(K, d_y, k)``.

        Putting the conserved matrices right does not change them, so that is left out.
        """
        layers = self._layers(self._raw)
        product = layers[-1]
        for layer in reversed(layers[:-1]):
            product = product @ layer
        product = product * self.compression.metric
        before, after = self.compression.frames[0], self.compression.frames[-1]
        if before is not None:
            product = product @ before.T
        return product if after is None else after @ product

    def compressed_at(self, t: float) -> list[Array]:
        """Return compressed weights at a time inside the path."""
        t = as_scalar(t, "t")
        first, last = float(self.parts[0].t[0]), float(self.parts[-1].t[-1])
        if not first <= t <= last:
            raise DataError(f"t = {t:g} is outside the run [{first:g}, {last:g}]; integrate longer")
        part = next(item for item in self.parts if t <= item.t[-1])
        return self.conserving(part.at(t))

    def conserving(self, weights: list[Array]) -> list[Array]:
        """Put the conserved matrices of compressed weights right by a gauge transformation.

        The end-to-end map does not change, so a minimum or a saddle stays what it is.
        """
        flat = np.concatenate([item.ravel() for item in weights])
        return unpack(self._project(flat[np.newaxis])[0], self.compression.dims)

    def to_data(self, weights: list[Array]) -> list[Array]:
        """Map compressed weights to the coordinates of the data."""
        return self.problem.lift(self.compression.expand(weights), like=self.start)

    def to_reduced(self, weights: list[Array]) -> list[Array]:
        """Map compressed weights to reduced coordinates."""
        return self.compression.expand(weights)
