"""What the loss level alone proves about the limit (Spec 3.4)."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, numerical_rank
from thalweg.certificate._hypothesis import MARGIN


@dataclasses.dataclass(frozen=True, kw_only=True)
class Levels:
    """Critical levels of the reducible loss for one target and bottleneck.

    Attributes
    ----------
    sigma
        Singular values of the target, scaled like the loss, non-increasing.
    rank
        Number of directions learned at a global minimum: ``min(bottleneck, rank of T)``.
    least
        The reducible loss at global minima.
    gap
        ``sigma_rank**2 - sigma_{rank + 1}**2``, less a bound on rounding errors.
    basin
        Below this loss the limit is a global minimum (Spec 3.4 b).
    """

    sigma: Array
    rank: int
    least: float
    gap: float
    basin: float

    @property
    def lowered(self) -> Array:
        """Singular values less a bound on their rounding errors."""
        return np.maximum(self.sigma - _rounding(self.sigma), 0.0)

    def guaranteed(self, loss: float) -> int:
        """Return the largest ``q`` such that directions ``1..q`` are provably learned (3.4 a)."""
        allowed = 0.5 * self.lowered[: self.rank] ** 2
        return int(np.sum(loss < allowed * (1.0 - MARGIN)))

    def in_basin(self, loss: float) -> bool:
        """Tell whether the loss proves that the limit is a global minimum."""
        return loss < self.basin * (1.0 - MARGIN)


def _rounding(sigma: Array) -> float:
    """Bound the rounding errors of singular values: relative to the largest one."""
    return 16 * EPS * float(sigma[0]) if len(sigma) else 0.0


def levels(target: Array, bottleneck: int) -> Levels:
    """Compute the levels that decide (Spec 3.4).

    Every critical value is ``0.5 * sum of sigma_i**2`` over what is not learned, with at most
    ``bottleneck`` directions learned. The least one leaves out the first ``rank``; the next one
    exchanges or drops the last of them.

    Parameters
    ----------
    target
        ``T``, in units in which the loss is ``0.5 * ||T - P D||**2``.
    bottleneck
        ``min(dims)``.

    Returns
    -------
    Levels
        Thresholds.
    """
    sigma: Array = np.linalg.svd(target, compute_uv=False).astype(np.float64)
    rank = min(bottleneck, numerical_rank(sigma, (target.shape[0], target.shape[1])))
    rest = float(sigma[rank:].dot(sigma[rank:]))
    if rank == 0:
        return Levels(sigma=sigma, rank=0, least=0.5 * rest, gap=np.inf, basin=np.inf)
    last, follower = float(sigma[rank - 1]), float(sigma[rank]) if rank < len(sigma) else 0.0
    gap = max((last - follower - 2.0 * _rounding(sigma)) * (last + follower), 0.0)
    return Levels(sigma=sigma, rank=rank, least=0.5 * rest, gap=gap, basin=0.5 * (rest + gap))
