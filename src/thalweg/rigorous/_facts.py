"""Doubles that are proved to bound the quantities of a certificate; every rule starts here.

Rounding outward at this one place makes the rest checkable by anybody: each fact is a plain
inequality between a double and an eigenvalue, a norm or a rank of an exactly known matrix.
"""

import dataclasses

from thalweg.rigorous._balls import ball, down, up, upper_root
from thalweg.rigorous._quantities import Quantities


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """Proved bounds.

    Attributes
    ----------
    dims
        ``(k, d_1, ..., d_L)`` without inputs that never occur.
    target_rank
        Exact rank of the target.
    error_high, error_low
        Bounds on ``||M||_F`` at the start.
    sigma_low, sigma_high
        For each singular value of the target, largest first.
    metric_low, metric_high
        Bounds on the spectrum of the squared metric.
    whitening_low
        Lower bound on the spectrum of ``X X^T`` for whitened flows, else 1.
    imbalance_low, imbalance_high
        For each ``C_j`` bounds on every eigenvalue, ascending.
    frozen_high
        Bound on the part of ``W_1`` that never moves.
    """

    dims: tuple[int, ...]
    target_rank: int
    error_high: float
    error_low: float
    sigma_low: tuple[float, ...]
    sigma_high: tuple[float, ...]
    metric_low: float
    metric_high: float
    whitening_low: float
    imbalance_low: tuple[tuple[float, ...], ...]
    imbalance_high: tuple[tuple[float, ...], ...]
    frozen_high: float

    @property
    def learnable(self) -> int:
        """Number of directions learned at a global minimum."""
        return min(*self.dims, self.target_rank)


def facts(found: Quantities, dims: tuple[int, ...]) -> Facts:
    """Round every quantity outward to doubles."""
    # Beyond the exact rank a singular value is zero, whatever its ball says.
    sigma = [
        value if i < found.target_rank else ball(0) for i, value in enumerate(found.sigma_squares)
    ]
    return Facts(
        dims=dims,
        target_rank=found.target_rank,
        error_high=up(upper_root(found.error_square)),
        error_low=_root_down(found.error_square),
        sigma_low=tuple(_root_down(value) for value in sigma),
        sigma_high=tuple(up(upper_root(value)) for value in sigma),
        metric_low=max(down(found.metric_low), 0.0),
        metric_high=up(found.metric_high),
        whitening_low=max(down(found.whitening), 0.0),
        imbalance_low=tuple(tuple(map(down, values)) for values in found.spectra),
        imbalance_high=tuple(tuple(map(up, values)) for values in found.spectra),
        frozen_high=up(found.frozen),
    )


def _root_down(square: object) -> float:
    """Return a nonnegative double below the root of a nonnegative number."""
    low = down(square)
    return max(down(ball(low).sqrt()), 0.0) if low > 0.0 else 0.0
