"""Systems ``(shift I + J^T J) x = b`` with the Gauss-Newton part of the Hessian.

``J`` maps weights to ``M = T - R_0 D``. With ``A_l = W_{l-1} ... W_0``,

    (shift I + J^T J)^-1 = (I - J^T (shift I + J J^T)^-1 J) / shift,
    J J^T = sum_l S_l x K_l,  S_l = R_{l+1} R_{l+1}^T,  K_l = (A_l D)^T A_l D,

so the system to solve is about ``M``, however wide the network is, and only about those columns
of ``M`` whose ``D`` is large: the others are not stiff and are left out of ``J``.
"""

import copy
from typing import Self

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field
from thalweg.network import pack, prefix_products, suffix_products, unpack

MILD = 0.2  # of the shift: curvature that needs no system
SMALL = 64  # order up to which the sum is inverted as a whole
ENOUGH, MARGIN, MOST_TURNS = 0.003, 0.3, 200
"""Of conjugate gradients: residual at the end, as a share of the first, at most; the same as a
share of ``shift / radius``, by which `GaussNewton.solve` divides their error; and iterations."""


class GaussNewton:
    """The systems of one point."""

    def __init__(self, field: Field, y: Array) -> None:
        """Compute ``J`` at `y`."""
        self._field = field
        weights = unpack(y, field.dims)
        after, before = suffix_products(weights), prefix_products(weights)
        self._outs = [np.eye(field.dims[-1]) if r is None else r for r in after[1:]]
        self._ins = [None if a is None else a * field.metric for a in before[:-1]]
        self._outer = [r @ r.T for r in self._outs]
        shares = [np.sum((field.metric if a is None else a) ** 2) for a in self._ins]
        total = sum(
            (c * s for c, s in zip(shares, self._outer[:-1], strict=False)), 0 * self._outer[-1]
        )
        self._basis = np.linalg.eigh(total)[1].T  # its rows turn the S_l nearly diagonal
        self.shift = self.radius = 0.0
        self._cols = 0
        self._system: _KroneckerSum | None = None

    def factorized(self, shift: float, radius: float) -> Self:
        """Return the system of a shift.

        Stiff are the columns whose share of the spectral radius, as ``D^2`` is, is above a share
        of the shift.
        """
        out = copy.copy(self)
        out.shift, out.radius = shift, radius
        square = self._field.metric**2
        top = float(square.max(initial=0.0))
        stiff = np.flatnonzero(radius * square[: _fitting(self._field)] > MILD * shift * top)
        cols = int(stiff[-1]) + 1 if stiff.size else 0
        out._cols, out._system = cols, None  # noqa: SLF001
        if cols:
            inner = [
                np.diag(square[:cols]) if a is None else a[:, :cols].T @ a[:, :cols]
                for a in self._ins
            ]
            out._system = _KroneckerSum(  # noqa: SLF001
                self._outer, inner, self._basis, shift, min(ENOUGH, MARGIN * shift / radius)
            )
        return out

    def solve(self, b: Array) -> Array:
        """Return ``(shift I + J^T J)^-1 b``."""
        if self._system is None:
            return b / self.shift
        cols, metric = self._cols, self._field.metric[: self._cols]
        signal = sum(
            out @ (part[:, :cols] * metric if a is None else part @ a[:, :cols])
            for out, part, a in zip(self._outs, unpack(b, self._field.dims), self._ins, strict=True)
        )
        signal = self._system.solve(np.asarray(signal))
        parts = []
        for out, a, dim in zip(self._outs, self._ins, self._field.dims, strict=False):
            turned = out.T @ signal
            if a is None:
                parts.append(np.zeros((len(turned), dim)))
                parts[-1][:, :cols] = turned * metric
            else:
                parts.append(turned @ a[:, :cols].T)
        return np.asarray((b - pack(parts)) / self.shift)


class _KroneckerSum:
    """``shift I + sum_l S_l x K_l``, inverted as a whole or row by row of ``U M``.

    Row by row is exact for at most two terms, where the ``S_l`` commute; for more it is the
    preconditioner of a few conjugate gradients.
    """

    def __init__(
        self, outer: list[Array], inner: list[Array], basis: Array, shift: float, enough: float
    ) -> None:
        self._outer, self._inner, self._basis, self._shift = outer, inner, basis, shift
        self._enough = enough
        rows, cols = len(basis), len(inner[0])
        self._inverse: Array | None = None
        self._exact = len(outer) <= 2
        if not self._exact and rows * cols <= SMALL:
            whole = sum(np.kron(s, k) for s, k in zip(outer, inner, strict=True))
            self._inverse = np.asarray(np.linalg.inv(whole + shift * np.eye(rows * cols)))
        else:
            shares = [np.einsum("ij,jk,ik->i", basis, s, basis) for s in outer]
            blocks = sum(
                c[:, np.newaxis, np.newaxis] * k for c, k in zip(shares, inner, strict=True)
            )
            self._blocks = np.linalg.inv(blocks + shift * np.eye(cols))

    def solve(self, z: Array) -> Array:
        """Return the solution for the right-hand side `z` of shape ``(rows, cols)``."""
        if self._inverse is not None:
            return (self._inverse @ z.ravel()).reshape(z.shape)
        return self._precondition(z) if self._exact else self._conjugate_gradients(z)

    def _precondition(self, z: Array) -> Array:
        turned = np.einsum("ijk,ik->ij", self._blocks, self._basis @ z)
        return np.asarray(self._basis.T @ turned)

    def _apply(self, z: Array) -> Array:
        image = self._shift * z
        for s, k in zip(self._outer, self._inner, strict=True):
            image = image + s @ z @ k
        return image

    def _conjugate_gradients(self, z: Array) -> Array:
        x, rest, way = np.zeros_like(z), z, self._precondition(z)
        power = float(np.sum(rest * way))
        goal = self._enough**2 * power
        for _ in range(MOST_TURNS):
            if not power > goal:
                break
            image = self._apply(way)
            step = power / float(np.sum(way * image))
            x, rest = x + step * way, rest - step * image
            better = self._precondition(rest)
            power, before = float(np.sum(rest * better)), power
            way = better + (power / before) * way
        return x


def _fitting(field: Field) -> int:
    """Return how many columns systems may be about, so that they do not outgrow the weights."""
    rows, cols = field.dims[-1], field.dims[0]
    while cols > 1 and rows * cols**2 > max(16 * field.size, 262144):
        cols -= 1
    return cols
