"""What is conserved, measured after every step, next to what the step was bound to do to it."""

import numpy as np

from thalweg._core import Array, Weights
from thalweg.optimizers._laws import Law
from thalweg.optimizers._prediction import Prediction
from thalweg.optimizers._rules import Rule
from thalweg.optimizers._settings import Settings

CHUNK = 2**18
"""Numbers that are kept before their norms are taken, all at once."""


class Ledger:
    """Drift, predicted drift and residual of the identity, one row for each step.

    Spectral norms are taken of many steps together. The residual is measured in the Frobenius
    norm and relative to a lower bound of the present scale, so that it is never understated.
    """

    def __init__(
        self, law: Law, settings: Settings, start: Weights, *, every: int, predict: bool
    ) -> None:
        rows = settings.steps + 1
        self._law, self._settings, self._every = law, settings, every
        self._start = law.form(start)
        self._scales = [size or 1.0 for size in law.sizes(start, self._start)]
        self.latest = self._start
        """Measured arrays at the last step that was measured."""
        self.prediction = Prediction(law, settings, self._start) if predict else None
        self.drift = np.full(rows, np.nan)
        self.predicted = np.full(rows, np.nan)
        self.residual = np.full(rows, np.nan)
        self.drift[0] = 0.0
        if predict:
            self.predicted[0] = self.residual[0] = 0.0
        numbers = sum(item.size for item in self._start)
        self._room = max(1, min(rows, CHUNK // max(1, numbers)))
        self._measured = [np.empty((self._room, *item.shape)) for item in self._start]
        self._foreseen = [np.empty((self._room, *item.shape)) for item in self._start]
        self._rows: list[int] = []

    def record(self, row: int, weights: list[Array], rule: Rule) -> None:
        """Add the step that led to `weights`."""
        if self.prediction is not None:
            self.prediction.advance(rule.update, rule.buffer)
        if row % self._every and row != self._settings.steps:
            return
        now, place = self._law.form(weights), len(self._rows)
        for j, item in enumerate(now):
            np.subtract(item, self._start[j], out=self._measured[j][place])
        if self.prediction is not None:
            worst = 0.0
            for j, size in enumerate(self._law.small_sizes(weights)):
                foreseen = self.prediction.total[j]
                np.subtract(foreseen, self._start[j], out=self._foreseen[j][place])
                gap = float(np.linalg.norm(now[j] - self.prediction.local[j]))
                worst = max(worst, gap / size if size > 0.0 else gap)
            self.residual[row] = worst
            self.prediction.restart(now, weights, rule.buffer)
        self.latest = now
        self._rows.append(row)
        if len(self._rows) == self._room:
            self.flush()

    def flush(self) -> None:
        """Take the norms of what has been kept."""
        count = len(self._rows)
        if count == 0:
            return
        self.drift[self._rows] = self._worst(self._measured, count)
        if self.prediction is not None:
            self.predicted[self._rows] = self._worst(self._foreseen, count)
        self._rows = []

    def _worst(self, stacks: list[Array], count: int) -> Array:
        worst = np.zeros(count)
        for stack, scale in zip(stacks, self._scales, strict=True):
            np.maximum(worst, self._law.norms(stack[:count]) / scale, out=worst)
        return worst
