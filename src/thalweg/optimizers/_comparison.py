"""Steps and flow side by side at equal times."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Result, Weights
from thalweg.problem import Problem
from thalweg.trajectory import Trajectory


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Comparison(Result):
    """A descent and the gradient flow from the same start.

    Attributes
    ----------
    step, t : ndarray, shape (K,)
        Steps that are compared and their flow times.
    loss, flow_loss : ndarray, shape (K,)
        Of the descent and of the flow, irreducible part included.
    distance : ndarray, shape (K,)
        Norm of the difference of the weights relative to that of the flow's, in the coordinates of
        the flow.
    """

    step: Array
    t: Array
    loss: Array
    flow_loss: Array
    distance: Array

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: the end first."""
        rows = [("at time", f"{self.t[-1]:.6g} (step {int(self.step[-1])})")]
        rows.append(("loss", f"{self.loss[-1]:.8g}, of the flow {self.flow_loss[-1]:.8g}"))
        rows.append(("weights", f"relative distance {self.distance[-1]:.4g}"))
        return rows + [
            (f"t = {t:.4g}", f"loss {one:.8g} and {two:.8g}, distance {gap:.4g}")
            for t, one, two, gap in zip(
                self.t[:-1], self.loss[:-1], self.flow_loss[:-1], self.distance[:-1], strict=True
            )
        ]


def compare(
    p: Problem, points: Sequence[tuple[int, Weights]], t: Array, run: Trajectory
) -> Comparison:
    """Compare weights at some steps with those of the flow.

    Parameters
    ----------
    p
        The problem.
    points
        Steps and weights in the coordinates of the data, the start first.
    t
        Times of all steps.
    run
        The flow.

    Returns
    -------
    Comparison
        At those steps, each once.

    Raises
    ------
    DataError
        If the flow belongs to another problem or start, or ends too early.
    """
    if run.problem.fingerprint != p.fingerprint:
        raise DataError("run is the flow of another problem; leave it out to compute the right one")
    start = zip(run.start, points[0][1], strict=True)
    if not all(np.allclose(one, two, rtol=1e-12, atol=0.0) for one, two in start):
        raise DataError("run has another start; leave it out to compute the right one")
    last = points[-1][0]
    if t[last] > run.t[-1] and run.status != "limit":
        raise DataError(
            f"run ends at time {run.t[-1]:.6g}, the steps reach {t[last]:.6g}; integrate longer"
        )
    chosen = dict(points)
    rows = sorted(chosen)
    flow_weights = [
        run.weights_at(float(t[row])) if t[row] <= run.t[-1] else run.final for row in rows
    ]
    return Comparison(
        step=np.array(rows, dtype=np.float64),
        t=t[rows].copy(),
        loss=np.array([p.loss(chosen[row]) for row in rows]),
        flow_loss=np.array([p.loss(weights) for weights in flow_weights]),
        distance=np.array(
            [
                relative_distance(p, chosen[row], there)
                for row, there in zip(rows, flow_weights, strict=True)
            ]
        ),
    )


def relative_distance(p: Problem, weights: Weights, there: Weights) -> float:
    """Return ``||W - V|| / ||V||`` in the coordinates of the flow."""
    one, two = p.reduce(weights), p.reduce(there)
    gap = sum(float(np.sum((a - b) ** 2)) for a, b in zip(one, two, strict=True))
    size = sum(float(np.sum(b**2)) for b in two)
    return float(np.sqrt(gap / size)) if size > 0.0 else float(np.sqrt(gap))
