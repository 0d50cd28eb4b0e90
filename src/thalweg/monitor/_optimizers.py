"""One step of an optimizer taken apart, from its own state, for each parameter.

``SGD``, ``Adam`` and ``AdamW`` move along ``-lr * u - lr * decay * W`` where ``u`` comes from a
direction ``r`` (momentum, bias corrected) by scaling of coordinates, and ``r`` from ``d = g + l2 * W``
by averaging over time. Everything is computed again in float64, so that what remains of the
measured step is the rounding of the weights.
"""

import dataclasses
from typing import Any

import torch

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
    """One step of one parameter, in float64.

    Attributes
    ----------
    before, change
        The weights before the step, and the measured step.
    fresh
        The gradient at these weights; `leftover` and `clipping` are what was there before it and
        what was changed after it, or None. ``sign`` is -1 where the optimizer maximizes.
    batch_free
        The gradient of the loss on all data, if it was asked for.
    averaged
        ``r - d``, or None without momentum.
    scaled
        ``u``, or None where it is ``r``.
    rest
        Measured minus computed step.
    rounding
        Whether the rest is no larger than the rounding of the weights explains.
    square, product
        ``<r, r>`` and ``<u, r>``.
    """

    settings: Settings
    before: Any
    change: Any
    fresh: Any
    leftover: Any = None
    clipping: Any = None
    batch_free: Any = None
    averaged: Any = None
    scaled: Any = None
    rest: Any = None
    rounding: bool = True
    square: float = 0.0
    product: float = 0.0


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


def complete(update: Update, state: dict[str, Any], eps: float) -> None:
    """Fill in what the optimizer's state after the step says.

    Parameters
    ----------
    update
        With weights and gradients.
    state
        ``optimizer.state[parameter]`` after the step.
    eps
        Unit of rounding of the weights.
    """
    settings, used = update.settings, update.fresh
    if settings.kind == "other":
        update.rest, update.rounding = update.change, False
        return
    for extra in (update.leftover, update.clipping):
        used = used if extra is None else used + extra
    direction = settings.sign * used if settings.sign < 0.0 else used
    if settings.coupled:
        direction = torch.add(direction, update.before, alpha=settings.coupled)
    averaged = _averaged(settings, direction, state)
    step = averaged if averaged is not None else direction
    if averaged is not None:
        update.averaged = averaged - direction
    if settings.kind == "adam":
        update.scaled = step / _denominator(settings, state)
        update.square, update.product = _inner(step, step), _inner(update.scaled, step)
        computed = -settings.lr * update.scaled
    else:
        update.square = update.product = _inner(step, step)
        computed = -settings.lr * step
    if settings.decoupled:
        computed = computed - (settings.lr * settings.decoupled) * update.before
    update.rest = update.change - computed
    size = torch.linalg.vector_norm(update.before) + torch.linalg.vector_norm(computed)
    update.rounding = bool(torch.linalg.vector_norm(update.rest) <= 8.0 * eps * size)


def _averaged(settings: Settings, direction: Any, state: dict[str, Any]) -> Any:
    if settings.kind == "adam":
        step = float(state["step"])
        return state["exp_avg"].double() / (1.0 - settings.betas[0] ** step)
    if settings.momentum == 0.0:
        return None
    buffer = state["momentum_buffer"].double()
    return torch.add(direction, buffer, alpha=settings.momentum) if settings.nesterov else buffer


def _denominator(settings: Settings, state: dict[str, Any]) -> Any:
    second = state["max_exp_avg_sq" if settings.amsgrad else "exp_avg_sq"].double()
    correction = 1.0 - settings.betas[1] ** float(state["step"])
    return (second / correction).sqrt_().add_(settings.eps)


def _inner(one: Any, two: Any) -> float:
    return float(torch.dot(one.reshape(-1), two.reshape(-1)))
