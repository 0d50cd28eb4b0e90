r"""What each step must do to the conserved matrices, from its update vectors alone (Spec 8.1, 8.2).

Let a step be ``W <- s W - eta U`` and write ``Q(U)`` for the conserved form of ``U`` and
``B(U, V)`` for its polarization, so that ``Q(W) = C`` and ``B(U, U) = 2 Q(U)``. Then exactly

    C <- s^2 C - eta s B(W, U) + eta^2 Q(U).

The first-order term is known without the weights, because ``B(W, G) = 0`` for every gradient ``G``
of the loss on any samples and ``B(W, W) = 2 C``:

- gradient descent, decay ``lambda`` in the loss, ``U = G + lambda W``: ``B(W, U) = 2 lambda C``;
- heavy ball, ``U = V = beta V' + G + lambda W``: ``B(W, V) = beta B(W, V') + 2 lambda C``, and with
  the step before, ``W = s W' - eta U'``: ``B(W, V') = s B(W', V') - eta B(U', V')``. Without decay
  this gives ``Delta C_n = eta^2 (Q(V_n) + 2 sum_{k<n} beta^(n-k) Q(V_k))``;
- Nesterov, ``U = G + lambda W + beta V``: ``B(W, U) = beta B(W, V) + 2 lambda C``.
"""

import numpy as np

from thalweg._core import Array
from thalweg.optimizers._laws import Law
from thalweg.optimizers._settings import Settings


class Prediction:
    """Carries the recursion from step to step."""

    def __init__(self, law: Law, settings: Settings, conserved: list[Array]) -> None:
        self._law = law
        self._asked = settings
        # B(W, V') of the next step; nothing is remembered before the first.
        self._pull = [np.zeros_like(item) for item in conserved]
        self.total = list(conserved)
        """Predicted arrays, from the start on."""
        self.local = list(conserved)
        """Predicted arrays, from the last measured point on."""

    def restart(self, conserved: list[Array]) -> None:
        """Take measured arrays as the point from which `local` goes on."""
        self.local = list(conserved)

    def advance(self, update: list[Array], buffer: list[Array]) -> None:
        """Add a step that was taken along `update`, with momentum `buffer`."""
        asked, law = self._asked, self._law
        eta, shrink, beta = asked.lr, asked.shrink, asked.momentum
        moved = [eta * eta * item for item in law.form(update)]
        if beta or asked.loss_decay:
            first = [2.0 * asked.loss_decay * item for item in self.total]
            along = [beta * pull + item for pull, item in zip(self._pull, first, strict=True)]
            if beta:
                cross = law.polar(update, buffer)
                pairs = zip(along, cross, strict=True)
                self._pull = [shrink * one - eta * two for one, two in pairs]
            if asked.nesterov:
                along = [beta * one + item for one, item in zip(along, first, strict=True)]
            moved = [one - eta * shrink * two for one, two in zip(moved, along, strict=True)]
        kept = shrink * shrink
        self.total = [kept * old + change for old, change in zip(self.total, moved, strict=True)]
        self.local = [kept * old + change for old, change in zip(self.local, moved, strict=True)]
