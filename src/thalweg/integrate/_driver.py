"""The loop of an integration: steps, rejections, events, checkpoints."""

import copy
import dataclasses
import time
from collections.abc import Callable

import numpy as np

from thalweg._core import Array
from thalweg.integrate._bdf import Bdf
from thalweg.integrate._controller import MethodChoice, resize
from thalweg.integrate._curvature import DenseCurvature, KrylovCurvature, curvature_at
from thalweg.integrate._dop853 import LENGTH, STAGES, dop853_step
from thalweg.integrate._field import Field
from thalweg.integrate._record import Record
from thalweg.integrate._rest import path_left
from thalweg.integrate._rock4 import rock4_step, table
from thalweg.integrate._rodas4 import rodas4_step
from thalweg.integrate._solution import BDF, DOP853, REST, RODAS4
from thalweg.integrate._spectral import spectral_radius
from thalweg.integrate._status import Status
from thalweg.integrate._store import LargeRecord
from thalweg.integrate._tail import Tail

Trial = tuple[Array, float, Array, float]
"""A step that may be accepted: the new point, its loss and slope, and the norm of its error."""

REFRESH = 10  # accepted steps after which the spectral radius is estimated anew
FAR = 1e100
QUIET = 5e-14  # of the squared target: growth of the loss that is never taken for progress
CALMING = 4.2  # step times spectral radius that damps the stiffest modes most
REST_SHARE = 0.1  # of the tolerance that the rest of the way may be
RELAX = 1.2  # widening, at each estimate of the radius, of the steps that noise has shortened


@dataclasses.dataclass(frozen=True, eq=False)
class Limits:
    """When to stop and how exact to be; `tolerance` is absolute, in root mean square."""

    t_end: float
    loss_stop: float
    gradient_stop: float
    max_steps: int
    tolerance: float
    tail: Tail | None = None  # the compiled core alone closes it


