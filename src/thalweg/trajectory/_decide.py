"""Integrating until the limit is decided (Spec 3.3, 3.4, 4.8)."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.certificate import Levels
from thalweg.integrate import Landing, Solution, Status, Tail, landable, solve
from thalweg.landscape import Polished, natural_gradient, polish_reduced
from thalweg.limit import Jump, close_tail
from thalweg.network import unpack
from thalweg.problem import Compression
from thalweg.trajectory._exact import has_vanishing_chain, outlook, stands_still

GRADIENT_FLOOR = 1e-12
"""Gradient, relative to its natural size, at which rounding hides the direction of motion."""
BEFORE_ROUNDING = 1e5
"""Factor of that gradient where the limit is known and must not be left because of rounding."""
SLOWER = 0.1
"""Factor by which the gradient falls between two questions whether the run has come to rest."""
FINEST_TAIL = 1e-12
"""Relative error of the predicted limit that is good enough at any tolerance."""
TAIL_STEP, LOWEST_STEP = 0.04, 1e-8
"""Factor by which the excess loss falls between two predictions of the limit: at most, at least."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ending:
    """How an integration ended, in compressed coordinates.

    Attributes
    ----------
    parts
        Consecutive pieces of the trajectory.
    jump
        Predicted limit inside the basin of global minima of the compressed network, or ``None``.
    tail_error
        Relative error estimate of that prediction, ``None`` if unknown.
    saddle
        Saddle at which the start provably ends, polished, or ``None``.
    lost
        Why no limit is named although the run came to rest or entered the basin; else empty.
    how
        The same in a few words.
    """

    parts: list[Solution]
    jump: Jump | None
    tail_error: float | None
    saddle: Polished | None
    lost: str = ""
    how: str = "gradient lost in rounding"


@dataclasses.dataclass(kw_only=True)
class Runner:
    """Carries the integrator from event to event; all arguments of `solve` that stay fixed."""

    start: Compression
    levels: Levels
    rtol: float
    max_steps: int
    options: dict[str, Any]
    progress: Callable[..., None] | None = None
    observe: Callable[[float, Array], None] | None = None

    def __post_init__(self) -> None:
        """Begin with no piece integrated."""
        self.parts: list[Solution] = []
        self.taken = 0

    def advance(
        self,
        *,
        t_end: float,
        loss_stop: float,
        gradient_stop: float,
        atol: float | None = None,
        tail: Tail | None = None,
    ) -> Solution:
        """Integrate on to the next event and keep the piece."""
        problem = self.start
        piece = solve(
            problem.target,
            problem.metric,
            problem.weights,
            t_end=t_end,
            rtol=self.rtol,
            atol=atol,
            loss_stop=loss_stop,
            gradient_stop=gradient_stop,
            max_steps=max(1, self.max_steps - self.taken),
            progress=self.progress,
            observe=self.observe,
            state=self.parts[-1].state if self.parts else None,
            tail=tail,
            **self.options,
        )
        self.forget()
        for points, k in ((self.parts[-1].y, -1), (piece.y, 0)) if self.parts else ():
            if not isinstance(points, np.ndarray):  # large: nothing but the last point in memory
                points.release(k)
        self.parts.append(piece)
        self.taken += int(piece.stats["steps"])
        return piece

    def forget(self) -> None:
        """Let go of the state of the last piece, which is as large as some sets of weights."""
        if self.parts:
            self.parts[-1].release()

    @property
    def point(self) -> list[Array]:
        """The last weights."""
        return unpack(self.parts[-1].y[-1], self.start.dims)

    @property
    def loss(self) -> float:
        """The last loss."""
        return float(self.parts[-1].loss[-1])


def run_until_decided(runner: Runner) -> Ending:
    """Integrate until a theorem says where the trajectory ends.

    A small gradient alone never stops the run, nor does a small displacement from a saddle: near
    one that is not strict, null directions lead away at any speed. The run goes on until the loss
    is below the basin level, every part of the network is known to stay out of the others (see
    `outlook`), or nothing can be said because the gradient has become its own rounding error.
    """
    problem, levels = runner.start, runner.levels
    top = float(levels.sigma[0]) if levels.sigma.size else 0.0
    floor = GRADIENT_FLOOR * natural_gradient(top, problem.metric, len(problem.weights))
    if has_vanishing_chain(problem):
        floor *= BEFORE_ROUNDING
    enter = levels.basin * (1.0 - 1e-6) if np.isfinite(levels.basin) else np.inf
    gradient_stop = floor
    loss_stop = enter
    tail = _tail(runner, 1e-3 * floor)
    while True:
        part = runner.advance(
            t_end=np.inf,
            loss_stop=loss_stop,
            gradient_stop=gradient_stop,
            tail=tail if loss_stop == enter else None,
        )
        status, landing = part.status, part.landing
        del part  # it holds on to the state, which is large
        if landing is not None:
            return _landed(runner, landing)
        if runner.loss <= enter:
            return _close(runner, status, 1e-3 * floor)
        if status is Status.GRADIENT_STOP:
            ending = settle(runner)
            if ending is not None:
                return ending
            # Merely slow: go on until the gradient is much less, or the saddle visibly left.
            gradient_stop = SLOWER * float(runner.parts[-1].gradient_norm[-1])
            drop = 1e-3 * 0.5 * float(np.sum(levels.sigma**2))
            loss_stop = max(enter, runner.loss - drop)
        elif status is Status.LOSS_STOP:
            gradient_stop, loss_stop = floor, enter
        else:
            return Ending(parts=runner.parts, jump=None, tail_error=None, saddle=None)


