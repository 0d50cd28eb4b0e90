"""A validated tube around a computed trajectory, until it lies in the basin (Spec 3.5).

On each step a polynomial ``p`` with double coefficients stands for the trajectory. Let ``e`` be the
distance of the true trajectory from it, at most ``r`` at the beginning (plus the jump between the
end of the last polynomial and the first coefficient of this one, enclosed exactly). While
``e < R`` its growth is ``e' <= mu e + defect`` with ``mu = -lambda_min(Hessian at the centre) +
Lip (excursion + R)``, hence ``e < (r + h defect) max(1, exp(mu h))``. If that is below ``R``, then
``e`` never reaches ``R`` (it is continuous), and the bound at the end of the step is proved.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.rigorous._balls import Ball, ball, down, middles, precision, up, upper_root
from thalweg.rigorous._bounds import NormBounds
from thalweg.rigorous._defect import defect, end_values, excursion, polynomials
from thalweg.rigorous._facts import Facts
from thalweg.rigorous._flow_data import FlowData, distance, flow_data, nearest
from thalweg.rigorous._growth import Centre, centre, least_curvature
from thalweg.rigorous._inputs import Inputs
from thalweg.rigorous._rules import anytime_rate, basin_square, in_basin
from thalweg.rigorous._taylor import reach, taylor

BITS = 106
DEGREE = 16
ACCURACY = 1e-17
GROWTH = 0.2
"""Aim for what the Lipschitz term adds to the exponent of growth in one step."""
MAX_STEPS = 1000
HALVINGS = 12
LONGEST = 1e6
MAX_WEIGHTS = 100
"""The Hessian is enclosed densely at every step."""
SLACK = 1 + 2.0**-20
"""Radii are enlarged by this, so that a verifier with other roundings finds them large enough."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tube:
    """Where the trajectory was enclosed, and whether it was proved to enter the basin.

    Attributes
    ----------
    entered
        Whether the tube lies in the basin at `time`.
    time, radius
        The last proved time, rounded down, and the radius of the tube there.
    rate
        Anytime rate from there on; 0.0 if none.
    steps
        Number of steps.
    reason
        Why it was lost; empty if it was not.
    record
        The steps with exact coefficients, for the proof.
    """

    entered: bool
    time: float
    radius: float
    rate: float
    steps: int
    reason: str
    record: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One proved step: length, curvature at its middle, radius never left, radius at its end."""

    length: float
    curvature: float
    assumed: float
    series: list[Array]
    end: list[Array]
    radius: Ball


def follow_to_basin(inputs: Inputs, known: Facts, bounds: NormBounds) -> Tube:
    """Enclose the trajectory from the start until the loss proves its limit.

    Parameters
    ----------
    inputs
        The exact problem and start.
    known, bounds
        Proved facts about the start; norms of layers hold for all time.

    Returns
    -------
    Tube
        Entered, or lost with time and reason.
    """
    with precision(BITS):
        data = flow_data(inputs)
        point, radius = nearest(data.start)  # doubles already: the radius is 0
        count = sum(weight.size for weight in point)
        if count > MAX_WEIGHTS:
            why = f"{count} weights are too many to follow, at most {MAX_WEIGHTS} are"
            return _tube({"time": 0.0, "rate": 0.0}, radius, [], why)
        steps: list[Step] = []
        time, reason = ball(0), f"the budget of {MAX_STEPS} steps is used up"
        metric = upper_root(ball(known.metric_high))
        level = math.sqrt(basin_square(known))
        while len(steps) < MAX_STEPS:
            here = centre(point, data, metric)
            if up(here.error) < level:
                error = up(here.error_within(radius) * SLACK)
                if in_basin(known, error):
                    rate = anytime_rate(known, bounds, error)
                    end = {"time": up(time), "error": error, "rate": rate}
                    return _tube(end, radius, steps)
            step = _advance(point, radius, data, metric)
            if step is None:
                reason = f"no further step could be proved with a tube of radius {up(radius):.3g}"
                break
            steps.append(step)
            point, radius, time = step.end, step.radius, time + ball(step.length)
        return _tube({"time": down(time), "rate": 0.0}, radius, steps, reason)


def _tube(end: dict[str, float], radius: Ball, steps: list[Step], reason: str = "") -> Tube:
    """Assemble the result; a tube without a reason for its loss has entered."""
    entered = not reason
    told = [
        {
            "length": step.length,
            "curvature": step.curvature,
            "assumed": step.assumed,
            "radius": up(step.radius),
            "coefficients": step.series,
        }
        for step in steps
    ]
    last = steps[-1].end if steps else []
    record = {"entered": entered, **end, "radius": up(radius), "end": last, "steps": told}
    return Tube(
        entered=entered,
        time=end["time"],
        radius=up(radius),
        rate=end["rate"],
        steps=len(steps),
        reason=reason,
        record=record,
    )


def _advance(point: list[Array], radius: Ball, data: FlowData, metric: Ball) -> Step | None:
    """Try steps of decreasing length until one is proved."""
    with np.errstate(all="ignore"):
        series = taylor(point, middles(data.second), middles(data.cross), DEGREE)
        length = _first_length(series, radius, centre(point, data, metric))
    for _ in range(HALVINGS):
        if not (length > 0.0 and all(np.isfinite(item).all() for item in series)):
            return None
        step = _prove(point, radius, series, (data, metric), length)
        if step is not None:
            return step
        length *= 0.5
    return None


def _first_length(series: list[Array], radius: Ball, here: Centre) -> float:
    """Choose a step that Taylor's remainder and the Lipschitz term should allow."""
    size, speed = (
        float(np.sqrt(sum(float(np.sum(item[k] ** 2)) for item in series))) for k in (0, 1)
    )
    length = min(reach(series, ACCURACY * max(1.0, size)), LONGEST)
    bend = max(0.5 * up(here.lipschitz(radius)) * speed, GROWTH / LONGEST**2)
    return min(length, math.sqrt(GROWTH / bend))


def _prove(
    point: list[Array],
    radius: Ball,
    series: list[Array],
    flow: tuple[FlowData, Ball],
    length: float,
) -> Step | None:
    """Prove one step, or return ``None``."""
    data, metric = flow
    powers = length ** np.arange(DEGREE + 1)
    scaled = [item * powers[:, np.newaxis, np.newaxis] for item in series]
    for item, weight in zip(scaled, point, strict=True):
        item[0] = weight
    layers = [polynomials(item) for item in scaled]
    middle, moved = excursion(layers)
    at, off = nearest(middle)
    lowest = least_curvature(at, data)
    if lowest is None or not lowest.is_finite():
        return None
    lowest = ball(-up(-lowest))
    wrong = defect(layers, data, length)
    begin = (radius + wrong).upper()
    here = centre(at, data, metric)
    guess = here.lipschitz(moved + off + radius) * (moved + off + radius) - lowest
    assumed = ball(up(2 * begin * _factor(guess, length)))
    reached = (moved + off + assumed).upper()
    growth = (here.lipschitz(reached) * reached - lowest).upper()
    if not begin * _factor(growth, length) < assumed:
        return None
    end = (radius * (growth * ball(length)).exp() + wrong * _factor(growth, length)).upper()
    values = end_values(layers)
    nearby, _ = nearest(values)
    jump = distance(values, nearby)
    return Step(
        length=length,
        curvature=up(lowest),
        assumed=up(assumed),
        series=scaled,
        end=nearby,
        radius=ball(up((end + jump) * SLACK)),
    )


def _factor(growth: Ball, length: float) -> Ball:
    """Return ``max(1, exp(growth length))``."""
    return (growth * ball(length)).exp().max(ball(1))
