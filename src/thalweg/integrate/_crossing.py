"""Where a step leaves its piece, by dense output of the method that took the step."""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from thalweg._core import Array
from thalweg.integrate._curvature import DenseCurvature, KrylovCurvature, curvature_at
from thalweg.integrate._dop853 import dop853_step
from thalweg.integrate._field import Field
from thalweg.integrate._rock4 import rock4_step
from thalweg.integrate._rodas4 import rodas4_step
from thalweg.integrate._solution import DOP853, RODAS4

Guard: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]
"""Margins at a point and their rates along a slope; a piece ends where one becomes negative."""

PARTS = np.arange(1, 9) / 8.0
"""Shares of a step at which margins are looked at between its ends."""
TRIES = 60


@dataclasses.dataclass(frozen=True, eq=False)
class Crossing:
    """First point of a step where a margin is used up."""

    h: float
    index: int
    y: Array
    loss: float
    slope: Array


@dataclasses.dataclass(eq=False)
class Reach:
    """A step that can be taken again with another length."""

    field: Field
    y: Array
    slope: Array
    kind: int
    _curvature: DenseCurvature | KrylovCurvature | None = None

    def at(self, h: float) -> tuple[Array, float, Array]:
        """Return the point, its loss and slope after a part of the step."""
        if h <= 0.0:
            return self.y, *self.field.rhs(self.y)
        if self.kind == DOP853:
            return dop853_step(self.field, self.y, self.slope, h)[:3]
        if self.kind != RODAS4:
            return rock4_step(self.field, self.y, self.slope, h, self.kind)[:3]
        if self._curvature is None:
            self._curvature = curvature_at(self.field, self.y)
        step = rodas4_step(self.field, self.y, self.slope, h, self._curvature)
        assert step is not None  # noqa: S101  a shorter step is definite where a longer one was
        return step[:3]


def first_crossing(
    guard: Guard, reach: Reach, h: float, end: tuple[Array, Array]
) -> Crossing | None:
    """Return where a step of length `h` to ``end = (y, slope)`` first uses up a margin.

    Between the ends margins are cubic interpolants, which see excursions that both ends miss; a
    crossing that they show is confirmed and located by taking the step again.
    """
    first, first_rate = guard(reach.y, reach.slope)
    ignored: set[int] = set()
    found: Crossing | None = None
    last, last_rate = guard(*end)
    for _ in range(TRIES):
        inside = _between((first, h * first_rate), (last, h * last_rate))
        inside[:, list(ignored)] = 1.0
        candidate = _earliest(first, inside)
        if candidate is None:
            return found
        index, part = candidate
        located = _locate(guard, reach, index, h * part)
        if located is None and part < 1.0 and last[index] < 0.0:
            located = _locate(guard, reach, index, h)
        if located is None:
            ignored.add(index)  # the interpolant strayed; the step itself stays inside
            continue
        if located.h <= 0.0:
            return located
        # Another margin may have been used up before: look again at the shorter step.
        found, h = located, located.h
        last, last_rate = guard(located.y, located.slope)
        ignored.add(index)
    return found


def _between(first: tuple[Array, Array], last: tuple[Array, Array]) -> Array:
    """Return cubic interpolants at `PARTS`, straight where a rate is unknown."""
    s = PARTS[:, np.newaxis]
    (a, da), (b, db) = first, last
    cubic = (s - 1) ** 2 * ((1 + 2 * s) * a + s * da) + s**2 * ((3 - 2 * s) * b + (s - 1) * db)
    out: Array = np.where(np.isfinite(da) & np.isfinite(db), cubic, (1 - s) * a + s * b)
    out[-1] = b
    return out


def _earliest(first: Array, inside: Array) -> tuple[int, float] | None:
    """Return the margin that is used up first and a share of the step by which it is."""
    negative = inside < 0.0
    hit = negative.any(axis=0)
    if not hit.any():
        return None
    which = np.flatnonzero(hit)
    row = negative[:, which].argmax(axis=0)
    high = inside[row, which]
    before = np.where(row > 0, inside[np.maximum(row - 1, 0), which], first[which])
    low = np.maximum(before, 0.0)
    root = PARTS[row] - PARTS[0] * high / np.minimum(high - low, -1e-300)
    best = int(np.argmin(root))
    return int(which[best]), float(PARTS[row[best]])


def _locate(guard: Guard, reach: Reach, index: int, h: float) -> Crossing | None:
    """Return the crossing of one margin inside ``(0, h]``, ``None`` if it is not used up at `h`."""
    from scipy.optimize import brentq  # slow to import, rarely needed

    taken: dict[float, tuple[Array, float, Array]] = {}

    def margin(length: float) -> float:
        taken[length] = reach.at(length)
        y, _, slope = taken[length]
        return float(guard(y, slope)[0][index])

    if margin(0.0) <= 0.0:
        return Crossing(0.0, index, *taken[0.0])
    if margin(h) > 0.0:
        return None
    root = float(brentq(margin, 0.0, h, xtol=1e-14 * h, rtol=1e-14))
    if root not in taken:
        margin(root)
    return Crossing(root, index, *taken[root])
