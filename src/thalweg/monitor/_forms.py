"""Bilinear forms of laws: the observed part of ``A X^T + X A^T``.

A diagonal law is observed by its diagonal, a matrix law of up to 64 units as a whole, a larger one
by its diagonal too or, on request, through fixed orthogonal directions, scaled so that Frobenius
norms are kept on average.
"""

import dataclasses
from typing import Any

import numpy as np
import torch

WHOLE = 64
"""Matrices with more rows are not seen as a whole at every recorded step."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """A parameter as a law sees it, with ``X^T`` times the probes where there are probes."""

    view: Any
    probed: Any = None


class Form:
    """How one law is observed.

    Parameters
    ----------
    kind
        ``"matrix"``, ``"diagonal"`` or ``"scale"``.
    units
        Rows of the conserved matrix.
    probes
        Directions through which a large matrix is seen, or None for its diagonal.

    Attributes
    ----------
    diagonal
        Whether the diagonal is observed.
    partial
        Whether this is less than what is conserved.
    """

    def __init__(self, kind: str, units: int, probes: int | None) -> None:
        large = kind == "matrix" and units > WHOLE and (probes is None or probes < units)
        self.diagonal = kind != "matrix" or (large and probes is None)
        self.partial = large
        self._probed = large and probes is not None
        self._units, self._count = units, probes or units
        self._directions: Any = None
        self._work: Any = None

    def see(self, view: Any) -> Seen:
        """Prepare a view for `pair` and `square`."""
        return Seen(view, view.mT @ self._probes(view)) if self._probed else Seen(view)

    def pair(self, left: Seen, right: Seen) -> Any:
        """Return what is observed of ``left right^T + right left^T``."""
        if self.diagonal:
            return self._dot(left.view, right.view).mul_(2.0)
        if self._probed:
            return torch.baddbmm(left.view @ right.probed, right.view, left.probed)
        product = left.view @ right.view.mT
        return product + product.mT

    def square(self, seen: Seen) -> Any:
        """Return what is observed of ``A A^T``."""
        if self.diagonal:
            view = seen.view
            return diagonal_of_square(view) if view.stride(-1) == 1 else self._dot(view, view)
        return seen.view @ (seen.probed if self._probed else seen.view.mT)

    def _dot(self, left: Any, right: Any) -> Any:
        """Return products summed over the last axis, in memory that is used again."""
        size, stride = left.shape, left.stride()
        if size[-1] == 1:
            return (left * right)[..., 0]
        if self._work is None or self._work.numel() < left.numel():
            self._work = torch.empty(left.numel(), dtype=left.dtype, device=left.device)
        dense = (size[-1] - 1) * stride[-1] + (size[-2] - 1) * stride[-2] < left.numel()
        if size[0] > 1 or not dense or self._work.device != left.device:
            return torch.linalg.vecdot(left, right)
        product = torch.as_strided(self._work, size, stride)
        return torch.mul(left, right, out=product).sum(-1)

    def _probes(self, like: Any) -> Any:
        if self._directions is None:
            # A generator of its own: the training's random numbers stay untouched.
            draw = np.random.default_rng(0).normal(size=(self._units, self._count))
            basis = np.linalg.qr(draw)[0] * (self._units / self._count) ** 0.5
            self._directions = torch.from_numpy(basis)
        if self._directions.device != like.device or self._directions.dtype != like.dtype:
            self._directions = self._directions.to(like)
        return self._directions


def diagonal_of_square(view: Any) -> Any:
    """Return the squared norms of the units, along whichever axis is contiguous."""
    if view.stride(-1) == 1:
        return torch.linalg.vector_norm(view, dim=-1).square_()
    return (view * view).sum(-1)
