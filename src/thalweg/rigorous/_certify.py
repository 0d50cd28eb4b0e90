"""From exact doubles to a certificate with its proof."""

import math
from typing import Any

import numpy as np

from thalweg._core import as_weights
from thalweg.problem import Problem
from thalweg.rigorous._balls import ball, precision, up, upper_root
from thalweg.rigorous._bottleneck import bottleneck
from thalweg.rigorous._bounds import NormBounds, norm_bounds
from thalweg.rigorous._certificate import RigorousCertificate
from thalweg.rigorous._decisions import hypotheses
from thalweg.rigorous._facts import Facts, facts
from thalweg.rigorous._inputs import Inputs, exact_inputs
from thalweg.rigorous._proof import SOURCES, build_proof
from thalweg.rigorous._quantities import quantities
from thalweg.rigorous._rules import anytime_rate, guaranteed, in_basin, pivot_rate
from thalweg.rigorous._tube import Tube, follow_to_basin

LADDER = (53, 106, 256, 512)
"""Precisions tried in turn, until every condition is decided and every bound is sharp."""
SHARP = 1e-11


def certify_rigorous(p: Problem, w: Any, *, follow: bool = False) -> RigorousCertificate:
    """Prove what can be proved about the flow from given weights, in ball arithmetic.

    Parameters
    ----------
    p
        The problem.
    w
        Weights in the coordinates of the data; they are taken as exact doubles.
    follow
        Enclose the trajectory from `w` in a validated tube until it lies in the basin of the
        global minima.

    Returns
    -------
    RigorousCertificate
        Only what is proved; a condition that no precision separates is ``None``.

    Raises
    ------
    DimensionError
        If the weights do not fit the problem.
    MissingExtraError
        If python-flint is not installed.

    Notes
    -----
    Status: theorems (Spec 3.1-3.5), proved for the doubles that the proof records. Whether these
    are the user's data or their rounded reduction is said in `message` (docs/rigorous.md).

    Examples
    --------
    >>> import thalweg as tw
    >>> p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    >>> c = tw.certify(p, [[[1.5, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.5]]], rigorous=True)
    >>> c.status, c.converges_to_global
    ('proved', True)
    """
    inputs = exact_inputs(p, as_weights(w, p.dims), follow=follow)
    known, bounds, bits = _climb(inputs)
    tube = None
    if follow and known is not None and bounds is not None and not _global(known, bounds):
        tube = follow_to_basin(inputs, known, bounds)
    return _certificate(inputs, known, bounds, bits, tube)


def _climb(inputs: Inputs) -> tuple[Facts | None, NormBounds | None, int]:
    """Evaluate with more and more digits until nothing more is to be gained."""
    dims = (int(np.count_nonzero(inputs.seen)), *inputs.dims[1:])
    known: Facts | None = None
    bounds: NormBounds | None = None
    used = LADDER[-1]
    for bits in LADDER:
        with precision(bits):
            found = quantities(inputs)
            if found is None:
                continue
            now = facts(found, dims)
            if not now.metric_low > 0.0:
                continue
            known, bounds, used = now, norm_bounds(now), bits
            told = hypotheses(known, None)
        if bounds is not None and all(item.holds is not None for item in told) and _sharp(known):
            break
    return known, bounds, used


def _sharp(known: Facts) -> bool:
    """Tell whether the bounds that matter are within `SHARP` of each other."""
    scale = known.sigma_high[0] + known.error_high
    pairs = [(known.error_low, known.error_high)]
    pairs += zip(known.sigma_low, known.sigma_high, strict=True)
    return all(high - low <= SHARP * scale for low, high in pairs)


def _global(known: Facts, bounds: NormBounds) -> bool:
    with precision(LADDER[1]):
        return (
            in_basin(known, known.error_high)
            or pivot_rate(known).rate > 0.0
            or anytime_rate(known, bounds, known.error_high) > 0.0
            or bottleneck(known, bounds).rate > 0.0
        )


