"""Collecting what can be proved about the flow from given weights (Spec 3)."""

import dataclasses
import importlib
import importlib.util
import math
from typing import Any

import numpy as np

from thalweg._core import Array, MissingExtraError, Weights, as_weights
from thalweg.certificate._basin import Levels, levels
from thalweg.certificate._certificate import Certificate
from thalweg.certificate._hypothesis import MARGIN, Hypothesis, decide
from thalweg.certificate._initial_rate import InitialRate, initial_rate
from thalweg.certificate._later_rate import Point
from thalweg.certificate._lojasiewicz import worst_case_log10
from thalweg.certificate._norm_bounds import norm_bounds
from thalweg.certificate._step_size import safe_step
from thalweg.network import residual
from thalweg.problem import Problem

ROUNDS = 30
"""How often bounds on the layers and the path bound that follows from them are improved."""


def certify(p: Problem, w: Any, *, rigorous: bool = False, follow: bool = False) -> Certificate:
    """Collect what can be proved about the gradient flow started at given weights.

    Parameters
    ----------
    p
        The problem.
    w
        Weights ``[W_1, ..., W_L]`` in the coordinates of the data.
    rigorous
        Evaluate everything in ball arithmetic from the exact doubles (needs the extra
        ``rigorous``).
    follow
        Prove as well that the trajectory from `w` enters a certified region; implies `rigorous`.

    Returns
    -------
    Certificate
        Bounds for every layer, a rate if there is one, and whether the limit is proved to be a
        global minimum; each hypothesis with its number.

    Raises
    ------
    DimensionError
        If the weights do not fit the problem.
    MissingExtraError
        If `rigorous` is asked for and python-flint is not installed.

    Notes
    -----
    Status: theorems (Spec 3.1-3.4b; paper Lemma 1, Prop. 1, Remark 2; docs/certificates.md),
    evaluated in floating point with margins; where the margin does not suffice a hypothesis is
    ``None``. Cost: symmetric eigenvalue problems of the hidden sizes.

    Examples
    --------
    >>> import thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    >>> c = tw.certify(p, tw.init.exponential(p, rate=0.5))
    >>> c.rule, c.rate >= 0.5, c.pivot
    ('remark-2', True, 1)
    """
    if rigorous or follow:
        if importlib.util.find_spec("flint") is None:
            raise MissingExtraError(
                "rigorous=True needs python-flint, which is not installed; "
                "install it with pip install 'thalweg[rigorous]'"
            )
        rigor = importlib.import_module("thalweg.rigorous")
        proved: Certificate = rigor.certify_rigorous(p, w, follow=follow)
        return proved
    weights = as_weights(w, p.dims)
    return certify_reduced(p, p.reduce(weights), weights, 0.0)


