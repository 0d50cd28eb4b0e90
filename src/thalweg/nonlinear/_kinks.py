"""Networks with kinks, piece by piece (Spec 6.3; paper Remark 4).

Between kinks the loss is a polynomial. Where a pre-activation ``z`` reaches 0 there are two cases.
If the field of the other side leads on, ``z`` crosses. If both sides lead back, the Clarke
subdifferential holds one element that keeps ``z = 0``: the row of ``W_1`` moves orthogonally to
the sample, until that element is no longer a slope between the two of the activation.
"""

import dataclasses

import numpy as np

from thalweg._core import Array
from thalweg.network import unpack
from thalweg.nonlinear._field import Flags, Mode, ShallowField

SLACK = 1e-13
"""Distance behind a kink, relative to norms, at which it counts as crossed."""


@dataclasses.dataclass(frozen=True)
class Change:
    """What happened at the end of a piece: ``"crossed"``, ``"held"`` or ``"released"``."""

    kind: str
    unit: int
    sample: int


def first_mode(field: ShallowField, y: Array) -> Mode:
    """Return the piece of a start; on a kink the slope is the one on its left."""
    z = unpack(y, field.dims)[0] @ field.x
    return _mode(field, z > 0.0, np.zeros(z.shape, dtype=bool))


def _mode(field: ShallowField, up: Flags, held: Flags) -> Mode:
    slopes = np.where(up, 1.0, field.inner.left or 0.0)
    slopes[held] = 0.0
    units = np.flatnonzero(held.any(axis=1))
    across, rank = np.zeros((len(units), len(field.x), len(field.x))), 0
    for k, unit in enumerate(units):
        basis, sizes, _ = np.linalg.svd(field.x[:, held[unit]], full_matrices=False)
        basis = basis[:, sizes > 1e-12 * sizes[0]]
        across[k], rank = basis @ basis.T, rank + basis.shape[1]
    sign = np.where(up, 1.0, -1.0)
    return Mode(slopes=slopes, up=up, sign=sign, held=held, units=units, across=across, rank=rank)


class KinkGuard:
    """Margins of a piece: pre-activations keep their sign, held kinks keep a slope that exists."""

    def __init__(self, field: ShallowField, y: Array) -> None:
        assert field.mode is not None  # noqa: S101
        self._field, self._mode = field, field.mode
        first, _ = unpack(y, field.dims)
        self._norms = np.linalg.norm(field.x, axis=0)
        sizes = np.linalg.norm(first, axis=1) + 1e-3 * np.sqrt(np.mean(y**2))
        self._slack = SLACK * np.outer(sizes, self._norms)
        self._sign = self._mode.sign
        self._free = ~self._mode.held & (self._norms > 0.0)
        self._pairs = np.argwhere(self._mode.held)
        self._still = np.zeros((len(self._pairs), len(field.x)))
        for unit in self._mode.units:
            here = self._pairs[:, 0] == unit
            self._still[here] = np.linalg.pinv(field.x[:, self._pairs[here, 1]])

    def __call__(self, y: Array, slope: Array) -> tuple[Array, Array]:
        """Return margins and their rates; those of held kinks are unknown."""
        first, _ = unpack(y, self._field.dims)
        moves, _ = unpack(slope, self._field.dims)
        signed = self._sign * (first @ self._field.x) + self._slack
        rates = self._sign * (moves @ self._field.x)
        margins = np.where(self._free, signed, 1.0).ravel()
        known = np.where(self._free, rates, 0.0).ravel()
        if len(self._pairs) == 0:
            return margins, known
        held = self._held_margins(y)
        return np.append(margins, held), np.append(known, np.full(len(held), np.nan))

    def _held_margins(self, y: Array) -> Array:
        """Return two margins for each held kink: its slope stays below 1, and above the left one.

        With ``v`` the derivative of minus the loss by the hidden activation and ``u`` that by
        the pre-activation which keeps it still, the slope is ``u / v`` and ``v < 0``.
        """
        field, now = self._field, self._field.passed(y)
        left = field.inner.left or 0.0
        units, samples = self._pairs.T
        push = (now.slope * now.back) @ field.x.T
        u = -np.sum(self._still * push[units], axis=1)
        v = now.back[units, samples]
        scale = np.maximum(np.abs(now.back[units]).max(axis=1), 1e-300)
        margins = np.stack([u - v, left * v - u], axis=1) / scale[:, np.newaxis]
        out: Array = (margins + 10 * SLACK).ravel()
        return out

    def change(self, y: Array, index: int) -> tuple[Array, Mode, Change]:
        """Return the point and the piece after a margin has been used up."""
        mode, count = self._mode, self._sign.size
        up, held = mode.up.copy(), mode.held.copy()
        if index >= count:
            pair, low = divmod(index - count, 2)
            unit, sample = (int(item) for item in self._pairs[pair])
            up[unit, sample], held[unit, sample] = low == 0, False
            return y, _mode(self._field, up, held), Change("released", unit, sample)
        unit, sample = divmod(index, self._sign.shape[1])
        up[unit, sample] = not up[unit, sample]
        crossed = _mode(self._field, up, held)
        if self._field.inner.left is None:
            return y, crossed, Change("crossed", unit, sample)
        slope = self._field.on(crossed).rhs(y)[1]
        rate = float(unpack(slope, self._field.dims)[0][unit] @ self._field.x[:, sample])
        if rate * (1.0 if up[unit, sample] else -1.0) >= 0.0:
            return y, crossed, Change("crossed", unit, sample)
        held[unit, sample] = True
        mode = _mode(self._field, up, held)
        y = y.copy()
        row = unpack(y, self._field.dims)[0][unit]
        row -= mode.across[int(np.searchsorted(mode.units, unit))] @ row
        return y, mode, Change("held", unit, sample)
