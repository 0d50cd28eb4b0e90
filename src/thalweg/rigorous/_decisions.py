"""The conditions of every theorem, one by one: holds, fails, or undecided."""

import dataclasses

from thalweg.certificate import Hypothesis
from thalweg.rigorous._balls import ball, down
from thalweg.rigorous._bottleneck import bottleneck_conditions, is_narrow
from thalweg.rigorous._facts import Facts
from thalweg.rigorous._rules import (
    admissible_pivots,
    basin_square,
    in_basin,
    spectra_for_ever,
)


def decided(name: str, bounds: tuple[float, float], message: str) -> Hypothesis:
    """State ``value > 0`` for a value within proved bounds; the value shown is the lower one."""
    low, high = bounds
    holds = True if low > 0.0 else (False if high <= 0.0 else None)
    return Hypothesis(name=name, holds=holds, value=low, threshold=0.0, message=message)


def hypotheses(known: Facts, pivot: int | None) -> tuple[Hypothesis, ...]:
    """Return the conditions of Remark 2, of the anytime certificate and of the basin."""
    later = bottleneck_conditions(known) if is_narrow(known) else _anytime(known)
    return (*_remark_2(known, pivot), *later, _basin(known))


def _remark_2(known: Facts, pivot: int | None) -> list[Hypothesis]:
    possible = admissible_pivots(known.dims)
    sizes = ", ".join(map(str, known.dims))
    out = [
        Hypothesis(
            name="remark-2: sizes rise up to a pivot layer and fall after it",
            holds=bool(possible),
            value=float(len(possible)),
            threshold=1.0,
            message=f"sizes are {sizes} (inputs that occur first); {len(possible)} pivot layer(s)",
            strict=False,
        )
    ]
    if not possible:
        return out
    proved = [down(table[-1]) for table in spectra_for_ever(known)]
    swapped = dataclasses.replace(
        known, imbalance_low=known.imbalance_high, imbalance_high=known.imbalance_low
    )
    at_most = [-down(-table[-1]) for table in spectra_for_ever(swapped)]

    def progress(j: int) -> tuple[int, float]:
        factors = [value for i, value in enumerate(proved, 1) if i != j]
        return sum(value > 0.0 for value in factors), min(factors, default=0.0)

    best = pivot or max(possible, key=progress)
    out += [
        decided(
            f"remark-2: layer {i} keeps full rank for ever",
            (proved[i - 1], at_most[i - 1]),
            f"bound on its least squared singular value from below: {proved[i - 1]:.3g}",
        )
        for i in range(1, len(proved) + 1)
        if i != best
    ]
    return out


def _anytime(known: Facts) -> tuple[Hypothesis, ...]:
    needed = min(known.dims[0], known.dims[-1])
    fits = Hypothesis(
        name="anytime: every direction can be learned",
        holds=known.learnable >= needed,
        value=float(known.learnable),
        threshold=float(needed),
        message=f"{known.learnable} of {needed} target directions are nonzero and fit the network",
        strict=False,
    )
    low, high = known.sigma_low[needed - 1], known.sigma_high[needed - 1]
    gap = (down(ball(low) - ball(known.error_high)), -down(ball(known.error_low) - ball(high)))
    text = f"||M|| = {known.error_high:.4g}, smallest singular value {low:.4g}"
    return fits, decided("anytime: the error is below the smallest singular value", gap, text)


def _basin(known: Facts) -> Hypothesis:
    least, most = basin_square(known), basin_square(known, low=False)
    if in_basin(known, known.error_high):
        value = down((ball(least) - ball(known.error_high) ** 2) / 2)
        holds: bool | None = True
    else:
        value = -down((ball(known.error_low) ** 2 - ball(most)) / 2)
        holds = False if value <= 0.0 else None
    return Hypothesis(
        name="basin: the loss is below every non-global critical value",
        holds=holds,
        value=value,
        threshold=0.0,
        message=(
            f"reducible loss {0.5 * known.error_high * known.error_high:.6g}, "
            f"next critical value {0.5 * least:.6g}"
        ),
    )
