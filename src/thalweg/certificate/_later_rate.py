"""Rates that hold from a computed point on, because its loss is low (Spec 3.3, 3.4)."""

import dataclasses
import functools
import math

import numpy as np

from thalweg._core import Array
from thalweg.certificate._basin import Levels
from thalweg.certificate._hypothesis import MARGIN, Hypothesis, counted, decide


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """What the later rates need to know of a point, in reduced coordinates.

    Attributes
    ----------
    dims
        ``(k, d_1, ..., d_L)``.
    error
        ``||M||_F``.
    target, metric, known
        The problem and its levels.
    """

    dims: tuple[int, ...]
    error: float
    target: Array
    metric: Array
    known: Levels

    @property
    def full(self) -> int:
        """Rank that the target can have: ``min(d_y, k)``."""
        return int(min(self.target.shape))

    @property
    def narrow(self) -> bool:
        """Whether a hidden layer is narrower than that."""
        return min(self.dims) < self.full

    @functools.cached_property
    def product_floor(self) -> float:
        """Lower bound of ``sigma_{d_y}(W_L ... W_1)`` for all later times, where ``d_y <= k``.

        From ``P D = T - M`` at once, or restricted to the first ``m`` inputs, the ones of the
        largest metric: ``P_m = (T_m - M_m) D_m^{-1}``.
        """
        d_y, k = self.target.shape
        best = (float(self.known.sigma[d_y - 1]) - self.error) / float(self.metric.max())
        for m in range(d_y, k + 1):
            head = self.target[:, :m] / self.metric[:m]
            floor = float(np.linalg.svd(head, compute_uv=False)[d_y - 1])
            best = max(best, floor - self.error / float(self.metric[:m].min()))
        return best

    @property
    def loss(self) -> float:
        """The reducible loss."""
        return 0.5 * self.error * self.error

    @property
    def least(self) -> float:
        """The loss that a rate leads to."""
        return self.known.least if self.narrow else 0.0

    def conditions(self) -> list[Hypothesis]:
        """List the hypotheses of the rule that can apply."""
        return _narrow_conditions(self) if self.narrow else _wide_conditions(self)

    def rate(self, bounds: Array) -> float:
        """Return the rate for these bounds on the layers (0 if a hypothesis is not decided).

        Parameters
        ----------
        bounds
            On ``||W_j||_2`` from the point on, in the coordinates of the flow.

        Returns
        -------
        float
            ``L(t) - least <= (L - least) exp(-2 rate t)``.

        Notes
        -----
        Status: theorems about the flow restarted at the computed point (Spec 3.3 and, with a
        bottleneck, docs/certificates.md).
        """
        if not all(item.holds is True for item in self.conditions()):
            return 0.0
        rate = _narrow_rate(self, bounds) if self.narrow else _wide_rate(self, bounds)
        return max(rate, 0.0) * (1.0 - MARGIN)


def _wide_conditions(point: Point) -> list[Hypothesis]:
    sigma = float(point.known.sigma[point.full - 1])
    rank = point.known.rank
    what = f"{rank} of {point.full} target directions are nonzero and fit the bottleneck"
    return [
        counted("anytime: every direction can be learned", rank, point.full, what),
        decide(
            "anytime: the error is below the smallest singular value",
            sigma - point.error,
            0.0,
            f"||M|| = {point.error:.4g}, smallest singular value {sigma:.4g}",
            MARGIN * max(sigma, point.error),
        ),
    ]


def _wide_rate(point: Point, bounds: Array) -> float:
    """Add what the first layer (if ``d_y <= k``) and the last (if ``k <= d_y``) contribute.

    The product ``P D`` keeps full rank, so the layers after the first transmit every error, and
    those before the last do.
    """
    d_y, k = point.target.shape
    sigma = float(point.known.sigma[point.full - 1])
    rate = 0.0
    if d_y <= k and bounds[0] > 0.0:
        rate += (point.metric.min() * point.product_floor / bounds[0]) ** 2
    if k <= d_y and len(point.dims) > 2 and bounds[-1] > 0.0:
        rate += ((sigma - point.error) / bounds[-1]) ** 2
    return float(rate)


def _narrow_conditions(point: Point) -> list[Hypothesis]:
    r = min(point.dims)
    sigma = point.known.sigma
    gap = float((sigma[r - 1] - sigma[r]) * (sigma[r - 1] + sigma[r]))
    excess = max(point.loss - point.known.least, 0.0)
    usable = point.known.rank == r
    return [
        counted(
            "bottleneck: every direction that fits can be learned",
            point.known.rank,
            r,
            f"{point.known.rank} of the {r} directions that fit are nonzero",
        ),
        decide(
            "bottleneck: the excess loss is below a quarter of the gap",
            0.25 * gap - excess if usable else -excess,
            0.0,
            f"excess {excess:.4g}, a quarter of the squared gap after direction {r}: "
            f"{0.25 * gap:.4g}",
            MARGIN * max(point.loss, point.known.least, gap),
        ),
    ]


def _narrow_rate(point: Point, bounds: Array) -> float:
    """Rate near the best loss of the bottleneck ``r`` (docs/certificates.md).

    With ``E`` the excess loss: ``||grad L||^2 >= c (sigma_r - sqrt(2 E))^2 2 E / Lambda``, where
    ``Lambda`` bounds the excess by the part of the error that lies in the product's row and
    column spaces.
    """
    r = min(point.dims)
    sigma, metric = point.known.sigma, point.metric
    # Rounding of the difference may only make the excess larger.
    top = max(point.loss, point.known.least)
    excess = max(point.loss - point.known.least, 0.0) + MARGIN * top
    gap = float((sigma[r - 1] - sigma[r]) * (sigma[r - 1] + sigma[r]))
    steep = float(sigma[0] ** 2 + sigma[r] ** 2 + 2.0 * excess)
    room = gap - 4.0 * excess
    kept = float(sigma[r - 1]) - math.sqrt(2.0 * excess)
    if room <= 0.0 or kept <= 0.0:
        return 0.0
    ratio = float(metric.min() / metric.max())
    weakest = min((ratio / bounds[0]) ** 2, (1.0 / bounds[-1]) ** 2)
    return float(kept**2 * weakest / (1.0 + steep / room))
