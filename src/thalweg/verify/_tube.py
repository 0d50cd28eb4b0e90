"""Checking a validated tube again, step by step, in exact integers.

A polynomial with integer coefficients is packed into one integer, its value at a power of two
large enough that the coefficients of the result can be read off: the defect comes out exactly.
"""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from thalweg.verify._claims import anytime_rate, in_basin
from thalweg.verify._curvature import Centre, curvature_at_least
from thalweg.verify._exact import Exact
from thalweg.verify._facts import Setting
from thalweg.verify._read import Proof
from thalweg.verify._rounding import exp_up, root_up, round_up

ZERO = Fraction(0)
Series = list[list[list[float]]]
"""Coefficients of one layer: power, row, column."""


def wrong_tube(proof: Proof, setting: Setting) -> Iterator[str]:
    """Yield the first thing that is wrong with the tube."""
    tube = proof.tube
    assert tube is not None  # noqa: S101
    if not setting.raw:
        yield "a tube is checked for raw flows only"
        return
    point, radius, time, stated = setting.weights, ZERO, ZERO, ZERO
    metric = root_up(Fraction(proof.facts["metric_high"]))
    for number, step in enumerate(tube["steps"]):
        series: list[Series] = step["coefficients"]
        start = [Exact.of(layer[0]) for layer in series]
        jump = _distance(point, start)
        if number == 0 and jump != 0:
            yield "the tube does not begin at the weights"
            return
        if radius + jump > stated:
            yield f"step {number - 1}: the radius at the end is too small"
            return
        end = _advance(step, radius + jump, setting, metric)
        if isinstance(end, str):
            yield f"step {number}: {end}"
            return
        point, stated = [_sum_of(layer) for layer in series], Fraction(step["radius"])
        radius, time = end, time + Fraction(step["length"])
    yield from _outcome(proof, setting, (point, radius, time))


def _outcome(
    proof: Proof, setting: Setting, last: tuple[list[Exact], Fraction, Fraction]
) -> Iterator[str]:
    tube, (point, radius, time) = proof.tube or {}, last
    if not (proof.claims["entered"] is True and tube["entered"] is True):
        yield "the tube is not said to enter the basin"
        return
    end = [Exact.of(layer) for layer in tube["end"]]
    radius += _distance(point, end)
    metric = root_up(Fraction(proof.facts["metric_high"]))
    error = Fraction(tube["error"])
    if Fraction(tube["radius"]) < radius or Fraction(tube["time"]) < time:
        yield "radius or time at the end is too small"
    if error < Centre(end, setting, metric).error_within(Fraction(tube["radius"])):
        yield "the error at the end is too small"
    if not in_basin(proof.facts, error):
        yield "the tube does not end in the basin"
    if Fraction(tube["rate"]) > anytime_rate(proof.facts, proof.claims, error):
        yield "the rate after entry does not follow"


def _advance(
    step: dict[str, Any], radius: Fraction, setting: Setting, metric: Fraction
) -> Fraction | str:
    """Return the proved radius at the end of a step, or what is wrong with it.

    `radius` includes the jump to the first coefficient of the step.
    """
    length, assumed = Fraction(step["length"]), Fraction(step["assumed"])
    if not length > 0:
        return "its length is not positive"
    series: list[Series] = step["coefficients"]
    middle, moved = _middle(series)
    if not curvature_at_least(middle, setting, Fraction(step["curvature"])):
        return "the curvature is less than stated"
    wrong = defect(series, setting, length)
    centre = Centre([Exact.of(layer) for layer in middle], setting, metric)
    reached = moved + assumed
    growth = length * (centre.lipschitz(reached) * reached - Fraction(step["curvature"]))
    factor = max(Fraction(1), exp_up(growth))
    if not (radius + wrong) * factor < assumed:
        return "the assumed radius is not confirmed"
    return round_up(radius * exp_up(growth) + wrong * factor)


def _sum_of(layer: Series) -> Exact:
    """Return ``p(1)`` exactly."""
    parts = [Exact.of(matrix) for matrix in layer]
    shift = max(part.shift for part in parts)
    scaled = [
        [[value * 2 ** (shift - part.shift) for value in row] for row in part.rows]
        for part in parts
    ]
    rows = [
        [sum(values) for values in zip(*rows, strict=True)] for rows in zip(*scaled, strict=True)
    ]
    return Exact(rows, shift)