def settle(runner: Runner) -> Ending | None:
    """Return the end of a trajectory that has come to rest, or ``None`` if it is only passing."""
    problem, parts = runner.start, runner.parts
    if len(parts[0].t) == 1 and stands_still(problem):
        saddle = polish_reduced(problem.weights, problem.target, problem.metric)
        return Ending(parts=parts, jump=None, tail_error=None, saddle=saddle)
    ahead = outlook(problem, runner.point)
    if ahead.decided:
        saddle = polish_reduced(ahead.weights, problem.target, problem.metric)
        return Ending(parts=parts, jump=None, tail_error=None, saddle=saddle)
    if ahead.visible:
        return None
    text = (
        f"the gradient fell to {ahead.gradient:.2g}, where its rounding error may be "
        f"{ahead.rounding:.2g}: whether the trajectory ends here or leaves much later cannot be "
        "seen in this arithmetic"
    )
    return Ending(parts=parts, jump=None, tail_error=None, saddle=None, lost=text)


def _tail(runner: Runner, gradient_stop: float) -> Tail | None:
    """Return how the compiled core is to close the tail, ``None`` if it cannot."""
    problem, levels = runner.start, runner.levels
    if levels.rank < min(problem.target.shape) or not landable(problem.target):
        return None
    return Tail(
        least=levels.least,
        smallest=_rounding(levels),
        goal=max(runner.rtol, FINEST_TAIL),
        rtol=runner.rtol,
        gradient_stop=gradient_stop,
    )


def _rounding(levels: Levels) -> float:
    """Return the excess loss that is rounding."""
    return 1e-13 * max(levels.least, 1e-15 * float(levels.sigma.dot(levels.sigma)))


def _landed(runner: Runner, found: Landing) -> Ending:
    jump = Jump(weights=unpack(found.y, runner.start.dims), length=found.length, converged=True)
    return Ending(parts=runner.parts, jump=jump, tail_error=found.error, saddle=None)


def _close(runner: Runner, status: Status, gradient_stop: float) -> Ending:
    """Go on inside the basin until two predictions of the limit agree.

    The compiled core does the same (landing.hpp) where it can.
    """
    problem, levels = runner.start, runner.levels
    goal, smallest = max(runner.rtol, FINEST_TAIL), _rounding(levels)
    before: Jump | None = None
    error: float | None = None
    going = status in {Status.LOSS_STOP, Status.GRADIENT_STOP}
    while True:
        jump = close_tail(runner.point, problem.target, problem.metric, levels.rank)
        size = max(_norm(jump.weights), 1e-300)
        if jump.converged and before is not None and before.converged:
            change = _distance(jump.weights, before.weights)
            curvature = change / before.length**2 if before.length > 0 else 0.0
            error = min(change, curvature * jump.length**2) / size
        if jump.converged and jump.length <= 1e-14 * size:
            error = jump.length / size
        if jump.converged and error is not None and error <= goal:
            break
        excess = runner.loss - levels.least
        if not going or excess <= smallest:
            break
        curvature = 1.0 / size
        if error is not None and jump.length > 0.0:
            curvature = error * size / jump.length**2
        wanted = _step_down(jump, curvature, goal * size) * excess
        before = jump
        status = runner.advance(
            t_end=np.inf,
            loss_stop=levels.least + max(wanted, 0.5 * smallest),
            gradient_stop=gradient_stop,
            # Errors are no longer amplified: the tolerance is that of the weights as they are.
            atol=runner.rtol * float(np.sqrt(np.mean(runner.parts[-1].y[-1] ** 2))),
        ).status
        going = status is Status.LOSS_STOP
    return Ending(
        parts=runner.parts,
        jump=jump if jump.converged else None,
        tail_error=error if jump.converged else None,
        saddle=None,
    )


def _step_down(jump: Jump, curvature: float, goal: float) -> float:
    """Return the factor of the excess loss at which the next prediction should be good enough.

    Its error is `curvature` times the squared way left, which falls like the excess.
    """
    if not (jump.converged and curvature > 0.0 and jump.length > 0.0):
        return TAIL_STEP
    return min(max(0.25 * goal / (curvature * jump.length**2), LOWEST_STEP), TAIL_STEP)


def _norm(weights: list[Array]) -> float:
    return float(np.sqrt(sum(float(np.vdot(item, item)) for item in weights)))


def _distance(one: list[Array], two: list[Array]) -> float:
    return _norm([a - b for a, b in zip(one, two, strict=True)])
