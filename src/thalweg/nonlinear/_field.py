"""The gradient field of one hidden layer with activations (Spec 6.1; paper Eqs. 29-31)."""

import dataclasses
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg._core import Array
from thalweg.integrate import GeneralField
from thalweg.network import unpack
from thalweg.nonlinear._activation import Activation

Flags: TypeAlias = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, eq=False)
class Mode:
    """A smooth piece of a network with kinks.

    Attributes
    ----------
    slopes
        Slope of the activation for each unit and sample, shape ``(hidden, m)``; 0 on kinks.
    up
        Whether the slope is that on the right of the kink, same shape.
    sign
        1 where `up`, -1 elsewhere.
    held
        Whether a pre-activation is held on its kink, same shape.
    units
        Units with held samples, shape ``(count,)``.
    across
        For each of them the orthogonal projector on the span of the held samples,
        ``(count, d_x, d_x)``.
    rank
        Sum of the ranks of these projectors.
    """

    slopes: Array
    up: Flags
    sign: Array
    held: Flags
    units: NDArray[np.intp]
    across: Array
    rank: int


@dataclasses.dataclass(frozen=True, eq=False)
class Passed:
    """Everything that one pass through the network computes."""

    z: Array
    hidden: Array
    slope: Array
    out: Array
    pull: Array
    """``M o S2'`` times the scale of the loss, shape ``(d_y, m)``."""
    back: Array
    """``W_2^T pull``, shape ``(hidden, m)``."""
    loss: float


