"""The result of a run: everything along the way and at the end."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array, Result, jsonable, learned_words
from thalweg.certificate import Certificate, certify_reduced, levels
from thalweg.integrate import Status, achieved_error
from thalweg.landscape import Target
from thalweg.limit import Limit, Plateau, find_plateaus
from thalweg.problem import Problem
from thalweg.trajectory._decide import Ending
from thalweg.trajectory._judge import judge, place
from thalweg.trajectory._path import Path
from thalweg.trajectory._save import save_archive

BROKEN = {
    Status.DIVERGED: "diverged",
    Status.NON_FINITE: "failed",
    Status.STEP_TOO_SMALL: "failed",
}
EARLY = 0.1
"""Part of the later rate from which a rate that holds from the start on is preferred."""
LONGEST_SERIES = 400
"""Number of points to which series are thinned in `to_dict`."""


def _frozen(array: Array) -> Array:
    out = array.copy()
    out.flags.writeable = False
    return out


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Trajectory(Result):
    """A gradient flow trajectory.

    Attributes
    ----------
    problem, start
        What was asked.
    stats
        Counts of the integrator.
    """

    problem: Problem
    start: tuple[Array, ...]
    stats: dict[str, Any]
    _path: Path
    _ended: Callable[[], Ending]

    @functools.cached_property
    def _ending(self) -> Ending:
        return self._ended()

    @functools.cached_property
    def status(self) -> str:
        """``"limit"``, ``"horizon"``, ``"diverged"`` or ``"failed"``.

        Decided where it ends; stopped at ``t_end`` or at a budget; the last two: numerics broke
        down. `message` says what to do.
        """
        ending = self._ending
        if ending.jump is not None or ending.saddle is not None:
            return "limit"
        return BROKEN.get(self._path.pieces[-1].status, "horizon")

    @functools.cached_property
    def t(self) -> Array:
        """Times of accepted steps, points inside long ones included; thinned on very long runs."""
        return _frozen(self._path.t)

    @functools.cached_property
    def loss(self) -> Array:
        """The loss of the data over `t`, irreducible part included."""
        return _frozen(self._path.loss + self.problem.irreducible_loss)

    @functools.cached_property
    def gradient_norm(self) -> Array:
        """The gradient norm over `t`, in the coordinates of the flow."""
        return _frozen(self._path.gradient_norm)

    @functools.cached_property
    def limit(self) -> Limit:
        """Where it ends."""
        return judge(self._path, self._ending)

    @property
    def message(self) -> str:
        """What `status` means here and what to do."""
        if self.status == "limit":
            return self.limit.message
        lost = self._ending.lost if self.status == "horizon" else ""
        return lost or self._path.pieces[-1].message

    def weights_at(self, t: float) -> list[Array]:
        """Return the weights at any time of the run, to the order of the method.

        Parameters
        ----------
        t
            Between ``0`` and ``run.t[-1]``.

        Returns
        -------
        list of ndarray
            In the coordinates of the data; every ``C_j`` is that of the start to rounding.

        Raises
        ------
        DataError
            If `t` is outside the run (a ``ValueError``).
        """
        return self._path.to_data(self._path.compressed_at(t))

    def achieved_error(self) -> float:
        """Return the largest error of the weights along the run, relative to their norm.

        Measured, not guessed: the run is integrated again from its start at a tolerance that is
        100 times smaller and compared at the points it recorded, at 400 of each piece if there are
        more. About the limit, which is closed beyond the last step, `limit.tail_error` tells.

        Returns
        -------
        float
            NaN if rounding leaves no room for a smaller tolerance.

        Raises
        ------
        IntegrationError
            If the finer run does not get to the end.
        """
        return achieved_error(self._path.pieces)

    @property
    def final(self) -> list[Array]:
        """The end of the run: the limit if it is decided, else the weights at ``run.t[-1]``."""
        return [weight.copy() for weight in self._end]

    @functools.cached_property
    def _end(self) -> list[Array]:
        return place(self._path, self._ending)

    @property
    def reducible_loss(self) -> Array:
        """Reducible loss over `t`."""
        return self._path.loss

    @functools.cached_property
    def drift(self) -> Array:
        """Largest relative drift of any ``C_j`` over `t`, shape ``(K,)`` (Spec 2.2).

        Of a network beyond the compiled core it is that of the weights as integrated: they are put
        right by `weights_at` and at the end only, because one repair costs as much as many steps.
        """
        return self._path.series[1]

    @functools.cached_property
    def _products(self) -> Array:
        out: Array = self._path.series[0] / np.sqrt(self.problem.loss_scale)
        return out

    @functools.cached_property
    def _target(self) -> Target:
        return Target.of(self.problem.flow_data()[0] / np.sqrt(self.problem.loss_scale))

    @functools.cached_property
    def singular_values(self) -> Array:
        """Singular values of the end-to-end map ``P U_X D`` over `t`, largest first."""
        return np.asarray(np.linalg.svd(self._products, compute_uv=False), dtype=np.float64)

    @functools.cached_property
    def modes(self) -> Array:
        """End-to-end map in the target's singular basis over `t`, ``U_Y^T P U_X D V_Y``.

        Its diagonal tends to ``problem.singular_values`` for the directions that are learned.
        """
        return self._target.modes(self._products)

    @functools.cached_property
    def layer_norms(self) -> Array:
        """Spectral norm of each layer over `t`, in the coordinates of the flow, ``(K, L)``."""
        if self._path.large:
            return np.array([[np.linalg.norm(w, 2) for w in ws] for ws in self._path.visit()])
        norms = [np.linalg.norm(layer, ord=2, axis=(-2, -1)) for layer in self._path.stack()]
        return np.stack(norms, axis=1)

    @functools.cached_property
    def plateaus(self) -> tuple[Plateau, ...]:
        """Saddles at which the trajectory lingered, in order (Spec 5.4)."""
        target = Target.of(self.problem.flow_data()[0])
        rank = min(self.problem.max_rank, self.problem.target_rank)
        products = self._products * np.sqrt(self.problem.loss_scale)
        return find_plateaus(self.t, products, target, rank)

    @functools.cached_property
    def start_certificate(self) -> Certificate:
        """What is proved about the start itself."""
        reduced = self.problem.reduce(self.start)
        return certify_reduced(self.problem, reduced, self.start, float(self.t[0]))

    @functools.cached_property
    def certificate(self) -> Certificate:
        """The strongest certificate along the run, the start's if its rate is comparable.

        Among the points of the run the first one is taken at which the error is half the smallest
        singular value (with a bottleneck: the excess an eighth of the gap; where a direction is
        zero: the first well below every other critical value); failing that the last one. It
        speaks of the flow from that computed point.
        """
        target, _ = self.problem.flow_data()
        known = levels(target, self.problem.max_rank)
        goal = 0.125 * float(known.sigma[-1]) ** 2
        if known.rank < len(known.sigma):
            part = 0.25 if known.rank == self.problem.max_rank else 0.5
            goal = known.least + part * (known.basin - known.least)
        below = np.flatnonzero(self._path.loss <= goal)
        index = int(below[0]) if below.size else len(self.t) - 1
        weights = self._path.to_reduced(self._path.at_index(index))
        later = certify_reduced(self.problem, weights, self.start, float(self.t[index]))
        begin = self.start_certificate
        return begin if begin.rate > 0.0 and begin.rate >= EARLY * later.rate else later

    def to_dict(self) -> dict[str, Any]:
        """Return the run as JSON types; long series are thinned to a few hundred points."""
        keep = np.unique(np.linspace(0, len(self.t) - 1, min(len(self.t), LONGEST_SERIES)).round())
        index = keep.astype(int)
        strengths = np.diagonal(self.modes, axis1=-2, axis2=-1)
        return {
            "type": "Trajectory",
            "problem": self.problem.to_dict(),
            "status": self.status,
            "message": self.message,
            "limit": self.limit.to_dict(),
            "plateaus": jsonable(self.plateaus),
            "certificate": self.certificate.to_dict(),
            "stats": jsonable(self.stats),
            "n_points": len(self.t),
            "t": jsonable(self.t[index]),
            "loss": jsonable(self.loss[index]),
            "gradient_norm": jsonable(self.gradient_norm[index]),
            "drift": jsonable(self.drift[index]),
            "singular_values": jsonable(self.singular_values[index]),
            "mode_strengths": jsonable(strengths[index]),
        }

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write the run as an ``.npz`` archive without pickles and return its path.

        It holds ``t``, ``loss``, ``gradient_norm``, ``drift``, ``singular_values``, the end
        ``W1, ..., WL``, the start ``start1, ..., startL`` and ``summary``, the JSON text of
        `to_dict`. A file that cannot be written is a `StoreError`.
        """
        arrays = {
            "t": self.t,
            "loss": self.loss,
            "gradient_norm": self.gradient_norm,
            "drift": self.drift,
            "singular_values": self.singular_values,
        }
        arrays |= {f"W{j}": weight for j, weight in enumerate(self.final, 1)}
        arrays |= {f"start{j}": weight for j, weight in enumerate(self.start, 1)}
        return save_archive(path, arrays, self.to_dict())

    def _key_figure(self) -> Any:
        return self.plot(panel="loss")

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: where it ends first."""
        verdict = self.limit.verdict
        passed = " -> ".join(learned_words(p.learned) for p in self.plateaus)
        kind = verdict.kind.replace("_", " ") + (" (certified)" if self.limit.certified else "")
        return [
            ("status", f"{self.status}: {self.message}"),
            ("limit", f"{kind}, {learned_words(verdict.learned)}"),
            ("loss", f"{self.loss[0]:.6g} -> {self.loss[-1]:.6g}"),
            ("limit loss", f"{verdict.loss + self.problem.irreducible_loss:.12g}"),
            ("time", f"{self.t[-1]:.6g} in {self.stats.get('steps', 0)} steps"),
            ("plateaus", passed or "none"),
            ("drift of C_j", f"{self.drift.max(initial=0.0):.2g} relative, at most"),
            ("certificate", self.certificate.message),
        ]
