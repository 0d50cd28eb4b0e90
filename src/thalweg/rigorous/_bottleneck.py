"""Rate near the best value of a bottleneck, from proved facts (Spec 3.4; docs/certificates.md).

With ``r`` the narrowest size, ``r < min(d_y, k)``, ``E`` the loss above ``1/2 sum_{i>r} sigma_i^2``
and ``delta = sigma_r^2 - sigma_{r+1}^2``: if ``E < delta / 4``, then ``E`` decays at least like
``exp(-2 kappa t)``, ``kappa = (sigma_r - sqrt(2 E))^2 min(sigma_min(D)^2 / (||D||^2 sup ||W_1||^2),
1 / sup ||W_L||^2) / (1 + (sigma_1^2 + sigma_{r+1}^2 + 2 E) / (delta - 4 E))``.
"""

import dataclasses

from thalweg.certificate import Hypothesis
from thalweg.rigorous._balls import Ball, ball, down, up, upper_root
from thalweg.rigorous._bounds import NormBounds
from thalweg.rigorous._facts import Facts


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bottleneck:
    """What is proved near the best value; all rounded against the claim.

    Attributes
    ----------
    rate
        ``kappa``; 0.0 if nothing is proved.
    excess_root
        Upper bound on ``sqrt(2 E)``.
    least_loss
        Upper bound on the loss that is approached.
    """

    rate: float
    excess_root: float
    least_loss: float


def is_narrow(known: Facts) -> bool:
    """Tell whether a hidden layer is narrower than inputs and outputs."""
    return min(known.dims) < min(known.dims[0], known.dims[-1])


def bottleneck(known: Facts, bounds: NormBounds) -> Bottleneck:
    """Evaluate the rate of a bottleneck; nothing is claimed where there is none."""
    r = min(known.dims)
    if not is_narrow(known) or known.learnable != r:
        return Bottleneck(rate=0.0, excess_root=0.0, least_loss=0.0)
    rest = sum((ball(value) ** 2 for value in known.sigma_high[r:]), start=ball(0))
    root = up(upper_root(_twice_excess(known, low=False)))
    twice = ball(root) ** 2
    sigma = [ball(value) for value in known.sigma_high]
    room = ball(known.sigma_low[r - 1]) ** 2 - sigma[r] ** 2 - 2 * twice
    kept = ball(known.sigma_low[r - 1]) - ball(root)
    rate = 0.0
    if room > 0 and kept > 0:
        ratio = ball(known.metric_low) / ball(known.metric_high)
        first, last = (ratio / ball(bounds.squares[0]), 1 / ball(bounds.squares[-1]))
        steep = sigma[0] ** 2 + sigma[r] ** 2 + twice
        rate = max(down(kept**2 * -(-first).max(-last) / (1 + steep / room)), 0.0)
    return Bottleneck(rate=rate, excess_root=root, least_loss=up(rest / 2))


def _twice_excess(known: Facts, *, low: bool) -> Ball:
    """Bound ``2 E`` from below or from above."""
    r = min(known.dims)
    values = known.sigma_high if low else known.sigma_low
    error = known.error_low if low else known.error_high
    return ball(error) ** 2 - sum((ball(value) ** 2 for value in values[r:]), start=ball(0))


def bottleneck_conditions(known: Facts) -> tuple[Hypothesis, ...]:
    """Return the conditions of that rate, one by one."""
    r = min(known.dims)
    fits = Hypothesis(
        name="bottleneck: every direction that fits can be learned",
        holds=known.learnable == r,
        value=float(known.learnable),
        threshold=float(r),
        message=f"{known.learnable} of the {r} directions that fit are nonzero",
        strict=False,
    )
    low, high = (
        (ball(a[r - 1]) ** 2 - ball(b[r]) ** 2) / 4 - _twice_excess(known, low=not lower) / 2
        for a, b, lower in (
            (known.sigma_low, known.sigma_high, True),
            (known.sigma_high, known.sigma_low, False),
        )
    )
    least, most = down(low), up(high)
    return (
        fits,
        Hypothesis(
            name="bottleneck: the excess loss is below a quarter of the gap",
            holds=True if least > 0.0 else (False if most <= 0.0 else None),
            value=least,
            threshold=0.0,
            message=(
                f"excess at most {0.5 * up(_twice_excess(known, low=False)):.4g}, "
                f"squared gap after direction {r}: "
                f"{known.sigma_low[r - 1] ** 2 - known.sigma_high[r] ** 2:.4g}"
            ),
        ),
    )
