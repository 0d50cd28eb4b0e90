"""The result of a run of a shallow network."""

import dataclasses
import functools
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Result, as_scalar, jsonable
from thalweg.integrate import Solution
from thalweg.network import unpack
from thalweg.nonlinear._kinks import Change
from thalweg.nonlinear._law import Law
from thalweg.nonlinear._limit import ShallowLimit
from thalweg.nonlinear._network import ShallowNetwork

SMOOTH = 300
"""Points below which long steps are recorded with points inside."""
MOST_POINTS = 2000
LONGEST_SERIES = 400
"""Number of points to which series are thinned in `to_dict`."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ShallowTrajectory(Result):
    """A gradient flow trajectory of a shallow network.

    Attributes
    ----------
    problem, start
        What was asked.
    status, message
        ``"limit"``: the gradient has vanished and the rest of the way is estimated to be
        negligible; ``"horizon"``: stopped at ``t_end``, at the budget, or where that estimate
        fails; ``"diverged"``: the weights passed 1e100; ``"failed"``: numerics broke down.
    law
        Whether the invariants are conserved on these data, and why.
    limit
        What is at the end.
    kinks_crossed
        How many times a pre-activation passed a kink.
    kinks_held
        How many times one was caught on a kink, where both sides lead back to it.
    stats
        Counts of the integrator.
    """

    problem: ShallowNetwork
    start: tuple[Array, ...]
    status: str
    message: str
    law: Law
    limit: ShallowLimit
    kinks_crossed: int
    kinks_held: int
    stats: dict[str, Any]
    _parts: list[Solution]
    _changes: list[tuple[float, Change]]

    @functools.cached_property
    def _shown(self) -> tuple[Array, Array, Array, Array]:
        """Return times, packed weights, losses and gradient norms of the points that are shown."""
        parts = self._parts
        if len(parts) < SMOOTH:
            fewest = SMOOTH // len(parts)
            parts = [part.refined(fewest) if len(part.t) > 1 else part for part in parts]
        # A piece begins where the one before ended; the gradient may jump there.
        cut = [slice(None), *(slice(1, None) for _ in parts[1:])]
        rows = [
            np.concatenate(
                [getattr(part, name)[where] for part, where in zip(parts, cut, strict=True)]
            )
            for name in ("t", "y", "loss", "gradient_norm")
        ]
        if len(rows[0]) > MOST_POINTS:
            keep = np.unique(np.linspace(0, len(rows[0]) - 1, MOST_POINTS).round().astype(int))
            rows = [row[keep] for row in rows]
        t, y, loss, norm = rows
        for row in rows:
            row.flags.writeable = False
        return t, y, loss, norm

    @property
    def t(self) -> Array:
        """Times of accepted steps, shape ``(K,)``."""
        return self._shown[0]

    @property
    def loss(self) -> Array:
        """The loss at `t`."""
        return self._shown[2]

    @property
    def gradient_norm(self) -> Array:
        """The gradient norm at `t`, across held kinks that of the flow."""
        return self._shown[3]

    def weights_at(self, t: float) -> list[Array]:
        """Return the weights at any time of the run, to the order of the method.

        Where the law holds, `invariants` of them are those of the start to rounding.

        Raises
        ------
        DataError
            If `t` is outside the run (a ``ValueError``).
        """
        t = as_scalar(t, "t")
        last = float(self._parts[-1].t[-1])
        if not 0.0 <= t <= last:
            raise DataError(f"t = {t:g} is outside the run [0, {last:g}]; integrate longer")
        part = next(item for item in self._parts if t <= item.t[-1])
        return self._conserving(*part.at(t))

    @property
    def final(self) -> list[Array]:
        """The weights at the end of the run."""
        y = self._parts[-1].y[-1]
        return self._conserving(*unpack(y, self.problem.dims))

    def _conserving(self, first: Array, second: Array) -> list[Array]:
        if self._wanted is not None:
            first, second = self.problem.conserved.project(first, second, self._wanted)
        return [first.copy(), second.copy()]

    @functools.cached_property
    def _wanted(self) -> Array | None:
        """The invariants of the start where they are conserved and can be computed."""
        if not self.law.holds:
            return None
        try:
            outward, inward = self.problem.conserved.terms(*self.start)
        except DataError:
            return None
        return outward - inward

    @functools.cached_property
    def drift(self) -> Array:
        """Largest relative change of an invariant over `t`, of the weights that are returned.

        Relative to the largest term of any invariant at the start, as in Spec 2.2; a start so
        small that its square is below the rounding of the later weights cannot be resolved. Where
        the law holds, the weights have been put right and this is rounding; see `raw_drift`. NaN
        where a pre-activation is beyond the range in which ``Sigma`` is computed.
        """
        return self._drift(projected=True)

    @functools.cached_property
    def raw_drift(self) -> Array:
        """The same of the integrator's own points, before anything is put right."""
        return self._drift(projected=False)

    def _drift(self, *, projected: bool) -> Array:
        rule, y = self.problem.conserved, self._shown[1]
        d, h, o = self.problem.dims
        out = np.full(len(y), np.nan)
        try:
            outward, inward = rule.terms(*self.start)
        except DataError:
            return out
        scale = float(max(outward.max(), inward.max())) or 1.0
        for k, row in enumerate(y):
            first, second = row[: h * d].reshape(h, d), row[h * d :].reshape(o, h)
            try:
                if projected and self._wanted is not None:
                    first, second = rule.project(first, second, self._wanted)
                now = rule.terms(first, second)
            except DataError:
                continue
            out[k] = float(np.abs(now[0] - now[1] - (outward - inward)).max()) / scale
        return out

    @functools.cached_property
    def invariants(self) -> Array:
        """The invariants over `t`, shape ``(K, hidden)``, of the weights that are returned."""
        rule, dims = self.problem.conserved, self.problem.dims
        rows = []
        for y in self._shown[1]:
            first, second = unpack(y, dims)
            outward, inward = rule.terms(*self._conserving(first, second))
            rows.append(outward - inward)
        return np.array(rows)

    @functools.cached_property
    def layer_norms(self) -> Array:
        """Spectral norms of both layers over `t`, shape ``(K, 2)``."""
        layers = [unpack(y, self.problem.dims) for y in self._shown[1]]
        return np.array([[np.linalg.norm(item, 2) for item in pair] for pair in layers])

    @property
    def kink_times(self) -> Array:
        """Times at which a pre-activation crossed, was caught on or left a kink."""
        return np.array([t for t, _ in self._changes])

    def to_dict(self) -> dict[str, Any]:
        """Return the run as JSON types; long series are thinned to a few hundred points."""
        count = min(len(self.t), LONGEST_SERIES)
        index = np.unique(np.linspace(0, len(self.t) - 1, count).round().astype(int))
        return {
            "type": "ShallowTrajectory",
            "problem": self.problem.to_dict(),
            "status": self.status,
            "message": self.message,
            "law": self.law.to_dict(),
            "limit": self.limit.to_dict(),
            "kinks_crossed": self.kinks_crossed,
            "kinks_held": self.kinks_held,
            "stats": jsonable(self.stats),
            "n_points": len(self.t),
            "t": jsonable(self.t[index]),
            "loss": jsonable(self.loss[index]),
            "gradient_norm": jsonable(self.gradient_norm[index]),
            "drift": jsonable(self.drift[index]),
            "raw_drift": jsonable(self.raw_drift[index]),
        }

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        worst = float(np.nanmax(self.drift)) if np.any(np.isfinite(self.drift)) else np.nan
        raw = float(np.nanmax(self.raw_drift)) if np.any(np.isfinite(self.raw_drift)) else np.nan
        word = "holds" if self.law.holds else "does not hold"
        kinks = f"{self.kinks_crossed} crossed, {self.kinks_held} held for a while"
        return [
            ("status", f"{self.status}: {self.message}"),
            ("loss", f"{self.loss[0]:.6g} -> {self.loss[-1]:.6g}"),
            ("time", f"{self.t[-1]:.6g} in {self.stats['steps']} steps"),
            ("limit", f"{self.limit.kind.replace('_', ' ')}, inertia {self.limit.inertia}"),
            ("law", f"{word}: {self.law.message}"),
            ("drift of q", f"{worst:.2g} relative, at most; {raw:.2g} as integrated"),
            ("kinks", kinks),
        ]
