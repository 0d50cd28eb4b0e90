"""Which singular directions of the target an end-to-end map has learned (Spec 4.2)."""

import dataclasses

import numpy as np

from thalweg._core import Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """Singular value decomposition of the target in the coordinates of the flow."""

    matrix: Array
    left: Array
    sigma: Array
    right: Array
    gap: float = 0.0
    """Singular values closer than this part of the largest are one repeated value."""

    @classmethod
    def of(cls, matrix: Array) -> "Target":
        """Decompose a target of shape ``(d_y, k)``."""
        left, sigma, right = np.linalg.svd(matrix, full_matrices=False)
        return cls(matrix=matrix, left=left, sigma=sigma, right=right)

    @property
    def clusters(self) -> list[range]:
        """The runs of equal positive singular values."""
        least = self.gap * self.sigma[0]
        positive = int(np.sum(self.sigma > least))
        out, begin = [], 0
        for i in range(1, positive + 1):
            if i == positive or self.sigma[i - 1] - self.sigma[i] > least:
                out.append(range(begin, i))
                begin = i
        return out

    def aligned(self, product: Array, gap: float) -> "Target":
        """Turn the bases of tied singular values so that what a map learned comes first.

        Inside the space of a repeated singular value the singular vectors are a choice; at a
        critical point the map ``P D`` is ``sigma`` times a projector there (Spec 4.7).
        """
        told = dataclasses.replace(self, gap=gap)
        left, right = self.left.copy(), self.right.copy()
        for cluster in told.clusters:
            if len(cluster) == 1:
                continue
            own = slice(cluster.start, cluster.stop)
            part = left[:, own].T @ product @ right[own].T
            turn = np.linalg.eigh(part + part.T)[1][:, ::-1]
            left[:, own] = left[:, own] @ turn
            right[own] = turn.T @ right[own]
        return dataclasses.replace(told, left=left, right=right)

    def choices(self, learned: tuple[int, ...]) -> int:
        """Return the dimension of the choice of what was learned of repeated singular values."""
        counts = [(sum(i in cluster for i in learned), len(cluster)) for cluster in self.clusters]
        return sum(some * (every - some) for some, every in counts)

    def covers_largest(self, learned: tuple[int, ...], wanted: int) -> bool:
        """Tell whether as much was learned of every repeated value as of the largest `wanted`.

        Values that are tied with zero do not count.
        """
        return all(
            sum(i in cluster for i in learned) >= sum(i < wanted for i in cluster)
            for cluster in self.clusters
        )

    def modes(self, product: Array) -> Array:
        """Return ``U^T (P D) V``, for one product or a stack of them."""
        out: Array = self.left.T @ product @ self.right.T
        return out

    def strengths(self, product: Array) -> Array:
        """Return how far each direction is learned: 0 not at all, 1 completely."""
        diagonal = np.diagonal(self.modes(product), axis1=-2, axis2=-1)
        safe = np.where(self.sigma > 0, self.sigma, 1.0)
        out: Array = np.where(self.sigma > 0, diagonal / safe, 0.0)
        return out

    def learned(self, product: Array) -> tuple[int, ...]:
        """Return the directions that are more than half learned."""
        return tuple(int(i) for i in np.flatnonzero(self.strengths(product) > 0.5))

    def distance(self, product: Array, learned: tuple[int, ...]) -> float:
        """Return ``||P D - T_S||_F`` for the learned set ``S``."""
        keep = list(learned)
        best = (self.left[:, keep] * self.sigma[keep]) @ self.right[keep]
        return float(np.linalg.norm(product - best))

    def value(self, learned: tuple[int, ...]) -> float:
        """Return the critical value ``0.5 * sum of sigma_i**2`` over what is not learned."""
        rest = np.delete(self.sigma, list(learned))
        return 0.5 * float(rest @ rest)
