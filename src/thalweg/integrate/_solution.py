"""What an integration returns."""

import bisect
import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.integrate._achieved import achieved_error
from thalweg.integrate._bdf import lagrange
from thalweg.integrate._curvature import curvature_at
from thalweg.integrate._dop853 import dop853_step
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core
from thalweg.integrate._record import ROW, Table
from thalweg.integrate._rock4 import rock4_step
from thalweg.integrate._rodas4 import rodas4_step
from thalweg.integrate._status import Status
from thalweg.integrate._store import StoredPoints
from thalweg.integrate._tail import Landing
from thalweg.network import unpack

RODAS4, DOP853, REST, BDF = -1, -2, -3, -10
"""A recorded step is (length, kind): the position of the ROCK4 degree, another method, or none,
because what was left of the way was shorter than the tolerance; ``BDF - order`` is a multistep."""

PIECES = 8  # that a step is cut into at most


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Solution:
    """A piece of a trajectory in reduced coordinates.

    Attributes
    ----------
    t, y, loss, gradient_norm
        Kept accepted steps: times ``(K,)``, packed weights ``(K, n)``, losses, gradient norms. Of
        a large network `y` holds a few of them only, and the others are about every step.
    status, message
        Why it ended, with the remedy.
    stats
        Counts: steps, rejected, right-hand sides, factorizations; the engine.
    state
        Everything the next `solve` needs to go on.
    landing
        The limit, if the tail was to be closed and the compiled core could.
    """

    t: Array
    y: Array | StoredPoints
    loss: Array
    gradient_norm: Array
    status: Status
    message: str
    stats: dict[str, Any]
    state: Any
    _field: Field
    _steps: Table
    _kept: Table
    _tolerance: float = float("nan")
    _again: Callable[..., "Solution"] | None = None  # `solve`, which makes these
    landing: Landing | None = None

    def achieved_error(self) -> float:
        """Return the largest error of the recorded weights, relative to their norm.

        Measured, not guessed: the piece is integrated again from its start at a tolerance that is
        100 times smaller and compared at its recorded points, at 400 of them if there are more.
        That takes about twice as long as the run itself, more at order four. NaN if rounding
        leaves no room for a tolerance that is smaller.

        Raises
        ------
        IntegrationError
            If the finer run does not get to the end.
        """
        return achieved_error([self])

    def at(self, t: float) -> list[Array]:
        """Return the weights at a time inside the piece.

        Dense output of the method's own order. A step of a one-step method that passed `t` is
        taken again with its length shortened, so stiff components stay damped; a multistep
        method has its polynomial.
        """
        times = self.t if len(self.t) == len(self.y) else self.t[self._kept]
        k = max(bisect.bisect_right(times, t) - 1, 0)
        index = int(self._kept[k])
        kind = int(self._steps["kind"][min(index, len(self._steps) - 1)]) if len(self._steps) else 0
        single = k + 1 < len(times) and self._kept[k + 1] == index + 1
        if kind < BDF and times[k] < t and single:
            return unpack(self._interpolated(k, t, BDF - kind), self._field.dims)
        y, now = self._fresh(k), float(times[k])
        advance = self._stepper() if now < t else None
        while advance is not None and now < t and index < len(self._steps):
            h, kind = float(self._steps["h"][index]), int(self._steps["kind"][index])
            y = advance(y, min(h, t - now), kind)
            now, index = now + h, index + 1
        return unpack(y, self._field.dims)

    def release(self) -> None:
        """Let go of the state, which is as large as some sets of weights."""
        object.__setattr__(self, "state", None)

    def visit(self, steps: Iterable[int]) -> Iterator[Array]:
        """Give the packed weights after some of the steps, in increasing order; 0 is the start.

        Between kept points the steps are taken again. What is given may be overwritten when the
        next one is asked for.
        """
        advance = self._stepper()
        at, y = 0, self._fresh(0)
        for step in steps:
            k = bisect.bisect_right(self._kept, step) - 1
            if int(self._kept[k]) > at:
                at, y = int(self._kept[k]), self._fresh(k)
            while at < step:
                y = advance(y, float(self._steps["h"][at]), int(self._steps["kind"][at]))
                at += 1
            yield y

    def _fresh(self, k: int) -> Array:
        return self.y.fresh(k) if isinstance(self.y, StoredPoints) else self.y[k].copy()

    def farthest(self, point: Array) -> float:
        """Return the largest distance of the kept points from one."""
        return max(float(np.linalg.norm(y - point)) for y in self.y)

    def _stepper(self) -> Callable[[Array, float, int], Array]:
        if self.stats["engine"] == "blas":
            from thalweg.integrate._replay import Replay  # its BLAS is slow to import

            replay = Replay(self._field)
            return lambda y, h, kind: (
                replay.advance(y, h, kind) if kind >= 0 else _advance(self._field, y, h, kind)
            )
        return functools.partial(_advance, self._field)

    def _interpolated(self, k: int, t: float, order: int) -> Array:
        """Return the polynomial of a multistep method, through the new point and those before."""
        first = max(k + 1 - order, 0)
        chosen = range(first, min(first + order + 1, len(self.t)))
        weights = np.asarray(lagrange(t, tuple(float(self.t[i]) for i in chosen)))
        return np.asarray(weights @ np.stack([self.y[i] for i in chosen]))

    def refined(self, fewest: int) -> "Solution":
        """Return the same piece with points inside the steps of order eight, about `fewest` in all.

        A few of these steps pass a whole transition: enough to be exact, too few for a picture. A
        point inside is a step that was cut short, so it is as exact as the others.
        """
        steps = self._steps
        long = steps["kind"] == DOP853
        if isinstance(self.y, StoredPoints):
            return self
        if len(self.t) >= fewest or len(self.t) != len(steps) + 1 or not np.any(long):
            return self
        native = Core(self._field) if self.stats["engine"] == "native" else None
        pieces = min(PIECES, -(-fewest // len(steps)))
        rows, points = [], [self.y[0]]
        for k, row in enumerate(steps):
            t, h = float(self.t[k]), float(row["h"])
            cuts = pieces if long[k] else 1
            for i in range(1, cuts):
                y, loss, norm = self._inside(native, self.y[k], h * i / cuts)
                rows.append((t + h * i / cuts, loss, norm, h / cuts, DOP853))
                points.append(y)
            end = float(self.t[k + 1])
            rows.append((end, row["loss"], row["gradient_norm"], h / cuts, row["kind"]))
            points.append(self.y[k + 1])
        table = np.array(rows, dtype=ROW)
        return dataclasses.replace(
            self,
            t=np.append(self.t[:1], table["t"]),
            y=np.array(points),
            loss=np.append(self.loss[:1], table["loss"]),
            gradient_norm=np.append(self.gradient_norm[:1], table["gradient_norm"]),
            _steps=table,
            _kept=np.arange(len(points)),
        )

    def _inside(self, native: Core | None, y: Array, h: float) -> tuple[Array, float, float]:
        if native is not None:
            return native.advance(y, h)
        new, loss, slope, _ = dop853_step(self._field, y, self._field.rhs(y)[1], h)
        return new, loss, float(np.linalg.norm(slope))


def _advance(field: Field, y: Array, h: float, kind: int) -> Array:
    if kind == REST:
        return y
    _, slope = field.rhs(y)
    if kind == DOP853:
        return dop853_step(field, y, slope, h)[0]
    if kind >= 0:
        return rock4_step(field, y, slope, h, kind)[0]
    step = rodas4_step(field, y, slope, h, curvature_at(field, y))
    assert step is not None  # noqa: S101  a shorter step is positive definite where a longer was
    return step[0]
