"""Where the steps of an optimizer lead, as far as it is known (Spec 3.4, 4.8, 8.3)."""

import dataclasses

import numpy as np

from thalweg import network
from thalweg._core import Array, ThalwegError, Weights, learned_words
from thalweg.certificate import certify, levels
from thalweg.landscape import Verdict, classify_level, classify_reduced, polish_reduced
from thalweg.limit import Limit, close_tail
from thalweg.optimizers._settings import Settings
from thalweg.problem import Problem

NEARBY = 1e-4
"""Relative distance of a global minimum up to which the last weights are next to it."""
STABLE = 1e-10
"""Distance from a saddle, relative to the way come, up to which the steps have arrived."""


@dataclasses.dataclass(frozen=True)
class _Place:
    """The last weights and what is asked about them, in the coordinates of the flow."""

    problem: Problem
    weights: list[Array]
    given: Weights
    gradient: float

    def limit(
        self,
        weights: list[Array],
        verdict: Verdict,
        moved: float,
        told: tuple[str, str],
        *,
        certified: bool = False,
        error: float | None = None,
    ) -> Limit:
        """Put a limit together; `told` is what decided, in a few words and in a sentence."""
        return Limit(
            verdict=verdict,
            weights=tuple(self.problem.lift(weights, like=self.given)),
            polish_distance=moved,
            gradient_before=self.gradient,
            gradient_after=verdict.gradient_norm,
            certified=certified,
            tail_error=error,
            decided_by=told[0],
            message=told[1],
        )

    def open(self, text: str, kind: str = "undecided", rule: str = "horizon") -> Limit:
        """Leave the limit at the last weights."""
        here = classify_level(self.problem, self.weights)
        here = dataclasses.replace(here, kind=kind, rule=rule, message=text)
        return self.limit(self.weights, here, 0.0, (rule, text), certified=kind != "undecided")


def ending(
    p: Problem, start: Weights, weights: Weights, *, settings: Settings, status: str
) -> Limit:
    """Name the limit of a descent.

    Parameters
    ----------
    p
        The problem.
    start, weights
        First and last weights, in the coordinates of the data.
    settings
        How the steps were taken.
    status
        How they ended.

    Returns
    -------
    Limit
        ``certified`` if a theorem says so (gradient descent with a safe step in the basin);
        ``undecided`` where the last weights are not next to a critical point.

    Notes
    -----
    Status of the certified case: theorem. With steps up to the safe one the loss falls by a fixed
    part of the squared gradient, the weights stay bounded, and an analytic loss then has a single
    limit (Absil, Mahony, Andrews 2005), which is critical; below every other critical value it is
    a global minimum (Spec 3.4).
    """
    target, metric = p.flow_data()
    try:
        reduced = p.reduce(weights)
    except ThalwegError:  # too large or too small to be weights
        zero = [np.zeros_like(weight) for weight in p.reduce(start)]
        text = "the weights have left the range in which anything can be said"
        return _Place(p, zero, start, np.nan).open(text)
    loss, slopes = network.loss_and_gradient(reduced, target, metric)
    place = _Place(p, reduced, weights, float(np.sqrt(sum(np.vdot(g, g) for g in slopes))))
    if status == "diverged":
        return place.open("the steps were too long: the loss blew up")
    if settings.weight_decay:
        return place.open(
            "with weight decay the steps lead to a critical point of another loss, the decay "
            "included; nothing is said about it"
        )
    known = levels(target, p.max_rank)
    if known.in_basin(loss):
        return _in_basin(place, settings, known.rank)
    return _elsewhere(place, p.reduce(start))


def _in_basin(place: _Place, settings: Settings, rank: int) -> Limit:
    p, weights = place.problem, place.weights
    target, metric = p.flow_data()
    safe = certify(p, p.lift(weights, like=place.given)).safe_step
    certified = settings.plain and settings.lr <= safe
    jump = close_tail(weights, target, metric, rank)
    near = jump.converged and jump.length <= NEARBY * _size(weights)
    below = "the loss is below every other critical value"
    why = f"the step is not above the safe one there ({safe:.3g})"
    if near:
        verdict = classify_reduced(p, jump.weights)
        text = f"next to a global minimum, at distance {jump.length:.2g}"
        if certified:
            text += f"; {below} and {why}, so the limit is one"
        told = ("certified step in the basin" if certified else "next to a minimum", text)
        return place.limit(jump.weights, verdict, jump.length, told, certified=certified)
    if certified:
        text = f"{below} and {why}, so the limit is a global minimum, still too far to say which"
        return place.open(text, kind="global_minimum", rule="basin certificate")
    if not settings.plain:
        reason = "no theorem covers these steps"
    else:
        reason = f"lr = {settings.lr:g} exceeds the safe step there ({safe:.3g})"
    far = f"; the nearest minimum is at distance {jump.length:.2g}" if jump.converged else ""
    return place.open(f"{below}, but {reason}{far}; take more or shorter steps")


def _elsewhere(place: _Place, start: list[Array]) -> Limit:
    p = place.problem
    target, metric = p.flow_data()
    near = polish_reduced(place.weights, target, metric)
    verdict = classify_reduced(p, near.weights, near.moved)
    gaps = [one - two for one, two in zip(start, near.weights, strict=True)]
    allowed = STABLE * _size(gaps)
    saddle = verdict.kind in {"strict_saddle", "non_strict_saddle"}
    words = f"{verdict.kind.replace('_', ' ')} with {learned_words(verdict.learned)}"
    if saddle and (near.moved == 0.0 or max(near.moved, near.unstable) <= allowed):
        text = f"the steps have arrived at a {words}"
        told = ("polished saddle", text)
        return place.limit(near.weights, verdict, near.moved, told, error=near.moved)
    text = "the steps ended before the limit was decided; take more of them"
    if saddle:
        text = (
            f"the last weights are at distance {near.moved:.2g} from a {words}, perhaps only a "
            "plateau; take more steps"
        )
    return place.open(text)


def _size(weights: Weights) -> float:
    return float(np.sqrt(sum(float(np.vdot(item, item)) for item in weights)))