def _certificate(
    inputs: Inputs,
    known: Facts | None,
    bounds: NormBounds | None,
    bits: int,
    tube: Tube | None,
) -> RigorousCertificate:
    depth = len(inputs.weights)
    if known is None or bounds is None:
        return _nothing(inputs, depth, bits)
    with precision(max(bits, LADDER[1])):
        first = pivot_rate(known)
        second = anytime_rate(known, bounds, known.error_high)
        narrow = bottleneck(known, bounds)
        rate, rule = max((first.rate, "remark-2"), (max(second, narrow.rate), "anytime"))
        rule = rule if rate > 0.0 else "none"
        at_once = in_basin(known, known.error_high) or rate > 0.0
        entered = tube is not None and tube.entered
        certain = at_once or entered
        count = known.learnable if certain else guaranteed(known, known.error_high)
        loss = up(ball(known.error_high) ** 2 / 2)
        moving = [up(upper_root(ball(square))) for square in bounds.squares]
        # Excess over the loss that is approached: over zero, or over that of the bottleneck.
        twice = ball(narrow.excess_root) ** 2 if narrow.rate > 0.0 else 2 * ball(loss)
        path = up(upper_root(twice / ball(rate))) if rate > 0.0 else math.inf
        claims: dict[str, Any] = {
            "root_last": bounds.root_last,
            "root_first": bounds.root_first,
            "norm_squares": bounds.squares,
            "flow_norm_bounds": moving,
            "norm_bounds": [_seen_by_user(known, bounds), *moving[1:]],
            "rate_remark_2": first.rate,
            "rate_anytime": second,
            "rate_bottleneck": narrow.rate,
            "excess_root": narrow.excess_root,
            "least_loss": narrow.least_loss,
            "reducible_loss": loss,
            "path_bound": path if rate > 0.0 else None,
            "converges_to_global": at_once,
            "guaranteed": known.learnable if at_once else guaranteed(known, known.error_high),
        }
        told = hypotheses(known, first.pivot)
        if entered:
            claims["entered"] = True
    # A tube that was lost proves nothing.
    record = tube.record if tube is not None and entered else None
    proof = build_proof(inputs, known, claims, bits, record)
    return RigorousCertificate(
        time=0.0,
        rule=rule,
        rate=rate,
        pivot=first.pivot if rule == "remark-2" else None,
        reducible_loss=loss,
        least_loss=narrow.least_loss if narrow.rate > 0.0 else 0.0,
        norm_bounds=np.array(claims["norm_bounds"]),
        flow_norm_bounds=np.array(moving),
        path_bound=path,
        converges_to_global=True if certain else None,
        guaranteed=tuple(range(count)),
        hypotheses=told,
        message=_sentence(inputs, known, (rule, rate, count), tube, certain=certain),
        status="proved" if (certain if tube is not None else certain or count) else "undecided",
        source=inputs.source,
        precision=bits,
        entered_at=tube.time if tube is not None and entered else None,
        tube_radius=None if tube is None else tube.radius,
        rate_after_entry=tube.rate if tube is not None and entered else 0.0,
        lost_at=tube.time if tube is not None and not entered else None,
        _proof=proof,
    )


def _seen_by_user(known: Facts, bounds: NormBounds) -> float:
    """Bound ``||W_1||`` in the coordinates of the data: unwhitened, and with what never moves."""
    square = ball(bounds.squares[0]) / ball(known.whitening_low) + ball(known.frozen_high) ** 2
    return up(upper_root(square))


def _nothing(inputs: Inputs, depth: int, bits: int) -> RigorousCertificate:
    """Say that not even the elementary quantities could be enclosed."""
    unknown = np.full(depth, math.inf)
    return RigorousCertificate(
        time=0.0,
        rule="none",
        rate=0.0,
        reducible_loss=math.inf,
        norm_bounds=unknown,
        flow_norm_bounds=unknown.copy(),
        path_bound=math.inf,
        converges_to_global=None,
        guaranteed=(),
        hypotheses=(),
        message=(
            f"nothing is proved: a number is beyond the range of doubles, or an input is so "
            f"nearly a combination of others that {bits} bits do not tell"
        ),
        status="undecided",
        source=inputs.source,
        precision=bits,
    )


def _sentence(
    inputs: Inputs,
    known: Facts,
    found: tuple[str, float, int],
    tube: Tube | None,
    *,
    certain: bool,
) -> str:
    rule, rate, count = found
    parts = []
    if certain and tube is not None:
        parts.append(
            f"the trajectory from the start enters the basin of the global minima by t = "
            f"{tube.time:.6g} (tube radius {tube.radius:.2g}), so the limit is a global minimum"
        )
    elif certain:
        parts.append("the limit is a global minimum")
    elif count:
        parts.append(f"the first {count} of {known.learnable} directions will be learned")
    if rate > 0.0:
        parts.append(f"the loss decays at least like exp(-2 x {rate:.3g} t) ({rule})")
    about = f" [{SOURCES[inputs.source]}]" if inputs.source == "reduced" else ""
    lost = ""
    if tube is not None and not tube.entered:
        lost = f"; the trajectory was followed to t = {tube.time:.6g}: {tube.reason}"
    if not parts:
        return f"nothing beyond boundedness is proved at this point{lost}{about}"
    return "proved: " + "; ".join(parts) + lost + about