@dataclasses.dataclass(eq=False)
class Driver:
    """State of an integration between two steps."""

    field: Field
    choice: MethodChoice
    t: float
    y: Array
    loss: float
    slope: Array
    tolerance: float
    h: float = 0.0
    radius: float = 0.0
    vector: Array | None = None
    age: int = REFRESH
    error: float = 1.0
    curvature: DenseCurvature | KrylovCurvature | None = None
    bdf: Bdf | None = None
    counts: dict[str, int] = dataclasses.field(
        default_factory=lambda: dict.fromkeys(
            ("steps", "rejected", "rhs", "factorizations", "explicit_steps", "implicit_steps"), 0
        )
    )

    def branch(self) -> "Driver":
        """Return a driver that goes on from here, its counts at zero."""
        out = copy.copy(self)
        out.choice, out.bdf = copy.copy(self.choice), copy.copy(self.bdf)
        out.counts = dict.fromkeys(self.counts, 0)
        return out

    def run(
        self,
        limits: Limits,
        record: Record | LargeRecord,
        progress: Callable[..., None] | None,
    ) -> Status:
        """Step until something stops it. Ctrl-C keeps what there is."""
        told = time.monotonic()
        if self.bdf is None and self.choice.multistep:
            self.bdf = Bdf((self.t,), (self.y,))
        try:
            while True:
                status = self._finished(limits)
                if status is None:
                    status = self._step(limits, record)
                if status is not None:
                    return status
                if progress is not None and time.monotonic() - told > 0.1:
                    told = time.monotonic()
                    progress(self.t, self.counts["steps"], self.loss)
        except KeyboardInterrupt:
            return Status.INTERRUPTED

    def _finished(self, limits: Limits) -> Status | None:
        norm = self.gradient_norm()
        if not (np.isfinite(norm) and np.isfinite(self.loss)):
            return Status.NON_FINITE
        if self.loss <= limits.loss_stop:
            return Status.LOSS_STOP
        if norm <= limits.gradient_stop:
            return Status.GRADIENT_STOP
        if self.t >= limits.t_end:
            return Status.T_END
        if self.counts["steps"] >= limits.max_steps:
            return Status.MAX_STEPS
        return Status.DIVERGED if self._far() else None

    def gradient_norm(self) -> float:
        """Return the norm of the slope."""
        return float(np.linalg.norm(self.slope))

    def _far(self) -> bool:
        return bool(np.abs(self.y).max() > FAR)

    def _step(self, limits: Limits, record: Record | LargeRecord) -> Status | None:
        """Take one accepted step."""
        if self.age >= (4 * REFRESH if self.choice.implicit else REFRESH):
            self._measure()
            self.choice.ceiling *= RELAX
        if self.h == 0.0:
            self.h = self._first_step()
        rest = self._at_rest(limits)
        if rest:
            self.rest(limits, record)
            return None
        calm = rest is None
        while True:
            h, kind = (CALMING / self.radius, DOP853) if calm else self._next(limits.t_end)
            last = self.t + h >= limits.t_end
            if last:
                h = limits.t_end - self.t
            if h <= 0 or (self.t + h == self.t and not last):
                return Status.STEP_TOO_SMALL
            trial = self._trial(h, kind)
            error = np.inf if trial is None else self._size(trial[3])
            grew = trial is not None and not trial[1] <= self.loss + self._slack(trial[3])
            if trial is not None and not grew and error <= 1.0:
                break
            self.counts["rejected"] += 1
            if not calm:
                self._shorten(h, kind, error, grew=grew)
            calm = False
        if not calm:
            self._lengthen(h, kind, error, trial[0], last=last)
        self._adopt(*trial[:3])
        self.t = limits.t_end if last else self.t + h
        self.curvature = None
        self.age += 1
        self._note(h, kind, record)
        return None

    def _adopt(self, new: Array, loss: float, slope: Array) -> None:
        self.y, self.loss, self.slope = new, loss, slope

    def _note(self, h: float, kind: int, record: Record | LargeRecord) -> None:
        """Count and keep an accepted step."""
        self.counts["steps"] += 1
        self.counts["implicit_steps" if kind in {RODAS4, BDF} else "explicit_steps"] += 1
        if self.bdf is not None:
            self.bdf.push(self.t, self.y)
            if kind == BDF:
                kind = BDF - max(self.bdf.taken, 1)
        record.add((self.t, self.loss, self.gradient_norm(), h, kind), self.y)

    def _lengthen(self, h: float, kind: int, error: float, new: Array, *, last: bool) -> None:
        """Learn from an accepted step; one cut short by the end says little about longer ones."""
        if kind == BDF and self.bdf is not None:
            grown = h * self.bdf.lengthen(h, error, self.tolerance, new)
        else:
            grown = h * resize(error, self.error, kind)
        self.h = max(self.h, grown) if last else grown
        self.error = max(error, 1e-4)
        self.choice.accepted()

    def _next(self, t_end: float) -> tuple[float, int]:
        """Return the length and kind of the next step."""
        before = self.choice.implicit
        h, kind = self.choice.kind(self.h, self.radius)
        if kind == RODAS4 and self.bdf is not None:
            kind = BDF
            if not before:
                tried, h = h, self.bdf.enter(h, self.tolerance)
                if self.choice.declines(h, t_end - self.t):
                    self.h = tried
                    return self._next(t_end)
                self.h = h
        return h, kind

    def _shorten(self, h: float, kind: int, error: float, *, grew: bool) -> None:
        """Learn from a rejected step."""
        quiet = error <= 1.0  # only the loss objects
        if kind == BDF and self.bdf is not None:
            factor = self.bdf.shorten(error)
        else:
            factor = min(resize(error, 1.0, kind), 0.7)
        self.h = h * (0.5 if quiet else factor)
        if grew and kind not in {RODAS4, BDF}:
            self._measure()
            if quiet and kind >= 0:
                self.choice.ceiling = 0.8 * h * self.radius

    def _trial(self, h: float, kind: int) -> Trial | None:
        with np.errstate(over="ignore", invalid="ignore"):
            if kind >= 0:
                return self._explicit(h, kind)
            if kind == BDF and self.bdf is not None:
                before = self.bdf.evaluations, self.bdf.systems
                trial = self.bdf.step(self.field, self.slope, h, self.radius, self.tolerance)
                self.counts["rhs"] += self.bdf.evaluations - before[0]
                self.counts["factorizations"] += self.bdf.systems - before[1]
                return _with_norm(trial)
            if kind == DOP853:
                self.counts["rhs"] += STAGES
                step = dop853_step(self.field, self.y, self.slope, h)
                return _with_norm(step)
            self.counts["rhs"] += 6
            self.counts["factorizations"] += 1
            if self.curvature is None:
                self.curvature = curvature_at(self.field, self.y)
            return _with_norm(rodas4_step(self.field, self.y, self.slope, h, self.curvature))

    def _explicit(self, h: float, position: int) -> Trial | None:
        self.counts["rhs"] += table()[position].stages
        return _with_norm(rock4_step(self.field, self.y, self.slope, h, position))

    def _at_rest(self, limits: Limits) -> bool | None:
        """Say whether the rest of the way, up to any time, is provably within the tolerance.

        ``None``: nearly, and the rounding that long steps amplify may be all that is in the way.
        Then one short step is taken, every other time.
        """
        if not self.choice.free or not np.isfinite(limits.t_end):
            return False
        if limits.loss_stop >= 0 or limits.gradient_stop > 0:
            return False
        if limits.t_end - self.t < 4 * self.h:
            return False
        enough = REST_SHARE * self.tolerance * np.sqrt(self.field.size)
        if 2 * self.loss > enough * self.gradient_norm():
            return False
        if path_left(self.field, self.y, self.loss) <= enough:
            return True
        noisy = self.age % 2 == 0 and self.h * self.radius > 4 * LENGTH and self.choice.roomy
        return None if noisy else False

    def rest(self, limits: Limits, record: Record | LargeRecord) -> None:
        """Go to the end without a step: nothing moves any more."""
        length = limits.t_end - self.t
        record.add((limits.t_end, self.loss, self.gradient_norm(), length, REST), self.y)
        self.t = limits.t_end
        if self.bdf is not None:
            self.bdf = Bdf((self.t,), (self.y,))
        self.counts["steps"] += 1

    def _size(self, error: float) -> float:
        size = error / np.sqrt(self.y.size) / self.tolerance
        return size if np.isfinite(size) else np.inf

    def _slack(self, error: float) -> float:
        """Return the growth of the loss that rounding and the error of a step explain.

        Long explicit steps amplify rounding in their last stages; the error estimate shows it.
        """
        moved = 4.0 * error
        explained = moved * (self.gradient_norm() + 0.5 * self.radius * moved)
        return self.field.rounding(self.loss) + min(explained, QUIET * self.field.target_norm**2)

    def _measure(self) -> None:
        self._estimate()
        self.choice.hear(float(np.linalg.norm(self.y)) / np.sqrt(self.y.size), self.tolerance)
        self.age = 0

    def _estimate(self) -> None:
        self.radius, self.vector = spectral_radius(self.field, self.y, self.vector)

    def _first_step(self) -> float:
        with np.errstate(divide="ignore", over="ignore"):
            by_size = float(0.01 * np.linalg.norm(self.y) / np.float64(self.gradient_norm()))
            by_rate = 1.0 / self.radius if self.radius > 0 else np.inf
        h = min(by_size, by_rate) or by_rate
        return h if np.isfinite(h) else 1.0


def _with_norm(step: tuple[Array, float, Array, Array] | None) -> Trial | None:
    return None if step is None else (*step[:3], float(np.linalg.norm(step[3])))
