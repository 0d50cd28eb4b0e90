"""One recorded step: copies before it, what moved after it."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import torch

from thalweg.monitor._buffers import Buffers
from thalweg.monitor._gradients import Gradients, Seen, common_factor, same_bits
from thalweg.monitor._optimizers import Settings, Update, complete, settings_of
from thalweg.monitor._undisturbed import buffers_kept, random_numbers_kept

LOSS_SCALE = 2.0**-8
"""A common factor below this is taken for loss scaling, not for clipping."""


@dataclasses.dataclass
class Before:
    """One parameter before the step.

    Attributes
    ----------
    weight
        In working precision.
    gradient
        None if there is none, or if a closure will compute it.
    settings
        Of its group.
    batch_free
        Gradient on all data, if it was asked for.
    """

    weight: Any
    gradient: Any
    settings: Settings
    batch_free: Any = None


@dataclasses.dataclass
class Step:
    """What one step did to the parameters of all laws.

    Attributes
    ----------
    updates
        By name.
    raw
        Gradients as the backward pass left them, for telling in which precision they came.
    passes
        Backward passes since the step before, at most over the parameters.
    factor
        Common factor between backward pass and step, or None if there is none.
    note
        What the user should know, or an empty string.
    """

    updates: dict[str, Update]
    raw: list[Any]
    passes: int
    factor: float | None
    note: str


def take_before(
    optimizer: Any,
    parameters: dict[str, Any],
    gradients: Gradients | None,
    buffers: Buffers,
    *,
    closure: bool,
) -> dict[str, Before] | None:
    """Copy weights and gradients; None if the step will be skipped."""
    found = getattr(optimizer, "found_inf", None)
    if found is not None and float(found) != 0.0:
        return None
    scale = getattr(optimizer, "grad_scale", None)
    groups = {
        id(parameter): group for group in optimizer.param_groups for parameter in group["params"]
    }
    out = {}
    for name, parameter in parameters.items():
        gradient = None
        if parameter.grad is not None and not closure:
            gradient = parameter.grad.detach()
            raw = None if gradients is None else gradients.take(name).raw
            if scale is not None:
                gradient = gradient / scale
            elif raw is not None and same_bits(raw, gradient):
                gradient = raw
            else:
                gradient = gradient.clone()
        weight = buffers.copy("before", name, parameter.detach())
        settings = settings_of(optimizer, groups[id(parameter)])
        out[name] = Before(weight, gradient, settings)
    return out


def add_batch_free(
    before: dict[str, Before], parameters: dict[str, Any], model: Any, loss: Callable[[], Any]
) -> None:
    """Compute the gradient on all data at the weights before the step.

    Parameters
    ----------
    before
        Is completed.
    parameters
        By name.
    model
        Its buffers and the random numbers are put back.
    loss
        Returns the loss on all data.
    """
    with torch.enable_grad(), random_numbers_kept(model), buffers_kept(model):
        found = torch.autograd.grad(loss(), list(parameters.values()), allow_unused=True)
    for name, gradient in zip(parameters, found, strict=True):
        before[name].batch_free = None if gradient is None else gradient.detach()


def take_after(
    optimizer: Any,
    parameters: dict[str, Any],
    before: dict[str, Before],
    gradients: Gradients | None,
    buffers: Buffers,
) -> Step:
    """Compare the weights with those before the step and take the step apart.

    Parameters
    ----------
    optimizer, parameters
        After the step.
    before
        Copies from before it.
    gradients
        What the hooks saw, or None where they say nothing (gradients averaged over processes).
    buffers
        Memory to work in.

    Returns
    -------
    Step
        In working precision.
    """
    final, seen = {}, {}
    for name, parameter in parameters.items():
        gradient = before[name].gradient
        if gradient is None and parameter.grad is not None:
            gradient = parameter.grad.detach()
        if gradient is not None:
            final[name] = gradient.to_dense() if gradient.is_sparse else gradient
            seen[name] = Seen() if gradients is None else gradients.take(name)
    factor, scale, note = _between(final, seen)
    updates = {}
    for name, old in before.items():
        update = Update(settings=old.settings, before=old.weight)
        updates[name] = update
        if name not in final and old.settings.kind != "other":
            continue
        parameter = parameters[name]
        room = buffers.get("change", name, old.weight)
        update.change = torch.sub(parameter.detach(), old.weight, out=room)
        update.room = buffers.get("middle", name, old.weight)
        if name in final:
            dtype = old.weight.dtype
            update.fresh = final[name].to(dtype)
            update.batch_free = None if old.batch_free is None else old.batch_free.to(dtype)
            _split(update, seen[name], scale, changed=factor != 1.0)
            state = optimizer.state.get(parameter, {})
            memory = functools.partial(buffers.get, name=name, like=old.weight)
            complete(update, state, parameter.detach(), memory)
    raw = [item.raw if item.raw is not None else final[name] for name, item in seen.items()]
    passes = max((item.passes for item in seen.values()), default=0)
    return Step(updates, raw, passes, factor, note)


def _between(final: dict[str, Any], seen: dict[str, Seen]) -> tuple[float | None, float, str]:
    """Return the common factor between backward pass and step, the loss scale, and a note."""
    pairs = [(seen[name].raw, final[name]) for name in final if seen[name].raw is not None]
    if all(raw is gradient for raw, gradient in pairs):
        return 1.0, 1.0, ""
    told = next((item.scale for item in seen.values() if item.scale != 1.0), 1.0)
    factor = common_factor(pairs)
    if told != 1.0:
        factor = None if factor is None else factor * told
        if factor is not None and abs(factor - 1.0) < 1e-6:
            factor = 1.0
        return factor, told, ""
    if factor is None or factor == 1.0:
        return factor, 1.0, ""
    power = math.log2(factor) if factor > 0.0 else 0.5
    if abs(power - round(power)) < 1e-6:
        return 1.0, 1.0 / factor, ""
    if factor < LOSS_SCALE:
        return (
            1.0,
            1.0 / factor,
            f"gradients were multiplied by {factor:.3g} before the step: loss scaling and clipping "
            "cannot be told apart; pass scaler=",
        )
    return factor, 1.0, ""


def _split(update: Update, seen: Seen, scale: float, *, changed: bool) -> None:
    """Divide the gradient at the step into fresh, left over and changed."""
    if seen.raw is None:
        return
    if changed:
        raw = seen.raw.to(update.fresh.dtype) / scale
        update.clipping = update.fresh - raw
        update.fresh = raw
    if seen.leftover is not None and bool(seen.leftover.any()):
        update.leftover = seen.leftover.to(update.fresh.dtype) / scale
        update.fresh = update.fresh - update.leftover
