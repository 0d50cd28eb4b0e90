"""The update rules, one step each, with the meaning that ``torch.optim`` gives them."""

import math
from typing import Protocol

import numpy as np

from thalweg._core import Array
from thalweg.optimizers._settings import Settings


class Rule(Protocol):
    """Turns weights and gradients into the next weights; keeps what the method remembers."""

    update: list[Array]
    """``U_j`` of the last step: ``W_j <- s W_j - eta U_j``."""
    buffer: list[Array]
    """``V_j`` of the last step: the momentum; the same as `update` where there is none."""

    def step(self, weights: list[Array], slopes: list[Array]) -> list[Array]:
        """Return the weights after a step; the old ones are not changed."""


class GradientRule:
    """Gradient descent, heavy ball and Nesterov's momentum (``torch.optim.SGD``, dampening 0).

    ``V <- beta V + G``, ``U = V`` or ``G + beta V``, ``W <- (1 - eta lambda) W - eta U``; with the
    decay in the loss ``G`` contains ``lambda W`` and the factor is 1.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.update: list[Array] = []
        self.buffer: list[Array] = []

    def step(self, weights: list[Array], slopes: list[Array]) -> list[Array]:
        """Return the weights after a step."""
        asked = self._settings
        if asked.loss_decay:
            pairs = zip(slopes, weights, strict=True)
            slopes = [slope + asked.loss_decay * weight for slope, weight in pairs]
        buffer = slopes
        if asked.momentum and self.buffer:
            both = zip(self.buffer, slopes, strict=True)
            buffer = [asked.momentum * old + slope for old, slope in both]
        update = buffer
        if asked.nesterov:
            both = zip(slopes, buffer, strict=True)
            update = [slope + asked.momentum * now for slope, now in both]
        self.buffer, self.update = buffer, update
        if asked.shrink != 1.0:
            weights = [asked.shrink * weight for weight in weights]
        return [weight - asked.lr * change for weight, change in zip(weights, update, strict=True)]


class AdamRule:
    """Adam and AdamW with bias correction (``torch.optim.Adam``, ``AdamW``)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._count = 0
        self._first: list[Array] = []
        self._second: list[Array] = []
        self.update: list[Array] = []
        self.buffer: list[Array] = []

    def step(self, weights: list[Array], slopes: list[Array]) -> list[Array]:
        """Return the weights after a step."""
        asked = self._settings
        (one, two), self._count = asked.betas, self._count + 1
        if asked.loss_decay:
            pairs = zip(slopes, weights, strict=True)
            slopes = [slope + asked.loss_decay * weight for slope, weight in pairs]
        if not self._first:
            self._first = [np.zeros_like(slope) for slope in slopes]
            self._second = [np.zeros_like(slope) for slope in slopes]
        length = asked.lr / (1.0 - one**self._count)
        root = math.sqrt(1.0 - two**self._count)
        out = []
        for j, (weight, slope) in enumerate(zip(weights, slopes, strict=True)):
            self._first[j] = self._first[j] + (1.0 - one) * (slope - self._first[j])
            self._second[j] = two * self._second[j] + (1.0 - two) * slope * slope
            size = np.sqrt(self._second[j]) / root + asked.eps
            # eps = 0 and a slope that has always been zero: PyTorch gives NaN, nothing moves here.
            ratio = np.divide(self._first[j], size, out=np.zeros_like(size), where=size != 0.0)
            kept = weight if asked.shrink == 1.0 else asked.shrink * weight
            out.append(kept - length * ratio)
        return out


def rule_of(settings: Settings) -> Rule:
    """Return a fresh rule."""
    return AdamRule(settings) if settings.adaptive else GradientRule(settings)
