"""Which saddles an end-to-end map is near to (Spec 5.4), as lane_plateau.hpp computes it."""

import dataclasses

import numpy as np
import numpy.typing as npt

from thalweg._core import Array, DataError, numerical_rank

CLOSENESS = 0.2  # the same as in limit/_plateaus.py
MOST_MODES = 50  # a learned set is a number whose bits are directions


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Modes:
    """The singular value decomposition ``T = left^T diag(sigma) right`` and what is recorded.

    Attributes
    ----------
    left, sigma, right
        Shapes ``(d_y, d_y)``, ``(r,)``, ``(r, k)``.
    rank
        How many directions a global minimum learns; nearness to global minima is no plateau.
    room
        Plateaus that are kept of each start.
    """

    left: Array
    sigma: Array
    right: Array
    rank: int
    room: int

    @classmethod
    def of(cls, target: Array, dims: tuple[int, ...], room: int) -> "Modes":
        """Decompose the target."""
        left, sigma, right = np.linalg.svd(target)
        if len(sigma) > MOST_MODES:
            raise DataError(
                f"plateaus need at most {MOST_MODES} singular values, T has {sigma.size}"
            )
        signs = np.sign(np.diagonal(left[:, : len(sigma)])) if len(sigma) else np.ones(0)
        signs = np.where(signs == 0, 1.0, signs)
        left, right = left.copy(), right[: len(sigma)] * signs[:, np.newaxis]
        left[:, : len(sigma)] *= signs
        return cls(
            left=np.ascontiguousarray(left.T),
            sigma=np.ascontiguousarray(sigma),
            right=np.ascontiguousarray(right),
            rank=min(min(dims), numerical_rank(sigma, (target.shape[0], target.shape[1]))),
            room=room,
        )

    def place(self, product: Array) -> tuple[int, float]:
        """Return which saddles a map ``P D`` is near to, -1 for none, and how near."""
        learned = np.asarray(self._strengths(product) > 0.5)
        label = sum(1 << int(i) for i in np.flatnonzero(learned))
        if label == (1 << self.rank) - 1:
            return -1, np.inf
        distance = self._distance(product, learned)
        return (label if distance <= CLOSENESS else -1), distance

    def outside(self, product: Array, label: int) -> float:
        """Return a number that is positive where a map is not near the saddles of `label`."""
        learned = np.array([label >> i & 1 for i in range(len(self.sigma))], dtype=bool)
        over = self._strengths(product) - 0.5
        worst = float(np.max(np.where(learned, -over, over), initial=-np.inf))
        distance = self._distance(product, learned)
        return max(worst, float(np.log(max(distance / CLOSENESS, 1e-150))))

    def _strengths(self, product: Array) -> Array:
        reached = np.sum((self.left @ product)[: len(self.sigma)] * self.right, axis=1)
        out: Array = np.divide(
            reached, self.sigma, out=np.zeros_like(reached), where=self.sigma > 0
        )
        return out

    def _distance(self, product: Array, learned: npt.NDArray[np.bool_]) -> float:
        away = self.left @ product
        away[: len(self.sigma)] -= (learned * self.sigma)[:, np.newaxis] * self.right
        rest, known = self.sigma[~learned], self.sigma[learned]
        scale = float(rest[0]) if len(rest) and rest[0] > 0 else float(self.sigma[0])
        scale = min(scale, float(np.min(known, initial=np.inf)))
        return float(np.linalg.norm(away)) / scale if scale > 0 else np.inf
