"""What is proved while a run is still coming in."""

import time
from typing import Any

from thalweg._core import Array, Weights
from thalweg.certificate import Certificate, certify_reduced, levels
from thalweg.problem import Problem
from thalweg.trajectory import Trajectory

SHARE = 10.0
"""Rates are sought again after so many times the time that the last search took."""


class Proof:
    """The certificate of a run on its way: the strongest so far, and since when it is certain.

    Whether the loss is below every other critical value is compared at every point; the rate
    costs eigenvalue problems and is sought less often. Status: theorems (Spec 3.2-3.4), in
    floating point with margins, about the flow from the computed points.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.known = levels(problem.flow_data()[0], problem.max_rank)
        self.best: Certificate | None = None
        self.since: float | None = None
        self._after = 0.0

    def observe(self, t: float, reduced: Weights, weights: list[Array], loss: float) -> None:
        """Take a point over."""
        fresh = self.since is None and self.known.in_basin(loss)
        began = time.monotonic()
        if not fresh and began < self._after:
            return
        found = certify_reduced(self.problem, reduced, weights, t)
        done = time.monotonic()
        self._after = done + SHARE * (done - began)
        if self.best is None or _strength(found) > _strength(self.best):
            self.best = found
        if self.since is None and found.converges_to_global:
            self.since = t

    def facts(self) -> dict[str, Any] | None:
        """Return what the page shows; ``None`` before the first point."""
        return None if self.best is None else proof_facts(self.best, self.since)


def proof_facts(found: Certificate, since: float | None) -> dict[str, Any]:
    """Return a certificate without its arrays."""
    return {
        "since": since,
        "time": found.time,
        "rate": found.rate,
        "excess": found.least_loss > 0.0,
        "guaranteed": list(found.guaranteed),
        "message": found.message,
    }


def certain_from(run: Trajectory) -> float | None:
    """Return the first computed time at which the limit is known to be a global minimum.

    Computed points speak of the flow from themselves; where the library does not trust them to
    speak of the start (rounding may have led away from a saddle), nothing is certain.
    """
    if run.start_certificate.converges_to_global:
        return float(run.t[0])
    if not run.limit.certified:
        return None
    known = levels(run.problem.flow_data()[0], run.problem.max_rank)
    for t, loss in zip(run.t, run.reducible_loss, strict=True):
        if known.in_basin(float(loss)):
            return float(t)
    best = run.certificate
    return best.time if best.converges_to_global else None


def _strength(found: Certificate) -> tuple[bool, float, int]:
    return bool(found.converges_to_global), found.rate, len(found.guaranteed)
