"""What can be proved about the flow from given weights (Spec 3)."""

import dataclasses
import math
from typing import Any

import numpy as np

from thalweg._core import Array, Result, Weights
from thalweg.certificate._basin import MARGIN, Levels, levels
from thalweg.certificate._norm_bounds import norm_bounds
from thalweg.certificate._rates import Hypothesis, decide, initial_rate, later_rate
from thalweg.network import residual
from thalweg.problem import Problem


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Certificate(Result):
    """Theorems about the flow restarted at one computed point.

    Attributes
    ----------
    time
        Flow time of the point.
    rule
        ``"remark-2"``, ``"anytime"`` or ``"none"``: which theorem gives `rate`.
    rate
        Provable exponent: the reducible loss decays at least like ``exp(-2 rate (t - time))``.
        0.0 if none.
    norm_bounds
        For each layer a bound on ``||W_j(t)||_2`` for all ``t >= time``, in the coordinates of
        the flow.
    converges_to_global
        ``True`` if it is proved that the limit is a global minimum, else ``None``.
    guaranteed
        Directions proved to be learned in the limit.
    path_bound
        Bound on the remaining length of the trajectory; infinite if there is no rate.
    hypotheses
        Every condition with its number.
    message
        The whole in a sentence.
    """

    time: float
    rule: str
    rate: float
    norm_bounds: Array
    converges_to_global: bool | None
    guaranteed: tuple[int, ...]
    reducible_loss: float
    path_bound: float
    hypotheses: tuple[Hypothesis, ...]
    message: str

    def summary_rows(self) -> list[tuple[str, str]]:
        """One row per statement, then one per hypothesis."""
        words = {True: "holds", False: "fails", None: "undecided"}
        return [
            ("proved", self.message.removeprefix("proved: ")),
            ("at time", f"{self.time:.6g} (reducible loss {self.reducible_loss:.6g})"),
            ("layer norms", "at most " + ", ".join(f"{value:.4g}" for value in self.norm_bounds)),
            *((item.name, f"{words[item.holds]}: {item.message}") for item in self.hypotheses),
        ]

    def loss_bound(self, t: Any) -> Any:
        """Return a bound on the reducible loss at times ``t >= time`` (scalar or array)."""
        elapsed = np.asarray(t, dtype=np.float64) - self.time
        bound = np.where(
            elapsed >= 0,
            self.reducible_loss * np.exp(-2.0 * self.rate * np.maximum(elapsed, 0.0)),
            np.nan,
        )
        return float(bound) if np.ndim(t) == 0 else bound

    def time_to_reach(self, reducible_loss: float) -> float:
        """Return a time at which the reducible loss is provably below the given value."""
        if reducible_loss >= self.reducible_loss:
            return self.time
        if self.rate == 0.0 or reducible_loss <= 0.0:
            return math.inf
        return self.time + math.log(self.reducible_loss / reducible_loss) / (2.0 * self.rate)


def certify(p: Problem, w: Any) -> Certificate:
    """Collect what can be proved about the gradient flow started at given weights.

    Parameters
    ----------
    p
        The problem.
    w
        Weights in the coordinates of the data.

    Returns
    -------
    Certificate
        Bounds for every layer, a rate if there is one, and whether the limit is proved to be a
        global minimum; each hypothesis with its number.

    Raises
    ------
    DimensionError
        If the weights do not fit the problem.

    Notes
    -----
    Status: theorems (Spec 3.1-3.4; paper Lemma 1, Prop. 1, Remark 2), evaluated in floating point
    with margins; where the margin does not suffice a hypothesis is ``None``. Cost: symmetric
    eigenvalue problems of the hidden sizes.
    """
    target, metric = p.flow_data()
    return certify_reduced(p.reduce(w), target, metric, 0.0)


def certify_reduced(weights: Weights, target: Array, metric: Array, time: float) -> Certificate:
    """`certify` in reduced coordinates, for a point of a trajectory at flow time `time`."""
    bottleneck = min(*(weight.shape[0] for weight in weights), weights[0].shape[1])
    known = levels(target, bottleneck)
    error = float(np.linalg.norm(residual(weights, target, metric)))
    loss = 0.5 * error**2
    bounds = norm_bounds(weights, target, metric)
    alpha, first = initial_rate(weights, metric)
    kappa, second = later_rate(error, float(bounds[0]), target, metric, known)
    rate, rule = max((alpha, "remark-2"), (kappa, "anytime"))
    if rate <= 0.0:
        rate, rule = 0.0, "none"
    basin = decide(
        "basin: the loss is below every non-global critical value",
        known.basin - loss,
        0.0,
        f"reducible loss {loss:.6g}, next critical value {known.basin:.6g}",
        MARGIN * max(loss, known.basin if math.isfinite(known.basin) else 0.0),
    )
    certain = basin.holds is True or rate > 0.0
    learned = range(known.rank) if certain else range(known.guaranteed(loss))
    path = math.sqrt(2.0 * loss / rate) if rule == "anytime" else math.inf
    return Certificate(
        time=time,
        rule=rule,
        rate=rate,
        norm_bounds=bounds,
        converges_to_global=True if certain else None,
        guaranteed=tuple(learned),
        reducible_loss=loss,
        path_bound=path,
        hypotheses=(*first, *second, basin),
        message=_sentence(rule, rate, known, tuple(learned), certain),
    )


def _sentence(
    rule: str,
    rate: float,
    known: Levels,
    learned: tuple[int, ...],
    certain: bool,  # noqa: FBT001
) -> str:
    if rule == "none" and not certain and not learned:
        return "nothing beyond boundedness is proved at this point"
    parts = []
    if certain:
        parts.append("the limit is a global minimum")
    elif learned:
        parts.append(f"the first {len(learned)} of {known.rank} directions will be learned")
    if rate > 0.0:
        parts.append(f"the loss decays at least like exp(-2 x {rate:.3g} t) ({rule})")
    return "proved: " + "; ".join(parts)
