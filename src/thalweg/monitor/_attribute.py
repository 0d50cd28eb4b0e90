"""The change of a conserved quantity over one step, as a sum of parts that adds up exactly.

With ``C = sum_i s_i A_i A_i^T`` and ``A_i -> A_i + P_i``, ``P = sum of parts P_k``:

``Delta C = sum_i s_i (A P^T + P A^T + P P^T) = sum_k sum_i s_i (M P_k^T + P_k M^T)``

with ``M = A + P/2``.

So each part gets its first-order term, its own square, and half of what it shares with the others.
The gradient's first-order term vanishes where there is a law; what is left of it is the part
``defect``, and the rest, of second order in the step size, is ``step_size`` (Spec 8.1). What the
formulas of the optimizer leave of the measured change is ``rounding`` if it is no larger than the
rounding of the weights, and ``optimizer`` otherwise.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch

from thalweg.monitor._forms import Form, Seen
from thalweg.monitor._laws import Law
from thalweg.monitor._optimizers import Update

EXTRAS = ("leftover", "clipping")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attribution:
    """One law over one step.

    Attributes
    ----------
    start
        What is observed of ``C`` before the step.
    change
        What is observed of ``Delta C``.
    parts
        Name -> likewise; missing ones are zero. They add up to `change`.
    step
        The common step size along the gradient.
    """

    start: Any
    change: Any
    parts: dict[str, Any]
    step: float


class Sums:
    """First- and second-order forms of a law, summed over its terms.

    Parameters
    ----------
    law, form
        The law and how it is observed.
    updates
        The steps of its parameters.
    """

    def __init__(self, law: Law, form: Form, updates: dict[str, Update]) -> None:
        self._form = form
        self.updates = [updates[term.parameter] for term in law.terms]
        self._signs = [term.sign for term in law.terms]
        self._views = [term.view for term in law.terms]
        self._seen: dict[str, list[Seen | None]] = {}
        self._known: dict[tuple[str, str], list[Any]] = {}

    def _see(self, name: str) -> list[Seen | None]:
        if name not in self._seen:
            tensors = (getattr(update, name) for update in self.updates)
            self._seen[name] = [
                None if tensor is None else self._form.see(view(tensor))
                for tensor, view in zip(tensors, self._views, strict=True)
            ]
        return self._seen[name]

    def start(self) -> Any:
        """Return ``sum s A A^T``."""
        total: Any = 0.0
        for sign, before in zip(self._signs, self._see("before"), strict=True):
            total = _added(total, sign, self._form.square(before)) if before else total
        return total

    def pairs(self, left: str, right: str) -> list[Any]:
        """Return ``X Y^T + Y X^T`` for each term, computed once; None where one is missing."""
        key = (left, right)
        if key not in self._known:
            self._known[key] = [
                None if one is None or two is None else self._form.pair(one, two)
                for one, two in zip(self._see(left), self._see(right), strict=True)
            ]
        return self._known[key]

    def total(self, left: str, right: str, size: Callable[[Update], float]) -> Any:
        """Return ``sum s size (X Y^T + Y X^T)``; 0.0 if nothing contributes."""
        return self._sum(self.pairs(left, right), size)

    def _sum(self, forms: list[Any], size: Callable[[Update], float]) -> Any:
        out: Any = 0.0
        for sign, update, form in zip(self._signs, self.updates, forms, strict=True):
            scale = sign * size(update) if form is not None else 0.0
            out = _added(out, scale, form) if scale else out
        return out

    def middle(self, name: str, size: Callable[[Update], float]) -> Any:
        """Return ``sum s size (M X^T + X M^T)`` with the weights in the middle of the step."""
        if name == "step":
            return self.total("middle", name, lambda up: size(up) * up.factor)
        if name != "fresh":
            return self.total("middle", name, size)
        # Both orders of the gradient are known already.
        return self.total("before", name, size) + 0.5 * self.total("change", name, size)

    def change(self) -> Any:
        """Return ``Delta C``; for plain steps without the weights in the middle of the step."""
        if not (self._form.diagonal and all(up.plain for up in self.updates)):
            return self.middle("change", lambda _: 1.0)
        out = self.total("before", "change", lambda _: 1.0)
        for sign, moved in zip(self._signs, self._see("change"), strict=True):
            out = _added(out, sign, self._form.square(moved)) if moved else out
        return out

    def has(self, name: str) -> bool:
        """Whether any parameter has such a tensor."""
        return any(getattr(update, name) is not None for update in self.updates)

    def present(self, size: Callable[[Update], float]) -> Any:
        """Return `middle` of ``d``: the gradient as it was used, with decay where it is part."""
        out = self.middle("fresh", lambda up: size(up) * up.settings.sign)
        for name in EXTRAS:
            if self.has(name):
                out = out + self.middle(name, lambda up: size(up) * up.settings.sign)
        return out + self.middle("before", lambda up: size(up) * up.settings.coupled)


def _added(total: Any, scale: float, term: Any) -> Any:
    if isinstance(total, float):
        return term.double() * scale
    return total.add_(term, alpha=scale)


def attribute(law: Law, form: Form, updates: dict[str, Update]) -> Attribution:
    """Attribute the change of one law over one step.

    Parameters
    ----------
    law, form
        The law and how it is observed.
    updates
        The steps of its parameters.

    Returns
    -------
    Attribution
        Parts by name.
    """
    sums = Sums(law, form, updates)
    start, change = sums.start(), sums.change()
    ours = sums.updates
    if any(up.settings.kind == "other" for up in ours):
        return Attribution(start=start, change=change, parts={"optimizer": change}, step=0.0)
    scaling, mean = _common(ours)
    step = scaling * mean
    parts = _along_the_gradient(sums, step)
    parts |= _away_from_it(sums, step, scaling, mean)
    parts = {name: value for name, value in parts.items() if isinstance(value, torch.Tensor)}
    rest = change - sum(parts.values())
    parts["rounding" if all(up.rounding for up in ours) else "optimizer"] = rest
    return Attribution(start=start, change=change, parts=parts, step=step)


def _common(ours: list[Update]) -> tuple[float, float]:
    """Return the scaling and the learning rate that come nearest to those of all parameters."""
    rates = {up.settings.lr for up in ours}
    if len(rates) == 1 and all(up.scaled is None for up in ours):
        return 1.0, rates.pop()
    squares = [up.square for up in ours]
    total = sum(squares)
    if total == 0.0:
        return 1.0, ours[0].settings.lr
    scaling = (
        sum(up.product for up in ours) / total if any(up.scaled is not None for up in ours) else 1.0
    )
    if len(rates) == 1:
        return scaling, rates.pop()
    return scaling, sum(up.settings.lr * s for up, s in zip(ours, squares, strict=True)) / total


def _along_the_gradient(sums: Sums, step: float) -> dict[str, Any]:
    """Return the parts of the gradient itself, moved along with one step size."""

    def size(up: Update) -> float:
        return -step * up.settings.sign

    second = sums.total("change", "fresh", size)
    parts: dict[str, Any] = {
        "defect": sums.total("before", "fresh", size),
        "step_size": 0.5 * second,
    }
    if all(up.batch_free is not None for up in sums.updates if up.fresh is not None):
        smooth = sums.total("change", "batch_free", size)
        parts["step_size"], parts["noise"] = 0.5 * smooth, 0.5 * (second - smooth)
    for name in EXTRAS:
        if sums.has(name):
            parts[name] = sums.middle(name, size)
    return parts


def _away_from_it(sums: Sums, step: float, scaling: float, mean: float) -> dict[str, Any]:
    """Return the parts of what the optimizer adds to the gradient."""
    parts: dict[str, Any] = {}
    if any(up.settings.coupled or up.settings.decoupled for up in sums.updates):
        parts["weight_decay"] = sums.middle(
            "before",
            lambda up: -step * up.settings.coupled - up.settings.lr * up.settings.decoupled,
        )
    if any(up.averaged for up in sums.updates):
        parts["momentum"] = sums.middle("step", lambda _: -step) - sums.present(lambda _: -step)
    if sums.has("scaled"):
        scaled = sums.middle("scaled", lambda up: -up.settings.lr)
        parts["adaptivity"] = scaled - sums.middle("step", lambda up: -scaling * up.settings.lr)
    if any(up.settings.lr != mean for up in sums.updates):
        parts["learning_rates"] = sums.middle("step", lambda up: -scaling * (up.settings.lr - mean))
    return parts


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
    if any(updates[term.parameter].fresh is None for term in law.terms):
        return None
    sums = Sums(law, form, updates)
    first = sums.total("before", "fresh", lambda _: 1.0)
    size: Any = 0.0
    axes = (-1,) if form.diagonal else (-2, -1)
    for term in law.terms:
        update = updates[term.parameter]
        before, fresh = term.view(update.before), term.view(update.fresh)
        norms = (torch.linalg.vector_norm(item, dim=axes) for item in (before, fresh))
        size = size + next(norms) * next(norms)
    bound = 2.0 * float(torch.linalg.vector_norm(size))
    return float(torch.linalg.vector_norm(first)) / bound if bound > 0.0 else None
