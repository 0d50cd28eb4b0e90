"""A run as series for charts."""

from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.conserved import drift_scales, imbalance
from thalweg.explorer.tasks._emit import Emit
from thalweg.explorer.tasks._proof import Proof, certain_from, proof_facts
from thalweg.landscape import Target
from thalweg.limit import saddle_nearby
from thalweg.network import end_to_end
from thalweg.problem import Problem
from thalweg.trajectory import Trajectory

MOST, AT_ONCE = 600, 100
"""Points of a run that are sent, and in one message."""
MODES, LEVELS = 12, 12
"""Curves of strengths, and lines of critical values, that are sent."""


def facts(problem: Problem) -> dict[str, Any]:
    """Return what the page shows of a problem."""
    return {
        "dims": list(problem.dims),
        "parameters": problem.n_parameters,
        "samples": problem.n_samples,
        "metric": problem.metric,
        "loss_name": problem.loss_name,
        "sigma": problem.singular_values[:64].tolist(),
        "irreducible": problem.irreducible_loss,
        "assumptions": [
            {"name": item.name, "holds": item.holds, "message": item.message}
            for item in problem.assumptions
        ],
        "levels": [
            {"learned": list(range(count)), "loss": problem.critical_value(tuple(range(count)))}
            for count in range(min(problem.max_rank, problem.target_rank, LEVELS) + 1)
        ],
    }


class Live:
    """Sends what a running integration has come to."""

    def __init__(self, problem: Problem, weights: list[Array], emit: Emit) -> None:
        self.problem, self.emit, self.steps = problem, emit, 0
        self.first = imbalance(problem.reduce(weights))
        self.scales = drift_scales(problem.reduce(weights))
        target, self.metric = problem.flow_data()
        self.target = Target.of(target / np.sqrt(problem.loss_scale))
        self.rank = min(problem.max_rank, problem.target_rank)
        self.proof = Proof(problem)
        self.observe(0.0, weights)

    def progress(self, t: float, steps: int, loss: float) -> None:
        """Take over the number of steps."""
        del t, loss
        self.steps = steps

    def observe(self, t: float, weights: list[Array]) -> None:
        """Send one point."""
        layers = self.problem.reduce(weights)
        product = end_to_end(layers) * self.metric / np.sqrt(self.problem.loss_scale)
        changes = [
            float(np.linalg.norm(now - then)) / (scale or 1.0)
            for now, then, scale in zip(imbalance(layers), self.first, self.scales, strict=True)
        ]
        loss = self.problem.reducible_loss(weights)
        self.proof.observe(t, layers, weights, loss)
        near = saddle_nearby(product, self.target, self.rank)
        self.emit(
            "live",
            t=t,
            steps=self.steps,
            loss=loss,
            near=None
            if near is None
            else {"learned": near, "loss": self.problem.critical_value(near)},
            proof=self.proof.facts(),
            modes=np.diagonal(self.target.modes(product[np.newaxis])[0])[:MODES],
            norms=[float(np.linalg.norm(layer, 2)) for layer in layers],
            drift=max(changes, default=0.0),
            gradient=None,
        )


def send(run: Trajectory, emit: Emit) -> None:
    """Send the series of a run in pieces, then what is known of it."""
    index = _shown(run.t)
    strengths = np.diagonal(run.modes, axis1=-2, axis2=-1)[index][:, :MODES]
    columns = {
        "t": run.t[index],
        "loss": run.reducible_loss[index],
        "gradient": run.gradient_norm[index],
        "drift": run.drift[index],
        "modes": strengths,
        "norms": run.layer_norms[index],
    }
    for begin in range(0, len(index), AT_ONCE):
        emit("points", **{name: part[begin : begin + AT_ONCE] for name, part in columns.items()})
    proof = proof_facts(run.certificate, certain_from(run))
    if proof["since"] is None and run.certificate.converges_to_global:
        proof.update(guaranteed=[], rate=0.0)  # true of the computed point, in doubt for the start
    emit("plateaus", plateaus=run.plateaus, proof=proof)
    emit("end", **ending(run))


def ending(run: Trajectory) -> dict[str, Any]:
    """Return limit and certificate."""
    verdict, certificate = run.limit.verdict, run.certificate
    return {
        "status": run.status,
        "message": run.message,
        "rows": run.summary_rows(),
        "verdict": verdict_facts(verdict),
        "certified": run.limit.certified,
        "certificate": {
            "message": certificate.message,
            "rate": certificate.rate,
            "time": certificate.time,
            "hypotheses": [
                {"name": item.name, "holds": item.holds, "message": item.message}
                for item in certificate.hypotheses
            ],
        },
    }


def verdict_facts(verdict: Any) -> dict[str, Any]:
    """Return a verdict without its large arrays."""
    eigenvalues = verdict.eigenvalues
    return {
        "kind": verdict.kind,
        "learned": list(verdict.learned),
        "rank": verdict.rank,
        "loss": verdict.loss,
        "gradient_norm": verdict.gradient_norm,
        "inertia": verdict.inertia,
        "rule": verdict.rule,
        "message": verdict.message,
        "case": verdict.paper_case,
        "dimension": verdict.stratum_dimension,
        "pivots": verdict.pivots,
        "eigenvalues": None if eigenvalues is None else eigenvalues,
        "order": None if verdict.descent_curve is None else verdict.descent_curve.order,
        "curvature": verdict.curvature,
        "rows": verdict.summary_rows(),
    }


def _shown(t: Array) -> Any:
    if len(t) <= MOST:
        return np.arange(len(t))
    even = np.linspace(0, len(t) - 1, MOST // 2).astype(int)
    times = np.geomspace(max(t[1], 1e-12 * t[-1]), t[-1], MOST // 2)
    return np.union1d(even, np.minimum(np.searchsorted(t, times), len(t) - 1))