def _distance(one: list[Exact], two: list[Exact]) -> Fraction:
    """Bound the Frobenius distance from above; exactly zero if it is."""
    total = ZERO
    for a, b in zip(one, two, strict=True):
        gap = a - b
        total += Fraction(sum(v * v for row in gap.rows for v in row), 4**gap.shift)
    return root_up(total) if total else ZERO


def _middle(series: list[Series]) -> tuple[list[list[list[float]]], Fraction]:
    """Return ``p(1/2)`` rounded to doubles, and how far ``p`` gets from there on [0, 1].

    With ``s = (1 + v) / 2`` the coefficient of ``v^m`` is ``sum_k c_k binomial(k, m) / 2^k``.
    """
    degree = len(series[0]) - 1
    centres, moved, off = [], ZERO, ZERO
    for layer in series:
        rows = []
        for i in range(len(layer[0])):
            row = []
            for j in range(len(layer[0][0])):
                terms = [Fraction(layer[k][i][j]) / 2**k for k in range(degree + 1)]
                here = sum(terms, ZERO)
                away = ZERO
                for m in range(1, degree + 1):
                    away += abs(
                        sum((math.comb(k, m) * terms[k] for k in range(m, degree + 1)), ZERO)
                    )
                moved += away**2
                row.append(float(here))
                off += (here - Fraction(row[-1])) ** 2
            rows.append(row)
        centres.append(rows)
    return centres, root_up(moved) + root_up(off)


def defect(series: list[Series], setting: Setting, length: Fraction) -> Fraction:
    """Bound ``sup ||p'(s) + h grad L(p(s))||`` over ``s`` in [0, 1] from above."""
    layers = [[Exact.of(matrix) for matrix in layer] for layer in series]
    shift = max(part.shift for layer in layers for part in layer)
    whole = [
        [[[v * 2 ** (shift - p.shift) for v in row] for row in p.rows] for p in layer]
        for layer in layers
    ]
    numerator, denominator = length.as_integer_ratio()
    power = denominator.bit_length() - 1
    base = _base(whole, setting, shift + power + numerator.bit_length())
    packed = [Exact(_pack(layer, base), shift) for layer in whole]
    slopes = [
        Exact(
            _pack([[[k * v for v in r] for r in m] for k, m in enumerate(layer)][1:], base), shift
        )
        for layer in whole
    ]
    front = list(itertools.accumulate(packed, lambda done, layer: layer @ done))
    pull = front[-1] @ setting.second - setting.cross
    total = ZERO
    for j in range(len(packed) - 1, -1, -1):
        gradient = pull @ front[j - 1].transposed if j else pull
        scaled = Exact(
            [[-numerator * v for v in row] for row in gradient.rows], gradient.shift + power
        )
        own = Exact([[setting.divisor * v for v in row] for row in slopes[j].rows], shift)
        difference = own - scaled
        square = sum(_size(v, base) ** 2 for row in difference.rows for v in row)
        total += Fraction(square, 4**difference.shift)
        pull = packed[j].transposed @ pull if j else pull
    return root_up(total) / setting.divisor


def _base(whole: list[list[list[list[int]]]], setting: Setting, extra: int) -> int:
    """Return a number of bits in which every coefficient of the result has room.

    At most ``2 L`` polynomials are multiplied, each sum has at most (degree + 1) x width terms,
    and aligning powers of two costs at most all the shifts that occur; `extra` counts those of
    the step and of the layers.
    """
    largest = max(abs(v) for layer in whole for m in layer for row in m for v in row)
    terms = len(whole[0]) * max(setting.dims)
    each = largest.bit_length() + terms.bit_length() + extra
    data = sum(
        part.shift + max(abs(v) for row in part.rows for v in row).bit_length()
        for part in (setting.second, setting.cross)
    )
    return 2 * len(whole) * each + data + setting.divisor.bit_length() + 64


def _pack(layer: list[list[list[int]]], base: int) -> list[list[int]]:
    rows, columns = len(layer[0]), len(layer[0][0])
    return [
        [sum(m[i][j] << (base * k) for k, m in enumerate(layer)) for j in range(columns)]
        for i in range(rows)
    ]


def _size(value: int, base: int) -> int:
    """Add up the absolute values of the packed coefficients."""
    mask, half, total = (1 << base) - 1, 1 << (base - 1), 0
    while value:
        digit = value & mask
        if digit >= half:
            digit -= 1 << base
        total += abs(digit)
        value = (value - digit) >> base
    return total
