"""One law while it is watched: checked once, then measured and attributed."""

from typing import Any

import torch

from thalweg.monitor._attribute import attribute, obedience
from thalweg.monitor._forms import Form
from thalweg.monitor._laws import Law
from thalweg.monitor._optimizers import Update
from thalweg.monitor._record import LawSummary

TOLERANCE = {torch.float64: 1e-9, torch.float32: 3e-5, torch.bfloat16: 1e-2, torch.float16: 3e-3}
"""How far a gradient may be from obeying a law, by the precision in which it was computed."""
EPSILON = 1e-2
"""Likewise where the epsilon of a normalization breaks the law a little."""
PENDING = 64
"""Values of single units that wait to be turned into rows together."""


def precision(gradients: list[Any]) -> Any:
    """Return the type in which gradients were computed, as their bits tell.

    Parameters
    ----------
    gradients
        As the backward pass left them. Under autocast they are float32 but carry the bits of a
        shorter type.

    Returns
    -------
    torch.dtype
        The shortest that holds all of them.
    """
    stored = max((item.dtype for item in gradients), key=lambda item: torch.finfo(item).bits)
    if stored == torch.float32:
        for short in (torch.bfloat16, torch.float16):
            if any(
                torch.equal(item.to(short).to(stored), item) and item.any() for item in gradients
            ):
                return short
    return stored


