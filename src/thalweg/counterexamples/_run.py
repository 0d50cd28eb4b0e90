"""The result of a gradient flow of a few variables."""

import bisect
import dataclasses
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Result, as_scalar, jsonable
from thalweg.counterexamples._evidence import Evidence

LONGEST_SERIES = 400
"""Number of points to which series are thinned in `to_dict`."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GradientRun(Result):
    """A trajectory of ``dx/dt = -grad f(x)``.

    Attributes
    ----------
    t, x, loss, gradient_norm
        Times ``(K,)`` of the steps, points ``(K, n)``, values of ``f`` and gradient norms.
    status, message
        ``"limit"``: the rest of the way is estimated to be negligible; ``"diverged"``: proved to
        be unbounded, see `evidence`; ``"horizon"``: stopped undecided; ``"failed"``.
    evidence
        The proof of divergence, or ``None``.
    stats
        Counts.
    """

    t: Array
    x: Array
    loss: Array
    gradient_norm: Array
    status: str
    message: str
    evidence: Evidence | None
    stats: dict[str, Any]
    _pieces: list[Any]

    @property
    def final(self) -> Array:
        """The last point."""
        return np.array(self.x[-1])

    def at(self, t: float) -> Array:
        """Return the point at a time of the run.

        Raises
        ------
        DataError
            If `t` is outside the run.
        """
        t = as_scalar(t, "t")
        if not 0.0 <= t <= self.t[-1]:
            raise DataError(f"t = {t:g} is outside the run [0, {self.t[-1]:g}]; integrate longer")
        if not self._pieces:
            return np.array(self.x[0])
        k = min(max(bisect.bisect_left(self.t, t) - 1, 0), len(self._pieces) - 1)
        return np.asarray(self._pieces[k](t), dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return the run as JSON types; long series are thinned to a few hundred points."""
        count = min(len(self.t), LONGEST_SERIES)
        index = np.unique(np.linspace(0, len(self.t) - 1, count).round().astype(int))
        series = {
            name: jsonable(getattr(self, name)[index])
            for name in ("t", "x", "loss", "gradient_norm")
        }
        return {
            "type": "GradientRun",
            "status": self.status,
            "message": self.message,
            "evidence": jsonable(self.evidence),
            "stats": jsonable(self.stats),
            "n_points": len(self.t),
            **series,
        }

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        first, last = (", ".join(f"{item:.6g}" for item in self.x[k]) for k in (0, -1))
        return [
            ("status", f"{self.status}: {self.message}"),
            ("f", f"{self.loss[0]:.6g} -> {self.loss[-1]:.6g}"),
            ("start", f"({first})"),
            ("end", f"({last})"),
            ("time", f"{self.t[-1]:.6g} in {self.stats['steps']} steps"),
        ]
