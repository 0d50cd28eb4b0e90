"""What happens to a gradient between the backward pass and the step.

Two hooks on every parameter in a law: before a gradient is added, to see what was left over, and
after it, to see what the step would get if nothing changed it. They return nothing, so gradients
are the same bits with and without them.
"""

import dataclasses
from typing import Any

import numpy as np
import torch

from thalweg.monitor._buffers import Buffers


@dataclasses.dataclass
class Seen:
    """Gradients of one parameter since the last step.

    Attributes
    ----------
    leftover
        What was there before the first backward pass, or None.
    raw
        The sum after the last backward pass, or None if there was none.
    passes
        Backward passes since the last step.
    scale
        Loss scale at the last backward pass.
    """

    leftover: Any = None
    raw: Any = None
    passes: int = 0
    scale: float = 1.0


class Gradients:
    """Hooks on parameters that keep copies when they are told to, unless they are ``paused``.

    Parameters
    ----------
    parameters
        By name.
    scaler
        A ``GradScaler`` or None.
    buffers
        Memory for the copies.
    """

    def __init__(self, parameters: dict[str, Any], scaler: Any, buffers: Buffers) -> None:
        self._buffers = buffers
        self._seen = {name: Seen() for name in parameters}
        self._scaler = scaler
        self._parameters = parameters
        self._handles: list[Any] = []
        self.paused = False

    def arm(self, *, on: bool) -> None:
        """Begin a step: forget the last one, and keep copies if wanted."""
        for name, seen in self._seen.items():
            if seen.passes:
                self._seen[name] = Seen()
        if on and not self._handles:
            for name, parameter in self._parameters.items():
                before = parameter.register_hook(self._before(name, parameter))
                after = parameter.register_post_accumulate_grad_hook(self._after(name))
                self._handles += [before, after]
        elif not on:
            self.remove()

    def take(self, name: str) -> Seen:
        """Return what was seen of a parameter."""
        return self._seen[name]

    def remove(self) -> None:
        """Take the hooks away: at steps that are not recorded there are none."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _before(self, name: str, parameter: Any) -> Any:
        def hook(_gradient: Any) -> None:
            if not self.paused:
                seen = self._seen[name]
                if seen.passes == 0 and parameter.grad is not None:
                    seen.leftover = parameter.grad.detach().clone()
                seen.passes += 1

        return hook

    def _after(self, name: str) -> Any:
        def hook(parameter: Any) -> None:
            if parameter.grad is not None:
                seen, found = self._seen[name], parameter.grad.detach()
                found = found.to_dense() if found.is_sparse else found
                seen.raw = self._buffers.copy("raw", name, found, found.dtype)
                if self._scaler is not None:
                    seen.scale = float(self._scaler.get_scale())

        return hook


BITS = {torch.float32: torch.int32, torch.float64: torch.int64}
"""Integers of the same size."""


def same_bits(one: Any, two: Any) -> bool:
    """Return whether two tensors are equal; bit by bit where that is quicker than `torch.equal`."""
    bits = BITS.get(one.dtype)
    if bits is None or one.dtype != two.dtype or one.shape != two.shape:
        return bool(torch.equal(one, two))
    if one.device.type != "cpu" or two.device.type != "cpu":
        return bool(torch.equal(one, two))
    if not (one.layout is two.layout is torch.strided):
        return bool(torch.equal(one, two))
    return bool(np.array_equal(one.view(bits).numpy(), two.view(bits).numpy()))


def common_factor(pairs: list[tuple[Any, Any]]) -> float | None:
    """Return ``c`` if every second tensor is ``c`` times the first to rounding, else None.

    Parameters
    ----------
    pairs
        Gradients after the backward pass and at the step.

    Returns
    -------
    float or None
        1.0 if nothing was changed.
    """
    if all(same_bits(raw, final) for raw, final in pairs):
        return 1.0
    square = sum(float((raw.double() ** 2).sum()) for raw, _ in pairs)
    if square == 0.0:
        return None
    product = sum(float((raw.double() * final.double()).sum()) for raw, final in pairs)
    factor = product / square
    error = sum(
        float(((final.double() - factor * raw.double()) ** 2).sum()) for raw, final in pairs
    )
    eps = max(torch.finfo(raw.dtype).eps for raw, _ in pairs)
    return factor if error <= (8.0 * eps * factor) ** 2 * square else None