class Watched:
    """State of one law.

    Parameters
    ----------
    law
        The candidate.
    parameters
        By name.
    probes
        For large matrices.
    """

    def __init__(self, law: Law, parameters: dict[str, Any], probes: int | None) -> None:
        self.law = law
        self._parameters = {term.parameter: parameters[term.parameter] for term in law.terms}
        first = law.terms[0]
        shape = first.view(parameters[first.parameter].detach()).shape
        self.blocks, self.units = int(shape[0]), int(shape[1])
        self.form = Form(law.kind, self.units, probes)
        self.checked = False
        self.disobedience = 0.0
        self.drift = 0.0
        self._start: Any = None
        self._whole: Any = None
        self._scale = self._whole_scale = 1.0
        self._sums: dict[str, Any] = {}
        self._pending: list[tuple[int, Any]] = []
        self._places: list[int] = []
        self._views: list[tuple[float, Any, Any]] = []

    @property
    def names(self) -> list[str]:
        """Of the parameters."""
        return list(self._parameters)

    @property
    def by_unit(self) -> bool:
        """Whether what is observed is one number for each unit, which costs little."""
        return self.form.diagonal

    def begin(self, before: dict[str, Any]) -> None:
        """Keep the values at the start; `before` are the weights."""
        squares = [
            term.sign * self.form.square(self.form.see(term.view(before[term.parameter]))).double()
            for term in self.law.terms
        ]
        self._start = sum(squares)
        self._scale = max(_norm(item) for item in (*squares, self._start)) or 1.0
        if self.form.partial:
            self._whole, self._whole_scale = self._now()

    def check(self, updates: dict[str, Update], computed: Any) -> str | None:
        """Compare a gradient with the law.

        Parameters
        ----------
        updates
            Of this step.
        computed
            Type in which the gradients were computed.

        Returns
        -------
        str or None
            Why there is no law. If the gradient says nothing, the law stays unchecked.
        """
        found = obedience(self.law, self.form, updates)
        if found is None:
            return None
        allowed = TOLERANCE[computed] if self.law.exact else max(EPSILON, TOLERANCE[computed])
        self.disobedience = found
        if found > allowed:
            kind = str(computed).removeprefix("torch.")
            return (
                f"the gradient does not obey it: off by {found:.1e}, rounding in {kind} "
                f"explains {allowed:.0e}"
            )
        self.checked = True
        return None

    def row(self, step: int, updates: dict[str, Update]) -> dict[str, Any]:
        """Attribute one step and add it to the sums."""
        done = attribute(self.law, self.form, updates)
        size = _norm(done.change)
        along = done.change / size if size > 0.0 else torch.zeros_like(done.change)
        values = {name: _along(part, along) for name, part in done.parts.items()}
        for name, part in (*done.parts.items(), ("change", done.change)):
            self._sums[name] = self._sums[name].add_(part) if name in self._sums else part.clone()
        now = done.start + done.change
        self.drift = _norm(now - self._start) / self._scale
        rates = {updates[name].settings.lr for name in self._parameters}
        return {
            "step": step,
            "law": self.law.name,
            "kind": self.law.kind,
            "value": _norm(now),
            "drift": self.drift,
            "change": size,
            **values,
            "lr": sum(rates) / len(rates),
            "effective_lr": done.step,
        }

    def note_values(self, step: int) -> list[dict[str, Any]]:
        """Note the values of single units; returns rows when enough have come together."""
        value: Any = None
        for sign, view, work in self._live_views():
            if value is None:
                value = torch.mul(view, view, out=work).sum(-1)
                value = value if sign > 0.0 else value.neg_()
            elif work is None:
                value.addcmul_(view, view, value=sign)
            elif view.stride(-1) == 1:
                norms = torch.linalg.vector_norm(view, dim=-1)
                value.addcmul_(norms, norms, value=sign)
            else:
                value.add_(torch.mul(view, view, out=work).sum(-1), alpha=sign)
        self._pending.append((step, value))
        return self.flush() if len(self._pending) >= PENDING else []

    def _live_views(self) -> list[tuple[float, Any, Any]]:
        """Return signs, views that follow the parameters, and memory for their squares.

        They are made again when a parameter has moved in memory, and every time where a view had
        to copy and so does not follow. Biases come without their last axis and need no memory.
        """
        places = [item.data_ptr() for item in self._parameters.values()]
        if places == self._places:
            return self._views
        views: list[tuple[float, Any, Any]] = []
        follow = True
        for term in self.law.terms:
            parameter = self._parameters[term.parameter].detach()
            view = term.view(parameter)
            follow &= view.untyped_storage().data_ptr() == parameter.untyped_storage().data_ptr()
            if view.shape[-1] == 1 and views:
                views.append((term.sign, view[..., 0], None))
            else:
                views.append((term.sign, view, torch.empty_like(view)))
        if follow:
            self._places, self._views = places, views
        return views

    def flush(self) -> list[dict[str, Any]]:
        """Turn noted values into rows."""
        if not self._pending or self._start is None:
            return []
        values = torch.stack([value for _, value in self._pending]).double()
        norms = values.flatten(1).norm(dim=1).tolist()
        drifts = ((values - self._start).flatten(1).norm(dim=1) / self._scale).tolist()
        rows = [
            {"step": step, "law": self.law.name, "kind": self.law.kind, "value": n, "drift": d}
            for (step, _), n, d in zip(self._pending, norms, drifts, strict=True)
        ]
        self._pending = []
        self.drift = drifts[-1]
        return rows

    def _now(self) -> tuple[Any, float]:
        """Return the whole conserved matrix, and the size of its terms."""
        squares = [
            term.sign * (view @ view.mT)
            for term in self.law.terms
            for view in [term.view(self._parameters[term.parameter].detach())]
        ]
        whole: Any = sum(squares)
        return whole, max(float(item.norm()) for item in (*squares, whole)) or 1.0

    def summary(self) -> LawSummary:
        """Return what is known so far."""
        total = self._sums.get("change")
        square = float((total * total).sum()) if total is not None else 0.0
        shares = {
            name: float((part * total).sum()) / square
            for name, part in self._sums.items()
            if name != "change" and square > 0.0
        }
        exact = self.drift
        if self._whole is not None:
            exact = float((self._now()[0] - self._whole).norm()) / self._whole_scale
        return LawSummary(
            name=self.law.name,
            kind=self.law.kind,
            formula=self.law.formula,
            units=self.blocks * self.units,
            drift=exact,
            partial=self.form.partial,
            disobedience=self.disobedience,
            observed_change=square**0.5 / self._scale,
            shares=shares,
        )


def _norm(tensor: Any) -> float:
    return float(torch.linalg.vector_norm(tensor))


def _along(part: Any, unit: Any) -> float:
    return float(torch.dot(part.reshape(-1), unit.reshape(-1)))