class ShallowField(GeneralField):
    """``dW/dt = -grad`` of ``scale / 2 ||Y - sigma_2(W_2 sigma_1(W_1 X))||_F^2``.

    Parameters
    ----------
    data
        ``X`` of shape ``(d_x, m)`` and ``Y`` of shape ``(d_y, m)``, samples in columns.
    hidden
        Width.
    activations
        ``sigma_1`` and ``sigma_2``; ``None`` for no output activation.
    scale
        1 for the sum over samples, ``1/m`` for the mean.
    mode
        The smooth piece, where there are kinks; ``None`` for none or for the loss itself.
    """

    def __init__(
        self,
        data: tuple[Array, Array],
        hidden: int,
        activations: tuple[Activation, Activation | None],
        scale: float,
        mode: Mode | None = None,
    ) -> None:
        self.x, self.y = data
        self.inner, self.outer = activations
        self.scale, self.mode = scale, mode
        super().__init__(
            (len(self.x), hidden, len(self.y)), float(np.sqrt(scale) * np.linalg.norm(self.y))
        )

    def on(self, mode: Mode) -> "ShallowField":
        """Return the field of a smooth piece, which is defined everywhere."""
        activations = self.inner, self.outer
        return ShallowField((self.x, self.y), self.dims[1], activations, self.scale, mode)

    def passed(self, y: Array) -> Passed:
        """Evaluate the network and carry the error back."""
        first, second = unpack(y, self.dims)
        z = first @ self.x
        if self.mode is None:
            hidden, slope = self.inner.value(z), self.inner.slope(z)
        elif self.inner.sided is not None:
            hidden, slope, _ = self.inner.sided(z, self.mode.sign)
        else:
            slope = self.mode.slopes
            hidden = slope * z
        out = second @ hidden
        if self.outer is None:
            error = self.y - out
            pull = self.scale * error
        else:
            error = self.y - self.outer.value(out)
            pull = self.scale * error * self.outer.slope(out)
        loss = 0.5 * self.scale * float(np.vdot(error, error))
        return Passed(z, hidden, slope, out, pull, second.T @ pull, loss)

    def rhs(self, y: Array) -> tuple[float, Array]:
        """Return the loss and ``dy/dt`` (paper Eqs. 29, 30)."""
        now = self.passed(y)
        slope = np.empty_like(y)
        one, two = unpack(slope, self.dims)
        np.matmul(now.slope * now.back, self.x.T, out=one)
        np.matmul(now.pull, now.hidden.T, out=two)
        self._hold(one)
        return now.loss, slope

    def _hold(self, rows: Array) -> None:
        """Take out of rows of the first layer what would leave a kink that holds."""
        if self.mode is not None and len(self.mode.units):
            units = self.mode.units
            rows[units] -= (self.mode.across @ rows[units][:, :, np.newaxis])[:, :, 0]

    def _curves(self, now: Passed) -> Array:
        """Return minus the derivative of `Passed.pull` by the output's pre-activation."""
        if self.outer is None:
            return np.full_like(now.out, self.scale)
        error = self.y - self.outer.value(now.out)
        slope = self.outer.slope(now.out)
        return self.scale * (slope**2 - error * self.outer.bend(now.out))

    def _bend(self, now: Passed) -> Array:
        if self.mode is not None and self.inner.sided is not None:
            return self.inner.sided(now.z, self.mode.sign)[2]
        return self.inner.bend(now.z)

    def hessian_product(self, y: Array, v: Array) -> Array:
        """Return the Hessian of the loss at `y` times `v`."""
        _, second = unpack(y, self.dims)
        now = self.passed(y)
        v = v.copy()
        one, two = unpack(v, self.dims)
        self._hold(one)
        dz = one @ self.x
        dh = now.slope * dz
        dpull = -self._curves(now) * (two @ now.hidden + second @ dh)
        dback = two.T @ now.pull + second.T @ dpull
        out = np.empty_like(v)
        above, below = unpack(out, self.dims)
        above[:] = -((self._bend(now) * dz * now.back + now.slope * dback) @ self.x.T)
        below[:] = -(dpull @ now.hidden.T + now.pull @ dh.T)
        self._hold(above)
        return out

    def hessian(self, y: Array) -> Array:
        """Return the dense Hessian of the loss at `y`."""
        _, second = unpack(y, self.dims)
        now = self.passed(y)
        curves, (width, inputs) = self._curves(now), (self.dims[1], self.dims[0])
        count = width * inputs
        moved = (now.slope[:, np.newaxis, :] * self.x[np.newaxis]).reshape(count, -1)
        full = np.zeros((self.size, self.size))
        for i, row in enumerate(second):
            seen = np.repeat(row, inputs)[:, np.newaxis] * moved
            curved = seen * curves[i]
            full[:count, :count] += curved @ seen.T
            place = slice(count + i * width, count + (i + 1) * width)
            full[place, place] = (now.hidden * curves[i]) @ now.hidden.T
            cross = now.hidden @ curved.T
            own = (now.pull[i] * moved) @ np.ones(moved.shape[1])
            for unit in range(width):
                cross[unit, unit * inputs : (unit + 1) * inputs] -= own.reshape(width, inputs)[unit]
            full[place, :count] = cross
            full[:count, place] = cross.T
        bend = self._bend(now) * now.back
        for unit in range(width):
            place = slice(unit * inputs, (unit + 1) * inputs)
            full[place, place] -= (self.x * bend[unit]) @ self.x.T
        return self._held_hessian(0.5 * (full + full.T))

    def _held_hessian(self, full: Array) -> Array:
        if self.mode is not None:
            inputs = self.dims[0]
            for unit, across in zip(self.mode.units, self.mode.across, strict=True):
                place = slice(unit * inputs, (unit + 1) * inputs)
                full[place] -= across @ full[place]
                full[:, place] -= full[:, place] @ across
        return full

    def natural_gradient(self, y: Array) -> float:
        """Return a size that gradients near `y` have unless they nearly vanish."""
        _, second = unpack(y, self.dims)
        now = self.passed(y)
        error = self.target_norm + np.sqrt(2.0 * now.loss)
        reach = np.hypot(np.linalg.norm(now.hidden), np.linalg.norm(second))
        size = float(np.linalg.norm(self.x, 2)) if self.x.size else 0.0
        return float(np.sqrt(self.scale) * error * max(reach, np.linalg.norm(second) * size))
