"""Backward differentiation formulas of order one to five with variable steps.

E. Hairer, S. P. Norsett, G. Wanner, Solving Ordinary Differential Equations I, section III.5.
The memory is the last accepted points: the predictor is the polynomial through ``k + 1`` of them,
and the new point is where the polynomial through it and ``k`` of them has the slope of the flow.
That equation is solved by Newton's method with the Gauss-Newton part of the Hessian; where that
converges slowly, it is the preconditioner of conjugate gradients with the whole Hessian.
"""

import dataclasses

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field
from thalweg.integrate._gauss_newton import GaussNewton

HIGHEST, MOST = 5, 7  # order; points that are remembered
SHARE = 0.5  # of the tolerance that one step may err by
OLDEST = 30  # steps that a system serves
ENOUGH = 0.01  # of the tolerance: Newton's error, which adds up where nothing contracts
SLOW, STUBBORN = 0.5, 20  # rate at which conjugate gradients take over; steps for which they stay
ROUNDING = 1e-15  # of the weights: no change of them
EXACT, MOST_TURNS = 0.005, 12  # their error, of the first
Trial = tuple[Array, float, Array, Array]


@dataclasses.dataclass(eq=False)
class Bdf:
    """What a multistep method remembers between two steps; arrays in it are never changed."""

    times: tuple[float, ...] = ()
    points: tuple[Array, ...] = ()
    order: int = 1
    taken: int = 1  # order of the last step
    steady: int = 0  # steps of the same length and order
    age: int = 0  # steps that the system has served
    failures: int = 0  # rejections in a row
    krylov: int = 0  # steps left with conjugate gradients
    system: GaussNewton | None = None
    evaluations: int = 0
    systems: int = 0

    def push(self, t: float, y: Array) -> None:
        """Remember an accepted point, of whatever method."""
        self.times, self.points = (t, *self.times)[:MOST], (y, *self.points)[:MOST]

    def clear(self) -> None:
        """Forget the points: time has passed without steps."""
        self.times, self.points = (), ()

    def enter(self, h: float, tolerance: float) -> float:
        """Return the length of the first step after explicit ones of length `h`.

        The order is the one whose error of the last point, seen from those before it, lets the
        step be longest.
        """
        self.order, self.steady, self.age, self.failures, self.system = 1, 0, 0, 0, None
        self.krylov = 0
        best, t = 0.0, self.times[0]
        for k in range(1, 5):
            if k + 2 > len(self.times):
                break
            last = t - self.times[1]
            error = self._distance(k, t, 1, self.points[0]) * last / (t - self.times[k + 1])
            size = max(error / (SHARE * tolerance), 1e-9)
            length = last * (size / 0.25) ** (-1.0 / (k + 1))
            if length > best:
                best, self.order = length, k
        return float(min(max(best, 0.05 * h), 2 * h)) if best > 0 else 0.1 * h

    def step(
        self, field: Field, slope: Array, h: float, radius: float, tolerance: float
    ) -> Trial | None:
        """Return the point at ``times[0] + h``, its loss and slope, and the error estimate.

        ``None`` where Newton's method does not converge.
        """
        y, k = self.points[0], min(self.order, len(self.times) - 1)
        t = self.times[0] + h
        if k == 0:
            shift, constant = 1 / h, 0.5
            predicted, pull = y + h * slope, -y / h
        else:
            shift, constant = sum(1 / (t - at) for at in self.times[:k]), h / (t - self.times[k])
            predicted = self._extrapolated(k, t, 0)
            weights = _slopes(t, self.times[:k])
            pull = np.asarray(weights) @ np.array(self.points[:k])
        self.taken = k
        for fresh in (False, True):
            old = self.system
            far = old is None or abs(old.shift / shift - 1) > 0.3
            if fresh or far or self.age >= OLDEST:
                if old is None or self.age > 0:
                    old = GaussNewton(field, y)
                    self.systems += 1
                elif not far:
                    return None
                self.age, self.system = 0, old.factorized(shift, radius)
            found = self._iterate(field, (predicted, pull), shift, SHARE * tolerance / constant)
            if found is not None:
                return *found, (constant / SHARE) * (found[0] - predicted)
        return None

    def shorten(self, error: float) -> float:
        """Return the factor for the step after a rejection."""
        self.steady = 0
        self.failures += 1
        if self.failures >= 3:
            self.order = max(1, self.order - 1)
        if not np.isfinite(error):
            return 0.4
        size = max(error, 1e-9) / 0.5  # nothing where only the loss objects
        return float(min(max(0.9 * size ** (-1.0 / (self.order + 1)), 0.2), 0.9))

    def lengthen(self, h: float, error: float, tolerance: float, new: Array) -> float:
        """Return the factor for the next step, after the one to `new` was accepted."""
        self.failures = 0
        self.age += 1
        k = self.taken
        if k == 0:
            return 1.0
        self.steady += 1
        if self.steady <= k:
            return 1.0
        t = self.times[0] + h
        best, order = 0.9 / 1.2 * max(error, 1e-9) ** (-1.0 / (k + 1)), k
        for other in (k - 1, k + 1):
            if other < 1 or other > HIGHEST or len(self.times) < other + 1:
                continue
            size = self._distance(other, t, 0, new) * h / (t - self.times[other])
            size = max(size / (SHARE * tolerance), 1e-9)
            factor = 0.9 / (1.3 if other < k else 1.4) * size ** (-1.0 / (other + 1))
            if factor > best:
                best, order = factor, other
        if best < 0.9 or best > 1.25:
            self.order, self.steady = order, 0
            return float(min(best, 2.0))
        self.steady = max(self.steady - 3, 0)
        return 1.0

    def _iterate(
        self, field: Field, known: tuple[Array, Array], shift: float, tolerance: float
    ) -> tuple[Array, float, Array] | None:
        """Run Newton's method on ``f(x) = shift x + pull`` with the system at hand."""
        predicted, pull = known
        assert self.system is not None  # noqa: S101  the caller has made one
        factor = 2 / (1 + shift / self.system.shift)
        goal = ENOUGH * tolerance * np.sqrt(field.size)
        krylov = self.krylov > 0
        self.krylov -= krylov
        x, loss, slope, rest = self._residual(field, predicted, shift, pull)
        before, moved_before = float(np.linalg.norm(rest)), 0.0
        turn = 0
        while turn < 5:
            if krylov:
                change = self._conjugate_gradients(field, x, shift, rest)
                if change is None:
                    return None
            else:
                change = factor * self.system.solve(rest)
            moved = float(np.linalg.norm(change))
            x, loss, slope, rest = self._residual(field, x + change, shift, pull)
            after = float(np.linalg.norm(rest))
            rate = moved / max(moved_before, 1e-300) if turn else after / max(before, 1e-300)
            if moved <= 0.1 * goal or moved * rate <= goal:
                return x, loss, slope
            if moved <= ROUNDING * float(np.linalg.norm(x)):
                return x, loss, slope
            if krylov and not rate <= 0.9:
                return None
            turn += 1
            if not krylov and not rate <= SLOW:
                krylov, self.krylov = True, STUBBORN
                if not rate <= 0.9:  # from the beginning
                    x, loss, slope, rest = self._residual(field, predicted, shift, pull)
                    after, turn = float(np.linalg.norm(rest)), 0
            before, moved_before = after, moved
        return None

    def _residual(
        self, field: Field, x: Array, shift: float, pull: Array
    ) -> tuple[Array, float, Array, Array]:
        loss, slope = field.rhs(x)
        self.evaluations += 1
        return x, loss, slope, slope - shift * x - pull

    def _conjugate_gradients(
        self, field: Field, x: Array, shift: float, rest: Array
    ) -> Array | None:
        """Return ``(shift I + H(x))^-1 rest``; ``None`` where that is not positive definite."""
        assert self.system is not None  # noqa: S101
        change, way = np.zeros_like(x), self.system.solve(rest)
        power = float(rest @ way)
        goal = EXACT**2 * power
        for _ in range(MOST_TURNS):
            if not power > goal:
                break
            image = field.hessian_product(x, way) + shift * way
            curve = float(way @ image)
            if not curve > 0:  # longer than the time scale of an unstable mode
                return None
            step = power / curve
            change, rest = change + step * way, rest - step * image
            better = self.system.solve(rest)
            power, before = float(rest @ better), power
            way = better + (power / before) * way
        return change

    def _extrapolated(self, k: int, t: float, first: int) -> Array:
        end = first + k + 1
        weights = lagrange(t, self.times[first:end])
        return np.asarray(weights) @ np.array(self.points[first:end])

    def _distance(self, k: int, t: float, first: int, y: Array) -> float:
        return float(np.sqrt(np.mean((y - self._extrapolated(k, t, first)) ** 2)))


def lagrange(t: float, times: tuple[float, ...]) -> list[float]:
    """Return the weights at `t` of the values at `times` in their interpolation polynomial."""
    out = []
    for j, at in enumerate(times):
        others = [other for m, other in enumerate(times) if m != j]
        out.append(float(np.prod([(t - other) / (at - other) for other in others])))
    return out


def _slopes(t: float, times: tuple[float, ...]) -> list[float]:
    """Return the weights of the values at `times` in the slope at `t`, where there is one too."""
    return [w / (at - t) for w, at in zip(lagrange(t, times), times, strict=True)]