@np.errstate(over="ignore", invalid="ignore")
def certify_reduced(p: Problem, weights: Weights, like: Weights, time: float) -> Certificate:
    """`certify` for a point of a trajectory.

    Parameters
    ----------
    p
        The problem.
    weights
        The point in reduced coordinates.
    like
        Weights in the coordinates of the data with the same frozen part of ``W_1``.
    time
        Flow time of the point.

    Returns
    -------
    Certificate
        About the flow from that point.
    """
    target, metric = p.flow_data()
    found = evidence(weights, target, metric)
    point, known, proved = found.point, found.point.known, found.proved
    certain = found.certain
    learned = tuple(range(known.rank if certain else known.guaranteed(point.loss)))
    return Certificate(
        time=time,
        rule=proved.rule,
        rate=proved.rate,
        pivot=found.first.pivot if proved.rule == "remark-2" else None,
        reducible_loss=point.loss,
        least_loss=point.least if proved.rule == "anytime" else 0.0,
        norm_bounds=_in_data_coordinates(p, weights, like, proved),
        flow_norm_bounds=proved.bounds,
        path_bound=proved.path,
        converges_to_global=True if certain else None,
        guaranteed=learned,
        hypotheses=(*found.first.hypotheses, *point.conditions(), found.basin),
        safe_step=safe_step(weights, target, metric),
        lojasiewicz_log10=worst_case_log10(len(weights), sum(item.size for item in weights)),
        message=_sentence(proved, known, learned, certain=certain),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proved:
    """The best rate with its rule, the path that it allows, and bounds on the layers."""

    rate: float
    rule: str
    path: float
    bounds: Array


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """What decides a certificate, in reduced coordinates."""

    point: Point
    first: InitialRate
    proved: Proved
    basin: Hypothesis

    @property
    def certain(self) -> bool:
        """Whether the limit is a global minimum."""
        return self.basin.holds is True or self.proved.rate > 0.0


def evidence(weights: Weights, target: Array, metric: Array) -> Evidence:
    """Evaluate every rule at a point."""
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    known = levels(target, min(dims))
    error = float(np.linalg.norm(residual(weights, target, metric)))
    point = Point(dims=dims, error=error, target=target, metric=metric, known=known)
    first = initial_rate(weights, metric)
    return Evidence(
        point=point,
        first=first,
        proved=_tightened(weights, point, first.rate),
        basin=_basin(known, point.loss),
    )


def _tightened(weights: Weights, point: Point, alpha: float) -> Proved:
    """Let bounds on the layers give a rate, the rate a path bound, and that better bounds."""
    now = np.array([np.linalg.norm(weight, 2) for weight in weights])
    bounds = norm_bounds(weights, point.target, point.metric)
    found = Proved(rate=0.0, rule="none", path=math.inf, bounds=bounds)
    for _ in range(ROUNDS):
        kappa = point.rate(bounds)
        rate, rule = max((alpha, "remark-2"), (kappa, "anytime"))
        if rate <= 0.0:
            break
        excess = point.loss - (point.least if rule == "anytime" else 0.0)
        excess = max(excess, 0.0) + MARGIN * point.loss
        path = math.sqrt(2.0 * excess / rate)
        tighter = np.minimum(bounds, (now + path) * (1.0 + 1e-12))
        settled = bool(np.all(tighter >= (1.0 - 1e-3) * bounds))
        bounds = tighter
        found = Proved(rate=rate, rule=rule, path=path, bounds=bounds)
        if settled:
            break
    return found


def _in_data_coordinates(p: Problem, weights: Weights, like: Weights, proved: Proved) -> Array:
    """Bound the layers as the user sees them.

    Only ``W_1`` differs in norm: the frozen part has orthogonal rows to the moving one, and
    whitening has multiplied the moving part by ``D`` (Spec 1.3, 1.4).
    """
    stretch = 1.0 if p.metric == "raw" else 1.0 / float(p.input_singular_values[-1])
    bounds = proved.bounds.copy()
    moving = stretch * bounds[0]
    whole = p.lift(weights, like=like)[0]
    frozen = float(np.linalg.norm(whole - p.lift(weights)[0], 2))
    by_path = float(np.linalg.norm(whole, 2)) + stretch * proved.path
    bounds[0] = min(math.hypot(moving, frozen), by_path) * (1.0 + 1e-12)
    return bounds


def _basin(known: Levels, loss: float) -> Hypothesis:
    scale = max(loss, known.basin if math.isfinite(known.basin) else 0.0)
    left = len(known.sigma) - known.rank
    dropped = f", {left} of {len(known.sigma)} directions left out" if left else ""
    return decide(
        "basin: the loss is below every non-global critical value",
        known.basin - loss,
        0.0,
        f"reducible loss {loss:.6g}, next critical value {known.basin:.6g}{dropped}",
        MARGIN * scale,
    )


def _sentence(proved: Proved, known: Levels, learned: tuple[int, ...], *, certain: bool) -> str:
    if proved.rule == "none" and not certain and not learned:
        return "nothing beyond boundedness is proved at this point"
    parts = []
    if certain:
        parts.append("the limit is a global minimum")
    elif learned:
        parts.append(f"the first {len(learned)} of {known.rank} directions will be learned")
    if proved.rate > 0.0:
        what = "the loss" if known.least == 0.0 else "the excess loss"
        parts.append(f"{what} decays at least like exp(-2 x {proved.rate:.3g} t) ({proved.rule})")
    return "proved: " + "; ".join(parts)
