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

Two predictions are carried. The one from the start on never looks at the weights. The other one
begins anew at every measurement, ``B(W, V')`` included, and is the identity of single steps: so its
rounding errors are those of the weights at hand, however large they once were.
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
        self._pulls = [[np.zeros_like(item) for item in conserved]] * 2
        self.total = list(conserved)
        """Predicted arrays, from the start on."""
        self.local = list(conserved)
        """Predicted arrays, from the last measured point on."""

    def restart(self, conserved: list[Array], weights: list[Array], buffer: list[Array]) -> None:
        """Take a measured point as the one from which `local` goes on."""
        self.local = list(conserved)
        if self._asked.momentum:
            self._pulls = [self._pulls[0], self._law.polar(weights, buffer)]

    def advance(self, update: list[Array], buffer: list[Array]) -> None:
        """Add a step that was taken along `update`, with momentum `buffer`."""
        asked, law = self._asked, self._law
        square = [asked.lr**2 * item for item in law.form(update)]
        cross = law.polar(update, buffer) if asked.momentum else []
        one, two = self._pulls
        self.total, one = self._step(self.total, one, square, cross)
        self.local, two = self._step(self.local, two, square, cross)
        self._pulls = [one, two]

    def _step(
        self, now: list[Array], pull: list[Array], square: list[Array], cross: list[Array]
    ) -> tuple[list[Array], list[Array]]:
        """Return the conserved arrays after a step, and ``B(W, V)`` for the next one."""
        asked = self._asked
        eta, shrink, beta = asked.lr, asked.shrink, asked.momentum
        out, carried = [], []
        for j, item in enumerate(now):
            change = square[j]
            if beta or asked.loss_decay:
                own = 2.0 * asked.loss_decay * item
                along = own
                if beta:
                    along = beta * pull[j] + own
                    carried.append(shrink * along - eta * cross[j])
                if asked.nesterov:
                    along = beta * along + own
                change = change - eta * shrink * along
            out.append(shrink * shrink * item + change)
        return out, carried
