"""How far a polynomial is from solving the flow, bounded exactly.

For ``p(s)``, ``s`` in [0, 1], time ``h s``: the defect ``p'(s) + h grad L(p(s))`` is a polynomial.
Its coefficients are computed in balls by convolution, none is dropped, and on [0, 1] every entry
is at most the sum of the absolute values of its coefficients.
"""

import functools
from typing import Any, TypeAlias

from thalweg._core import Array
from thalweg.rigorous._balls import Ball, BallMatrix, ball, library, upper_root
from thalweg.rigorous._flow_data import FlowData

Poly: TypeAlias = Any
"""A ``flint.arb_poly``."""
PolyMatrix: TypeAlias = list[list[Poly]]


def polynomials(series: Array) -> PolyMatrix:
    """Return the entries of one layer as polynomials with exact coefficients."""
    make = library().arb_poly
    _, rows, columns = series.shape
    return [[make(series[:, i, k].tolist()) for k in range(columns)] for i in range(rows)]


def _times(one: PolyMatrix, two: PolyMatrix) -> PolyMatrix:
    columns = list(zip(*two, strict=True))
    return [
        [
            functools.reduce(lambda a, b: a + b, (x * y for x, y in zip(row, column, strict=True)))
            for column in columns
        ]
        for row in one
    ]


def _turned(one: PolyMatrix) -> PolyMatrix:
    return [list(column) for column in zip(*one, strict=True)]


def _constant(value: BallMatrix) -> PolyMatrix:
    make = library().arb_poly
    return [[make([entry]) for entry in row] for row in value.tolist()]


def defect(layers: list[PolyMatrix], data: FlowData, step: float) -> Ball:
    """Bound ``sup ||p'(s) + h grad L(p(s))||`` over ``s`` in [0, 1], all layers together.

    Parameters
    ----------
    layers
        The polynomial of each layer.
    data
        The flow.
    step
        ``h``.

    Returns
    -------
    ball
        Exact upper bound; it is ``h`` times the defect with respect to time.
    """
    before = [layers[0]]
    for layer in layers[1:]:
        before.append(_times(layer, before[-1]))
    product = _times(before[-1], _constant(data.second))
    pull = [
        [a - b for a, b in zip(one, two, strict=True)]
        for one, two in zip(product, _constant(data.cross), strict=True)
    ]
    total, h = ball(0), ball(step)
    for j in range(len(layers) - 1, -1, -1):
        slope = _times(pull, _turned(before[j - 1])) if j else pull
        for row, slopes in zip(layers[j], slope, strict=True):
            for entry, change in zip(row, slopes, strict=True):
                size = _largest_value(entry.derivative() + h * change)
                total += size * size
        pull = _times(_turned(layers[j]), pull) if j else pull
    return upper_root(total)


def _largest_value(entry: Poly, first: int = 0) -> Ball:
    """Bound a polynomial on [0, 1] (on [-1, 1] too), leaving out powers below `first`."""
    return sum((c.abs_upper() for c in entry.coeffs()[first:]), start=ball(0))


def excursion(layers: list[PolyMatrix]) -> tuple[list[BallMatrix], Ball]:
    """Return ``p(1/2)`` and a bound on ``||p(s) - p(1/2)||`` over ``s`` in [0, 1]."""
    half = ball(0.5)
    recentred = library().arb_poly([half, half])
    centres, total = [], ball(0)
    for layer in layers:
        moved = [[entry(recentred) for entry in row] for row in layer]
        centres.append(library().arb_mat([[entry[0] for entry in row] for row in moved]))
        for row in moved:
            for entry in row:
                size = _largest_value(entry, first=1)
                total += size * size
    return centres, upper_root(total)


def end_values(layers: list[PolyMatrix]) -> list[BallMatrix]:
    """Return ``p(1)`` in balls."""
    one = ball(1)
    return [library().arb_mat([[entry(one) for entry in row] for row in layer]) for layer in layers]
