"""The change of a conserved quantity over one step, as a sum of parts that adds up exactly.

With ``C = sum_i s_i A_i A_i^T`` and ``A_i -> A_i + P_i``, ``P = sum of parts P_k``:

``Delta C = sum_i s_i (A P^T + P A^T + P P^T) = sum_k sum_i s_i (M P_k^T + P_k M^T)``, ``M = A + P/2``.

So each part gets its first-order term, its own square, and half of what it shares with the others.
The gradient's first-order term vanishes where there is a law; what is left of it is the part
``defect``, and the rest, of second order in the step size, is ``step_size`` (Spec 8.1).
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch

from thalweg.monitor._forms import Form
from thalweg.monitor._laws import Law
from thalweg.monitor._optimizers import Update

Sum = Callable[[Callable[[Update], Any]], tuple[Any, Any]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attribution:
    """One law over one step.

    Attributes
    ----------
    change
        What is observed of ``Delta C``.
    parts
        Name -> likewise; missing ones are zero.
    residual
        Norm of the difference between `change` and the sum of the parts.
    step
        The common step size along the gradient.
    """

    change: Any
    parts: dict[str, Any]
    residual: float
    step: float


class _Sums:
    """First- and second-order forms of a law, summed over its terms."""

    def __init__(self, law: Law, form: Form, updates: dict[str, Update]) -> None:
        self._form = form
        self._rows = [
            (term.sign, term.view, updates[term.parameter])
            for term in law.terms
            if term.parameter in updates
        ]
        self._seen = [(view(up.before), view(up.change)) for _, view, up in self._rows]

    def __call__(self, choose: Callable[[Update], Any]) -> tuple[Any, Any]:
        """Return ``sum s (A X^T + X A^T)`` and ``sum s (P X^T + X P^T)``; zeros count for None."""
        first: Any = 0.0
        second: Any = 0.0
        for (sign, view, update), (before, change) in zip(self._rows, self._seen, strict=True):
            chosen = choose(update)
            if chosen is None:
                continue
            seen = change if chosen is update.change else view(chosen)
            seen = before if chosen is update.before else seen
            first = first + sign * self._form.pair(before, seen)
            second = second + sign * self._form.pair(change, seen)
        return first, second

    def middle(self, choose: Callable[[Update], Any]) -> Any:
        """Return ``sum s (M X^T + X M^T)`` with the weights in the middle of the step."""
        first, second = self(choose)
        return first + 0.5 * second


def attribute(law: Law, form: Form, updates: dict[str, Update]) -> Attribution:
    """Attribute the change of one law over one step.

    Parameters
    ----------
    law, form
        The law and how it is observed.
    updates
        The steps of its parameters; parameters that were not moved may be missing.

    Returns
    -------
    Attribution
        Parts by name.
    """
    sums = _Sums(law, form, updates)
    ours = [updates[t.parameter] for t in law.terms if t.parameter in updates]
    change = sums.middle(lambda up: up.change)
    if any(up.settings.kind == "other" for up in ours):
        return Attribution(change=change, parts={"optimizer": change}, residual=0.0, step=0.0)
    square = sum(up.square for up in ours)
    scaling = sum(up.product for up in ours) / square if square > 0.0 else 1.0
    rates = {up.settings.lr for up in ours}
    mean = rates.pop() if len(rates) == 1 else 0.0
    if rates:
        mean = sum(up.settings.lr * up.square for up in ours) / square if square > 0.0 else 0.0
    step = scaling * mean
    parts = _along_the_gradient(sums, ours, step)
    parts |= _away_from_it(sums, ours, step, scaling, mean)
    parts["rounding"] = sums.middle(lambda up: up.rest if up.rounding else None)
    parts["optimizer"] = sums.middle(lambda up: None if up.rounding else up.rest)
    parts = {name: value for name, value in parts.items() if isinstance(value, torch.Tensor)}
    total = sum(parts.values())
    residual = float(torch.linalg.vector_norm(change - total))
    return Attribution(change=change, parts=parts, residual=residual, step=step)


def _along_the_gradient(sums: _Sums, ours: list[Update], step: float) -> dict[str, Any]:
    """Return the parts of the gradient itself, moved along with one step size."""
    first, second = sums(lambda up: -step * up.settings.sign * up.fresh)
    parts: dict[str, Any] = {"defect": first, "step_size": 0.5 * second}
    if all(up.batch_free is not None for up in ours):
        _, smooth = sums(lambda up: -step * up.settings.sign * up.batch_free)
        parts["step_size"], parts["noise"] = 0.5 * smooth, 0.5 * (second - smooth)
    for name in ("leftover", "clipping"):
        if any(getattr(up, name) is not None for up in ours):
            parts[name] = sums.middle(
                lambda up, name=name: (
                    None
                    if getattr(up, name) is None
                    else -step * up.settings.sign * getattr(up, name)
                )
            )
    return parts


def _away_from_it(
    sums: _Sums, ours: list[Update], step: float, scaling: float, mean: float
) -> dict[str, Any]:
    """Return the parts of what the optimizer adds to the gradient."""
    parts: dict[str, Any] = {}
    if any(up.settings.coupled or up.settings.decoupled for up in ours):

        def decay(up: Update) -> Any:
            size = step * up.settings.coupled + up.settings.lr * up.settings.decoupled
            return -size * up.before if size else None

        parts["weight_decay"] = sums.middle(decay)
    if any(up.averaged is not None for up in ours):
        parts["momentum"] = sums.middle(
            lambda up: None if up.averaged is None else -step * up.averaged
        )
    if any(up.scaled is not None for up in ours):
        parts["adaptivity"] = sums.middle(
            lambda up: (
                None
                if up.scaled is None
                else -up.settings.lr * (up.scaled - scaling * direction(up))
            )
        )
    if any(up.settings.lr != mean for up in ours):
        parts["learning_rates"] = sums.middle(
            lambda up: -scaling * (up.settings.lr - mean) * direction(up)
        )
    return parts


def direction(up: Update) -> Any:
    """Return ``r``: what the optimizer would step along without scaling of coordinates."""
    out = up.settings.sign * up.fresh
    for extra in (up.leftover, up.clipping):
        out = out if extra is None else out + up.settings.sign * extra
    if up.settings.coupled:
        out = out + up.settings.coupled * up.before
    return out if up.averaged is None else out + up.averaged


def obedience(law: Law, form: Form, updates: dict[str, Update]) -> float | None:
    """Return how far a gradient is from obeying the law: 0 if it does, about 1 if not at all.

    Parameters
    ----------
    law, form
        The law and how it is observed.
    updates
        With the gradients of all its parameters.

    Returns
    -------
    float or None
        ``||sum s (A G^T + G A^T)||`` over ``2 sum ||A|| ||G||``, taken over the units; None while
        a gradient is zero or missing.
    """
    if any(term.parameter not in updates for term in law.terms):
        return None
    first, _ = _Sums(law, form, updates)(lambda up: up.fresh)
    size: Any = 0.0
    for term in law.terms:
        update = updates[term.parameter]
        before, fresh = term.view(update.before), term.view(update.fresh)
        if form.diagonal:
            size = size + before.norm(dim=-1) * fresh.norm(dim=-1)
        else:
            size = size + before.norm(dim=(-2, -1)) * fresh.norm(dim=(-2, -1))
    bound = 2.0 * float(torch.linalg.vector_norm(size))
    return float(torch.linalg.vector_norm(first)) / bound if bound > 0.0 else None
