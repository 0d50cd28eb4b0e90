"""Gradient flow of any smooth function of a few variables."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, as_count, as_scalar
from thalweg.counterexamples._evidence import Evidence, Level
from thalweg.counterexamples._function import System, checked_system, length, newton
from thalweg.counterexamples._run import GradientRun
from thalweg.limit import Arrival, arrival

VANISHED = 1e-8
"""Gradient, relative to the largest of the run, from which on arrival is looked for."""
GROWTH = 10.0
"""Factor by which the distance from the origin has to grow before a run without end stops."""
STATEMENT = (
    "a bounded trajectory of the gradient flow of an analytic function converges to a critical "
    "point, whose value is at most that of any point passed (Lojasiewicz); f fell below the "
    "level {level:.6g} at t = {time:.6g}, and there is no critical point below it, because "
    "{argument}; so the trajectory from there is unbounded"
)


def gradient_flow(
    f: Callable[[Any], Any],
    grad: Callable[[Any], Any],
    x0: Any,
    t_end: float | None = None,
    *,
    hess: Callable[[Any], Any] | None = None,
    level: Level | None = None,
    until: str = "limit",
    rtol: float = 1e-9,
    max_steps: int = 20_000,
) -> GradientRun:
    """Integrate ``dx/dt = -grad f(x)`` and say whether it converges or is unbounded.

    Parameters
    ----------
    f, grad, hess
        The function of an array ``(n,)``, its gradient ``(n,)`` and optionally its Hessian
        ``(n, n)``; differences of the gradient are taken otherwise.
    x0
        Start, shape ``(n,)``.
    t_end
        Time to stop at. ``None``: until the rest of the way is estimated to be negligible, or
        until the trajectory is proved to be unbounded and has visibly grown.
    level
        A value below which `f` has no critical point, with the argument. Only with it can a run
        be called ``"diverged"``; `f` must be analytic for the theorem to apply.
    until
        ``"limit"``, or ``"unbounded"`` to insist on a proof of divergence, which needs `level`.
    rtol
        Relative tolerance of the integration (Radau IIA of order five, from SciPy).
    max_steps
        Budget of steps.

    Returns
    -------
    GradientRun
        With status ``"limit"``, ``"horizon"``, ``"diverged"`` or ``"failed"``.

    Raises
    ------
    DataError
        If an argument cannot be used, `grad` is not the gradient of `f`, or a proof of divergence
        is asked for without a level.

    Notes
    -----
    Status: ``"diverged"`` is a theorem (Lojasiewicz) about the flow from a computed point, given
    that `f` is analytic and the level is right. Neither growth nor time alone is ever taken for
    divergence. ``"limit"`` is an estimate.
    """
    began = time.perf_counter()
    system, start = checked_system(f, grad, hess, x0)
    if until not in {"limit", "unbounded"}:
        raise DataError(f"until must be limit or unbounded, got {until!r}")
    if level is not None and not isinstance(level, Level):
        raise DataError(f"level must be a Level(value=..., argument=...), got {level!r}")
    if until == "unbounded" and level is None:
        raise DataError(
            "growth proves nothing about what comes later; to certify that a trajectory is "
            "unbounded give level=Level(value=c, argument=...): no critical point has f < c"
        )
    rtol = as_scalar(rtol, "rtol", low=1e-12, high=1e-2)
    end = np.inf if t_end is None else as_scalar(t_end, "t_end", low=0.0)
    march = _March(system, start, level)
    # A trajectory may leave the range of numbers; that is a result, not a warning.
    with np.errstate(all="ignore"):
        march.run(end, rtol, as_count(max_steps, "max_steps"))
        status, message = march.judged()
    return GradientRun(
        t=np.array(march.t),
        x=np.array(march.x),
        loss=np.array(march.loss),
        gradient_norm=np.array(march.norm),
        status=status,
        message=message,
        evidence=march.evidence() if status == "diverged" else None,
        stats={"steps": len(march.t) - 1, "seconds": time.perf_counter() - began},
        _pieces=march.pieces,
    )


class _March:
    """Steps until something is decided."""

    def __init__(self, system: System, start: Array, level: Level | None) -> None:
        self._system, self._level = system, level
        self.t, self.x = [0.0], [start]
        self.loss = [system.f(start)]
        self.norm = [length(system.grad(start))]
        self.pieces: list[Any] = []
        self.broken = ""
        self.below: int | None = None
        self.reached = False
        self.found: Arrival | None = None

    def run(self, end: float, rtol: float, max_steps: int) -> None:
        """Integrate; what is known afterwards is in the attributes."""
        from scipy.integrate import Radau  # slow to import, rarely needed

        if self.norm[0] == 0.0 or end == 0.0:
            self.reached = end == 0.0
            self._look()
            return
        scale = max(float(np.abs(self.x[0]).max()), 1e-3)
        solver = Radau(
            lambda _, x: -self._system.grad(x),
            0.0,
            self.x[0],
            end,
            rtol=rtol,
            atol=1e-3 * rtol * scale,
            jac=lambda _, x: -self._system.hessian(x),
        )
        for _ in range(max_steps):
            try:
                problem = solver.step()
            except KeyboardInterrupt:
                self.broken = "interrupted; everything up to the last step is kept"
                break
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                self.broken = problem or "the right-hand side is not finite; move the start"
                break
            self._note(float(solver.t), solver.y.copy(), solver.dense_output())
            self.reached = solver.status == "finished"
            if self.reached or self.broken or (not np.isfinite(end) and self._decided()):
                break
        self._look()

    def _note(self, t: float, x: Array, piece: Any) -> None:
        self.t.append(t)
        self.x.append(x)
        self.pieces.append(piece)
        self.loss.append(self._system.f(x))
        self.norm.append(length(self._system.grad(x)))
        if self.loss[-1] > self.loss[-2] + 1e-6 * (abs(self.loss[-2]) + 1e-12):
            self.broken = (
                f"f rose from {self.loss[-2]:.6g} to {self.loss[-1]:.6g} in a step; give a smaller "
                "rtol, or the gradient of f"
            )
        if self.below is None and self._level is not None and self.margin(-1) > 0.0:
            self.below = len(self.t) - 1

    def margin(self, k: int) -> float:
        """Return how far below the level a value is, beyond its rounding."""
        if self._level is None:
            return -np.inf
        slack = 1e-9 * max(abs(self._level.value), abs(self.loss[k]))
        return float(self._level.value - self.loss[k] - slack)

    def _decided(self) -> bool:
        grown = length(self.x[-1]) >= GROWTH * max(1.0, length(self.x[0]))
        if self.below is not None and grown:
            return True
        if self.norm[-1] > VANISHED * max(self.norm):
            return False
        self._look()
        return self.found is not None and (self.found.near or self.norm[-1] == 0.0)

    def _look(self) -> None:
        x, grad = self.x[-1], self._system.grad(self.x[-1])
        with np.errstate(all="ignore"):
            hessian = self._system.hessian(x)
        if np.all(np.isfinite(hessian)):
            self.found = arrival(hessian, grad, length(x))

    @property
    def _sunk(self) -> bool:
        """Whether gradient and curvature have become zero on the way, as by underflow."""
        if self.found is None or len(self.t) == 1 or self.norm[-1] > 0.0:
            return False
        return self.found.inertia[0] == self.found.inertia[2] == 0

    @property
    def _resting(self) -> bool:
        if self._sunk:
            return False
        small = self.norm[-1] <= VANISHED * max(self.norm) or self.norm[-1] == 0.0
        return small and self.found is not None and self.found.near

    def judged(self) -> tuple[str, str]:
        """Return status and message."""
        where = f"f = {self.loss[-1]:.6g}, gradient {self.norm[-1]:.3g}"
        if self.broken:
            return "failed", self.broken
        if self._resting:
            if self._level is not None and self.margin(-1) > 0.0:
                return "failed", (
                    f"the run comes to rest at {where}, below the level {self._level.value:.6g} "
                    "that has no critical point below it; its argument must be wrong"
                )
            rest = 0.0 if self.found is None else self.found.rest
            return "limit", f"at rest: {where}, the rest of the way is estimated at {rest:.3g}"
        if self.below is not None and self._growing():
            wrong = self._refuted()
            return ("failed", wrong) if wrong else ("diverged", self.evidence().statement)
        stop = "the requested time was reached" if self.reached else "the budget is used up"
        if self._sunk:
            stop = "gradient and Hessian fell below the least number there is, which is no arrival"
        return "horizon", f"{stop}: {where}; {self._growth_words()}"

    def _growing(self) -> bool:
        """Say whether the point is moving away from the origin at the end."""
        outward = -float(self.x[-1] @ self._system.grad(self.x[-1]))
        return outward > 0.0 and length(self.x[-1]) > length(self.x[self.below or 0])

    def _refuted(self) -> str:
        """Look for a critical point below the level by Newton's method from both ends."""
        for x in (self.x[-1], self.x[0]):
            point = newton(self._system, x)
            if point is not None and self._level is not None:
                value = self._system.f(point)
                if value < self._level.value - 1e-9 * abs(self._level.value):
                    where = ", ".join(f"{item:.6g}" for item in point)
                    return (
                        f"there is a critical point at ({where}) with f = {value:.6g}, below the "
                        f"level {self._level.value:.6g}; its argument must be wrong"
                    )
        return ""

    def _growth_words(self) -> str:
        first, last = length(self.x[0]), length(self.x[-1])
        words = f"the norm went from {first:.4g} to {last:.4g}"
        if self._level is None:
            return f"{words}, which proves nothing: no certified level was given"
        if self.below is None:
            return f"{words}, f did not fall below the level {self._level.value:.6g}"
        return f"{words}, f is below the level {self._level.value:.6g}, but the norm does not grow"

    def evidence(self) -> Evidence:
        """Return why the trajectory is unbounded."""
        assert self._level is not None and self.below is not None  # noqa: PT018, S101
        k = self.below
        return Evidence(
            level=self._level,
            time=self.t[k],
            loss=self.loss[k],
            margin=self.margin(k),
            start_norm=length(self.x[0]),
            end_norm=length(self.x[-1]),
            statement=STATEMENT.format(
                level=self._level.value, time=self.t[k], argument=self._level.argument
            ),
        )
