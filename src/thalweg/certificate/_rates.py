"""Exponential rates that can be proved (Spec 3.2, 3.3)."""

import dataclasses
import itertools

import numpy as np

from thalweg._core import EPS, Array, Result, Weights
from thalweg.certificate._basin import MARGIN, Levels
from thalweg.conserved import imbalance


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Hypothesis(Result):
    """One condition of a theorem: ``holds`` is ``None`` where floating point cannot decide."""

    name: str
    holds: bool | None
    value: float
    threshold: float
    message: str


def decide(name: str, value: float, threshold: float, message: str, slack: float) -> Hypothesis:
    """Decide ``value > threshold``, or leave it undecided within `slack`."""
    holds: bool | None = value > threshold
    if abs(value - threshold) <= slack:
        holds = None
    return Hypothesis(name=name, holds=holds, value=value, threshold=threshold, message=message)


def initial_rate(weights: Weights, metric: Array) -> tuple[float, list[Hypothesis]]:
    r"""Evaluate Remark 2: a rate from the start's conserved matrices alone.

    If ``d_1 >= ... >= d_H >= d_y`` and every ``C_j`` has at least ``d_{j+1}`` positive
    eigenvalues, then ``||M(t)||^2 <= ||M(0)||^2 exp(-2 alpha t)`` with
    ``alpha = sigma_min(D)^2 * prod_j lambda_{d_j - d_{j+1} + 1}(C_j)``, ascending order.

    Parameters
    ----------
    weights, metric
        Start and diagonal metric in reduced coordinates.

    Returns
    -------
    tuple
        ``alpha`` (0 if a hypothesis is not decided in favour) and the hypotheses.

    Notes
    -----
    Status: theorem (Spec 3.2; paper Remark 2 with the product that its proof gives).
    """
    widths = [weight.shape[0] for weight in weights]
    falling = min((a - b for a, b in itertools.pairwise(widths)), default=0)
    hypotheses = [
        Hypothesis(
            name="remark-2: widths never grow",
            holds=falling >= 0,
            value=float(falling),
            threshold=0.0,
            message=f"layer sizes after the input are {widths}",
        )
    ]
    alpha = float(metric.min()) ** 2
    for j, c in enumerate(imbalance(weights)):
        values = np.linalg.eigvalsh(c)
        index = widths[j] - widths[j + 1]
        value = float(values[index]) if index >= 0 else 0.0
        scale = float(np.linalg.norm(weights[j], 2) ** 2 + np.linalg.norm(weights[j + 1], 2) ** 2)
        hypotheses.append(
            decide(
                f"remark-2: C_{j + 1} has {widths[j + 1]} positive eigenvalues",
                value,
                0.0,
                f"its {widths[j + 1]}-th largest eigenvalue is {value:.3g}",
                16 * len(values) * EPS * scale,
            )
        )
        alpha *= max(value, 0.0)
    sure = all(item.holds is True for item in hypotheses)
    return (alpha * (1.0 - MARGIN) if sure else 0.0), hypotheses


def later_rate(
    error: float, sup_first: float, target: Array, metric: Array, known: Levels
) -> tuple[float, list[Hypothesis]]:
    """Evaluate the anytime certificate at a computed point.

    If no layer is narrower than ``d_y``, the target has ``d_y`` positive singular values and
    ``||M||_F`` is below the smallest of them, then the loss decays at least like
    ``exp(-2 kappa t)``, ``kappa = (sigma_min - ||M||)^2 c / sup ||W_1||^2`` with
    ``c = sigma_min(D)^2 / ||D||^2``.

    Parameters
    ----------
    error
        ``||M||_F`` at the point.
    sup_first
        Bound on ``||W_1||_2`` for all later times.
    target, metric, known
        The problem and its levels.

    Returns
    -------
    tuple
        ``kappa`` (0 if a hypothesis fails) and the hypotheses.

    Notes
    -----
    Status: theorem (Spec 3.3) about the flow restarted at the computed point.
    """
    d_y = target.shape[0]
    smallest = float(known.sigma[d_y - 1]) if len(known.sigma) >= d_y else 0.0
    full = known.rank >= d_y
    hypotheses = [
        Hypothesis(
            name="anytime: every direction can be learned",
            holds=full,
            value=float(known.rank),
            threshold=float(d_y),
            message=f"{known.rank} of {d_y} target directions are nonzero and fit the bottleneck",
        ),
        decide(
            "anytime: the error is below the smallest singular value",
            smallest - error,
            0.0,
            f"||M|| = {error:.4g}, smallest singular value {smallest:.4g}",
            MARGIN * max(smallest, error),
        ),
    ]
    if not (full and hypotheses[1].holds):
        return 0.0, hypotheses
    ratio = float(metric.min() / metric.max()) ** 2
    kappa = (smallest - error) ** 2 * ratio / sup_first**2
    return kappa * (1.0 - MARGIN), hypotheses
