"""The result of a rigorous certification: a certificate with its proof."""

import dataclasses
import math
import os
import pathlib
from typing import Any

import numpy as np

from thalweg._core import DataError
from thalweg.certificate import Certificate
from thalweg.rigorous._balls import ball, precision, up
from thalweg.rigorous._proof import write_proof

BITS = 106


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class RigorousCertificate(Certificate):
    """A `Certificate` whose every statement is proved in ball arithmetic from exact doubles.

    Bounds are rounded outward; a condition that the balls do not separate is undecided.

    Attributes
    ----------
    status : str
        ``"proved"`` or ``"undecided"``. With ``follow=True`` it speaks of the global minimum.
    source : str
        ``"data"``: the statements are about the very numbers given. ``"reduced"``: about the
        reduced problem, whose doubles are in the proof (see `message`).
    precision : int
        Bits of the arithmetic that decided.
    entered_at, tube_radius : float or None
        Where a trajectory was followed: the time at which the validated tube lies in the basin
        of the global minima, and its radius there.
    rate_after_entry : float
        Rate that holds from `entered_at` on.
    lost_at : float or None
        The time up to which the trajectory was enclosed, if it was not proved to enter.
    """

    status: str
    source: str
    precision: int
    entered_at: float | None = None
    tube_radius: float | None = None
    rate_after_entry: float = 0.0
    lost_at: float | None = None
    arithmetic: str = "ball"
    _proof: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def proof(self) -> dict[str, Any]:
        """The proof as JSON types: exact inputs, proved bounds, theorems, conclusions."""
        return self._proof

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of a certificate, without the step size, on which nothing is proved here."""
        rows = [row for row in super().summary_rows() if row[0] != "safe step size"]
        how = f"ball arithmetic, {self.precision} bits, exact doubles ({self.source})"
        return [("status", self.status), rows[0], ("arithmetic", how), *rows[1:]]

    def save_proof(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write the proof for ``thalweg verify``; the file is whole or not there.

        Raises
        ------
        DataError
            If nothing could be enclosed, so that there is no proof.
        """
        if not self._proof:
            raise DataError(f"there is no proof to write: {self.message}")
        return write_proof(self._proof, path)

    def loss_bound(self, t: Any) -> Any:
        """Return a bound on the reducible loss at times ``t >= time``, rounded upwards."""
        times = np.asarray(t, dtype=np.float64)
        with precision(BITS):
            flat = [self._bound(float(value)) for value in times.ravel()]
        out = np.array(flat).reshape(times.shape)
        return float(out) if np.ndim(t) == 0 else out

    def _bound(self, t: float) -> float:
        if not t >= self.time:
            return math.nan
        if t == math.inf:
            return self.least_loss if self.rate > 0.0 else self.reducible_loss
        decay = (ball(-2) * ball(self.rate) * (ball(t) - ball(self.time))).exp()
        # Increasing in the loss now and in the one approached: upper bounds of both are right.
        least = ball(self.least_loss)
        return min(up(least + (ball(self.reducible_loss) - least) * decay), self.reducible_loss)

    def time_to_reach(self, reducible_loss: float) -> float:
        """Return a time at which the reducible loss is provably not above the given value."""
        if reducible_loss >= self.reducible_loss:
            return self.time
        if not (self.rate > 0.0 and reducible_loss > self.least_loss):
            return math.inf
        with precision(BITS):
            least = ball(self.least_loss)
            ratio = (ball(self.reducible_loss) - least) / (ball(reducible_loss) - least)
            return up(ball(self.time) + ratio.log() / (2 * ball(self.rate)))
