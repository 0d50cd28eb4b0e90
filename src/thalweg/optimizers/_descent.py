"""The result of a descent."""

import dataclasses
import functools
import math
import os
import pathlib
from typing import Any

import numpy as np

from thalweg._core import EPS, Array, DataError, Result, jsonable, learned_words
from thalweg.certificate import certify
from thalweg.limit import Limit
from thalweg.optimizers._comparison import Comparison, compare
from thalweg.optimizers._ending import ending
from thalweg.optimizers._settings import Settings
from thalweg.problem import Problem
from thalweg.trajectory import Trajectory, flow, save_archive

LONGEST_SERIES = 400
"""Number of points to which series are thinned in `to_dict`."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Descent(Result):
    """Steps of an optimizer.

    Attributes
    ----------
    problem, start, settings, seed
        What was asked; `start` and all weights are in the coordinates of the data.
    t : ndarray, shape (K,)
        Flow time of each step, the start included (``K = steps + 1`` unless cut short): ``lr``
        times the step, with momentum ``lr / (1 - momentum)``, on the clock of the problem's own
        loss (see ``Problem.flow_time`` for other losses). For Adam there is no such clock; it is
        ``lr`` times the step all the same.
    loss : ndarray, shape (K,)
        Of all samples, irreducible part included.
    drift : ndarray, shape (K,)
        Largest change of any conserved matrix since the start, relative as in Spec 2.2.
    predicted_drift : ndarray, shape (K,)
        The same from the update vectors of all steps so far, without looking at the weights; NaN
        where nothing is predicted.
    residual : ndarray, shape (K,)
        For each step, or each stretch between two measurements, how far the conserved matrices
        miss what the step was bound to do to them, relative to their present scale.
    weights : tuple of ndarray
        The last ones.
    snapshots : tuple
        Pairs of a step and its weights, as many as were asked for.
    invariants, predicted_invariants
        Conserved matrices where they were measured last, and what they were bound to be (``None``
        if nothing is predicted), in the coordinates in which the steps were taken.
    status, message
        ``"done"``, ``"diverged"`` or ``"interrupted"``, and why.
    stats
        Number of steps and seconds.
    """

    problem: Any
    start: tuple[Array, ...]
    settings: Settings
    seed: int | None
    t: Array
    loss: Array
    drift: Array
    predicted_drift: Array
    residual: Array
    weights: tuple[Array, ...]
    snapshots: tuple[tuple[int, tuple[Array, ...]], ...]
    invariants: tuple[Array, ...]
    predicted_invariants: tuple[Array, ...] | None
    status: str
    message: str
    stats: dict[str, Any]

    @property
    def final(self) -> list[Array]:
        """The last weights, as a list of copies."""
        return [weight.copy() for weight in self.weights]

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.settings.method

    @property
    def predicted(self) -> bool:
        """Whether the drift is predicted."""
        return self.predicted_invariants is not None

    @functools.cached_property
    def limit(self) -> Limit | None:
        """Where the steps lead, as far as it is known; ``None`` for problems with an activation.

        Certified only for gradient descent on all samples with a step not above the certified one
        at the end and a loss below every critical value but the least. Otherwise the last weights
        must lie next to a critical point; if they do not it is ``undecided``.
        """
        if not isinstance(self.problem, Problem):
            return None
        return ending(
            self.problem, self.start, self.weights, settings=self.settings, status=self.status
        )

    @functools.cached_property
    def safe_step(self) -> float:
        """Certified step size for gradient descent from the start (Spec 8.3); NaN if not known.

        With steps up to this one gradient descent on all samples never raises the loss.
        """
        if not isinstance(self.problem, Problem):
            return math.nan
        return certify(self.problem, self.start).safe_step

    @functools.cached_property
    def _flow(self) -> Trajectory:
        return flow(self.problem, self.start, float(self.t[-1]))

    def flow(self) -> Trajectory:
        """Return the gradient flow from the same start until the same time.

        Raises
        ------
        DataError
            If there is none: the problem has an activation, or the method is Adam.
        """
        if not isinstance(self.problem, Problem):
            kind = type(self.problem).__name__
            raise DataError(f"this is a {kind}; integrate its flow with p.flow(w0)")
        if self.settings.adaptive:
            raise DataError(
                f"{self.method} does not follow the gradient flow, so there is no equal time; "
                "compare losses, or what is conserved"
            )
        return self._flow

    def compare(self, run: Trajectory | None = None) -> Comparison:
        """Compare with the gradient flow at equal times, at the snapshots and at the end.

        Parameters
        ----------
        run
            The flow from the same start; computed if it is left out.

        Returns
        -------
        Comparison
            Losses and distances of weights.

        Raises
        ------
        DataError
            If the method follows no flow, or `run` is one of another problem or start.
        """
        points = ((0, self.start), *self.snapshots, (len(self.t) - 1, self.weights))
        return compare(self.problem, points, self.t, self.flow() if run is None else run)

    def to_dict(self) -> dict[str, Any]:
        """Return the descent as JSON types; long series are thinned to a few hundred points."""
        keep = np.unique(np.linspace(0, len(self.t) - 1, min(len(self.t), LONGEST_SERIES)).round())
        rows = keep.astype(int)
        known = isinstance(self.problem, Problem)
        return {
            "type": "Descent",
            "problem": self.problem.to_dict() if known else type(self.problem).__name__,
            **jsonable(dataclasses.asdict(self.settings)),
            "seed": self.seed,
            "status": self.status,
            "message": self.message,
            "limit": None if self.limit is None else self.limit.to_dict(),
            "safe_step": jsonable(self.safe_step),
            "stats": jsonable(self.stats),
            "n_points": len(self.t),
            "step": rows.tolist(),
            "t": jsonable(self.t[rows]),
            "loss": jsonable(self.loss[rows]),
            "drift": jsonable(self.drift[rows]),
            "predicted_drift": jsonable(self.predicted_drift[rows]),
            "residual": jsonable(self.residual[rows]),
            "largest_drift": jsonable(largest(self.drift)),
            "largest_residual": jsonable(largest(self.residual)),
        }

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Write the descent as an ``.npz`` archive without pickles and return its path.

        It holds ``t``, ``loss``, ``drift``, ``predicted_drift``, ``residual``, the end
        ``W1, ..., WL``, the start ``start1, ..., startL`` and ``summary``, the JSON text of
        `to_dict`. A file that cannot be written is a `StoreError`.
        """
        arrays = {
            "t": self.t,
            "loss": self.loss,
            "drift": self.drift,
            "predicted_drift": self.predicted_drift,
            "residual": self.residual,
        }
        arrays |= {f"W{j}": weight for j, weight in enumerate(self.weights, 1)}
        arrays |= {f"start{j}": weight for j, weight in enumerate(self.start, 1)}
        return save_archive(path, arrays, self.to_dict())

    def _key_figure(self) -> Any:
        return self.plot(panel="drift")

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: how it ended first."""
        rows = [("status", f"{self.status}: {self.message}"), ("method", method_words(self))]
        rows += _step_rows(self)
        rows.append(("loss", f"{self.loss[0]:.6g} -> {self.loss[-1]:.6g}"))
        if self.limit is not None:
            verdict = self.limit.verdict
            kind = verdict.kind.replace("_", " ") + (" (certified)" if self.limit.certified else "")
            if verdict.kind not in {"undecided", "not_critical"}:
                kind += f", {learned_words(verdict.learned)}"
            rows.append(("limit", f"{kind}: {self.limit.message}"))
        rows.append(("drift of C_j", f"{self.drift[-1]:.4g} relative, at the end"))
        if self.predicted:
            rows += [
                ("predicted", f"{self.predicted_drift[-1]:.4g} from the steps' update vectors"),
                ("identity", f"holds to {largest(self.residual):.2g} per step"),
            ]
        else:
            rows.append(("predicted", "nothing: measured only"))
        return rows


def largest(series: Array) -> float:
    """Return the largest entry, those that were not measured left out; NaN if none was."""
    known = series[np.isfinite(series)]
    return float(known.max()) if known.size else math.nan


def method_words(d: Descent) -> str:
    """Return method and numbers on one line."""
    asked = d.settings
    parts = [asked.method, f"lr {asked.lr:g}", f"{len(d.t) - 1} steps"]
    if asked.momentum:
        parts.append(f"momentum {asked.momentum:g}")
    if asked.weight_decay:
        how = "decoupled" if asked.decay == "decoupled" else "in the loss"
        parts.append(f"weight decay {asked.weight_decay:g} ({how})")
    if asked.batch_size is not None:
        parts.append(f"batches of {asked.batch_size}")
    return ", ".join(parts)


def _step_rows(d: Descent) -> list[tuple[str, str]]:
    """Warn where the step is larger than what is proved to be safe."""
    if not d.settings.plain or math.isnan(d.safe_step):
        return []
    if d.settings.lr <= d.safe_step:
        return [("step size", f"not above the certified {d.safe_step:.4g}: the loss never rises")]
    rose = int(np.sum(np.diff(d.loss) > 4.0 * EPS * d.loss[:-1]))
    seen = "it never did" if rose == 0 else f"it did in {rose} steps"
    if d.status == "diverged":
        seen = "it blew up"
    text = f"warning: above the certified {d.safe_step:.4g}, so the loss may rise; {seen}"
    return [("step size", text)]
