"""Bilinear forms of laws: the observed part of ``A X^T + X A^T``.

A diagonal law is observed by its diagonal, a matrix law of up to 64 units as a whole, a larger one
through fixed orthogonal directions, scaled so that Frobenius norms are kept on average.
"""

from typing import Any

import numpy as np
import torch

WHOLE = 64
"""Matrices with more rows are seen through probes."""


class Form:
    """How one law is observed.

    Parameters
    ----------
    kind
        ``"matrix"``, ``"diagonal"`` or ``"scale"``.
    units
        Rows of the conserved matrix.
    probes
        Directions through which a large matrix is seen.
    """

    def __init__(self, kind: str, units: int, probes: int) -> None:
        self.diagonal = kind != "matrix"
        self.estimated = not self.diagonal and units > WHOLE and probes < units
        self._units, self._count = units, probes
        self._directions: Any = None

    def pair(self, left: Any, right: Any) -> Any:
        """Return what is observed of ``left right^T + right left^T``; float64."""
        if self.diagonal:
            return 2.0 * torch.linalg.vecdot(left, right)
        if not self.estimated:
            product = left @ right.mT
            return product + product.mT
        directions = self._probes(left)
        first = left @ (right.mT @ directions)
        return 2.0 * first if left is right else first + right @ (left.mT @ directions)

    def square(self, view: Any) -> Any:
        """Return what is observed of ``A A^T``."""
        return 0.5 * self.pair(view, view)

    def whole(self, view: Any) -> Any:
        """Return ``A A^T`` or its diagonal, without probes."""
        return torch.linalg.vecdot(view, view) if self.diagonal else view @ view.mT

    def _probes(self, like: Any) -> Any:
        if self._directions is None:
            # A generator of its own: the training's random numbers stay untouched.
            draw = np.random.default_rng(0).normal(size=(self._units, self._count))
            basis = np.linalg.qr(draw)[0] * (self._units / self._count) ** 0.5
            self._directions = torch.from_numpy(basis)
        if self._directions.device != like.device or self._directions.dtype != like.dtype:
            self._directions = self._directions.to(like)
        return self._directions
