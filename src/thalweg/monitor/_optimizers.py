"""One step of an optimizer taken apart, from its own state, for each parameter.

``SGD``, ``Adam`` and ``AdamW`` move along ``-lr * u - lr * decay * W``, where ``u`` comes from a
direction ``r`` (momentum, bias corrected) by scaling of coordinates, and ``r`` from
``d = g + l2 * W`` by averaging over time. Everything is computed again, so that what remains of the
measured step is the rounding of the weights.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import torch

Memory = Callable[[str], Any]
KNOWN = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Hyperparameters of one parameter's group, as they are when the step begins."""

    kind: str
    lr: float
    sign: float = 1.0
    coupled: float = 0.0
    decoupled: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] = (0.0, 0.0)
    eps: float = 0.0
    amsgrad: bool = False


@dataclasses.dataclass(kw_only=True)
class Update:
    """One step of one parameter, in working precision.

    Attributes
    ----------
    before, change, middle
        The weights before the step, the measured step, and the weights after half of it, which
        are computed in `room` when they are asked for.
    fresh
        The gradient at these weights, or None if there was none and nothing moved; `leftover` and
        `clipping` are what was there before it and what was changed after it, or None.
    batch_free
        The gradient of the loss on all data, if it was asked for.
    averaged
        Whether ``r`` differs from ``d``.
    scaled
        ``u``, or None where it is ``r``.
    rounding
        Whether measured and computed step differ by no more than the rounding of the weights.
    step, factor
        ``r`` is `factor` times `step`, which may be memory of the optimizer: read only.
    """

    settings: Settings
    before: Any
    change: Any = None
    room: Any = None
    fresh: Any = None
    leftover: Any = None
    clipping: Any = None
    batch_free: Any = None
    averaged: bool = False
    scaled: Any = None
    step: Any = None
    factor: float = 1.0
    rounding: bool = True

    @functools.cached_property
    def middle(self) -> Any:
        """The weights after half of the step, or None if nothing moved."""
        if self.change is None:
            return None
        return torch.add(self.before, self.change, alpha=0.5, out=self.room)

    @property
    def plain(self) -> bool:
        """Whether the step is a number times the gradient."""
        decay = self.settings.coupled or self.settings.decoupled
        return not (decay or self.averaged or self.scaled is not None)

    @property
    def square(self) -> float:
        """``<r, r>``."""
        return 0.0 if self.step is None else (self.factor * _norm(self.step)) ** 2

    @property
    def product(self) -> float:
        """``<u, r>``."""
        if self.scaled is None:
            return self.square
        return self.factor * _inner(self.scaled, self.step)


def settings_of(optimizer: Any, group: dict[str, Any]) -> Settings:
    """Read the hyperparameters of a group.

    Parameters
    ----------
    optimizer
        Subclasses of known optimizers are not known: their step may be another one.
    group
        One of its ``param_groups``.

    Returns
    -------
    Settings
        With ``kind="other"`` if the optimizer is not known.
    """
    lr = float(group.get("lr", 0.0))
    if type(optimizer) not in KNOWN:
        return Settings(kind="other", lr=lr)
    decay, sign = float(group["weight_decay"]), -1.0 if group["maximize"] else 1.0
    if type(optimizer) is torch.optim.SGD:
        return Settings(
            kind="sgd",
            lr=lr,
            sign=sign,
            coupled=decay,
            momentum=float(group["momentum"]),
            nesterov=bool(group["nesterov"]),
        )
    decoupled = type(optimizer) is torch.optim.AdamW or group.get("decoupled_weight_decay", False)
    return Settings(
        kind="adam",
        lr=lr,
        sign=sign,
        coupled=0.0 if decoupled else decay,
        decoupled=decay if decoupled else 0.0,
        betas=(float(group["betas"][0]), float(group["betas"][1])),
        eps=float(group["eps"]),
        amsgrad=bool(group["amsgrad"]),
    )


def complete(update: Update, state: dict[str, Any], after: Any, memory: Memory) -> None:
    """Fill in what the optimizer's state after the step says.

    Parameters
    ----------
    update
        With weights and gradients.
    state
        ``optimizer.state[parameter]`` after the step.
    after
        The parameter after the step.
    memory
        Gives tensors of the parameter's shape to work in, by purpose.
    """
    settings = update.settings
    if settings.kind == "other":
        return
    direction = _direction(update, memory)
    step = _averaged(settings, direction, state, memory)
    update.averaged = step is not direction
    scaled = step
    if settings.kind == "adam":
        correction = 1.0 - settings.betas[0] ** float(state["step"])
        below = _denominator(settings, state, memory, correction)
        scaled = torch.div(step, below, out=memory("scaled"))
        update.scaled, update.factor = scaled, 1.0 / correction
    update.step = step
    # Measured minus computed step.
    rest = torch.add(update.change, scaled, alpha=settings.lr, out=memory("rest"))
    if settings.decoupled:
        rest = rest.add_(update.before, alpha=settings.lr * settings.decoupled)
    size = _norm(after) + _norm(update.change)
    update.rounding = _norm(rest) <= 8.0 * torch.finfo(after.dtype).eps * size


def _direction(update: Update, memory: Memory) -> Any:
    """Return ``d``: the gradient as it was used, with weight decay where it is part of it."""
    out, settings = update.fresh, update.settings
    for extra in (update.leftover, update.clipping):
        out = out if extra is None else out + extra
    out = -out if settings.sign < 0.0 else out
    if settings.coupled:
        out = torch.add(out, update.before, alpha=settings.coupled, out=memory("direction"))
    return out


def _averaged(settings: Settings, direction: Any, state: dict[str, Any], memory: Memory) -> Any:
    """Return the direction averaged over time, not yet corrected for its bias."""
    if settings.kind == "adam":
        return _working(state["exp_avg"], direction, memory)
    if settings.momentum == 0.0:
        return direction
    if not settings.nesterov:
        return _working(state["momentum_buffer"], direction, memory)
    buffer = memory("step").copy_(state["momentum_buffer"])
    return buffer.mul_(settings.momentum).add_(direction)


def _working(kept: Any, direction: Any, memory: Memory) -> Any:
    """Return the optimizer's memory as it is, or a copy in working precision."""
    if kept.dtype == direction.dtype and kept.is_contiguous():
        return kept
    return memory("step").copy_(kept)


def _denominator(
    settings: Settings, state: dict[str, Any], memory: Memory, correction: float
) -> Any:
    """Return `correction`, that of the first moment, times Adam's denominator."""
    second = state["max_exp_avg_sq" if settings.amsgrad else "exp_avg_sq"]
    root = torch.sqrt(second, out=memory("rest"))
    share = math.sqrt(1.0 - settings.betas[1] ** float(state["step"]))
    return root.mul_(correction / share).add_(correction * settings.eps)


def _norm(tensor: Any) -> float:
    return float(torch.linalg.vector_norm(tensor))


def _inner(one: Any, two: Any) -> float:
    return float(torch.dot(one.reshape(-1), two.reshape(-1)))
