"""The complete classification of critical points (Spec 4.3-4.7)."""

import dataclasses
from typing import Any

import numpy as np

from thalweg._core import Array, Weights, as_weights
from thalweg.landscape._cases import paper_case
from thalweg.landscape._classify_level import classify_level, gradient_scale
from thalweg.landscape._learned import Target
from thalweg.landscape._nearest import Nearest, nearest_critical
from thalweg.landscape._pivots import pivots
from thalweg.landscape._spectrum import hessian_spectrum
from thalweg.landscape._verdict import Verdict
from thalweg.landscape._witness import curvature, descent_curve, mixing_direction
from thalweg.network import end_to_end, gradient, unpack
from thalweg.problem import Problem

NEAR = 1e-6
"""Distance of the end-to-end map from ``T_S``, relative to the largest singular value."""
NEARBY = 1e-4
"""Relative distance of the exact critical point up to which its kind is the answer."""
DISTINCT = 1e-6
"""Relative gap between singular values below which they count as tied."""


def classify(p: Problem, w: Any) -> Verdict:
    """Say which kind of critical point given weights are, with the proof.

    Parameters
    ----------
    p
        The problem.
    w
        Weights in the coordinates of the data.

    Returns
    -------
    Verdict
        Kind, learned set, rule, pivots, and the witness: a direction of negative curvature at a
        strict saddle, a descent curve at a non-strict one. ``undecided`` where a rank has no clear
        gap or no witness was found.

    Raises
    ------
    DimensionError
        If the weights do not fit the problem.

    Notes
    -----
    Status: theorem at exact critical points with distinct positive singular values and
    ``d_y <= rank X`` (Spec 4.3; Achour, Malgouyres, Gerchinovitz 2024; paper Prop. 3, §4,
    Remark 3), evaluated with the tolerances of ``p.tolerance``. Elsewhere the Hessian's inertia
    decides, and the message says so (Spec 4.7).

    Examples
    --------
    >>> import numpy as np, thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))
    >>> v = tw.classify(p, [np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((2, 2))])
    >>> v.kind, v.paper_case, v.descent_curve.order
    ('non_strict_saddle', 'Case 1.2', 3)
    """
    return classify_reduced(p, p.reduce(as_weights(w, p.dims)))


def classify_reduced(p: Problem, weights: Weights) -> Verdict:
    """`classify` in reduced coordinates."""
    base = classify_level(p, weights)
    plain, metric = p.flow_data()
    target = Target.of(plain)
    scale = gradient_scale(plain, metric, p.depth)
    if base.kind in {"not_critical", "global_minimum"}:
        return base
    slope = gradient(weights, plain, metric)
    norm = float(np.sqrt(sum(float(np.sum(item**2)) for item in slope)))
    reason = _not_covered(target, plain.shape)
    if reason is not None:
        text = f"{base.message}; the general rule does not apply ({reason}), the inertia decides"
        return _proved(p, weights, dataclasses.replace(base, message=text))
    learned = base.learned
    near = target.distance(end_to_end(weights) * metric, learned)
    if near > NEAR * target.sigma[0] or norm > p.tolerance.critical * scale:
        text = f"the map is {near:.2g} away from any that a critical point can have"
        return dataclasses.replace(base, kind="undecided", rule="level", message=text)
    exact = nearest_critical(weights, metric, target, learned)
    if exact is not None and exact.relative > NEARBY:
        exact = None
    base = dataclasses.replace(
        base,
        distance=None if exact is None else exact.distance,
        paper_case=paper_case(p.depth, len(learned), None if exact is None else exact.ranks),
    )
    rank, top = len(learned), learned == tuple(range(len(learned)))
    if not top or rank == p.max_rank:
        rule = "a larger direction is unlearned"
        text = f"directions {learned} are learned, a larger one is not (Spec 4.3)"
        return _proved(
            p, weights, dataclasses.replace(base, kind="strict_saddle", rule=rule, message=text)
        )
    if exact is None:
        text = (
            f"no exact critical point whose ranks have a clear gap was found within {NEARBY:g} of "
            "the size of the weights; polish them first"
        )
        return dataclasses.replace(base, kind="undecided", rule="rank without a gap", message=text)
    found = pivots(exact.ranks, rank)
    loose = [item for item in found if not item.tightened]
    if loose:
        names = ", ".join(str(item.layers) for item in loose[:3])
        kind, rule = "strict_saddle", "pivot not tightened"
        text = f"pivot {names} has both ranks above {rank} (Spec 4.3)"
    else:
        kind, rule = "non_strict_saddle", "all pivots tightened"
        text = f"every one of {len(found)} pivots has a rank equal to {rank} (Spec 4.3)"
    text += f"; so at the exact critical point at distance {exact.distance:.2g}"
    return _proved(
        p,
        weights,
        dataclasses.replace(base, kind=kind, rule=rule, message=text, pivots=found),
        exact,
    )


def _not_covered(target: Target, shape: tuple[int, ...]) -> str | None:
    sigma = target.sigma
    if shape[0] > shape[1]:
        return f"d_y = {shape[0]} exceeds the {shape[1]} input directions that occur"
    if sigma[-1] <= 1e-10 * sigma[0]:
        return "a singular value is zero"
    if len(sigma) > 1 and np.min(-np.diff(sigma)) <= DISTINCT * sigma[0]:
        return "two singular values are equal"
    return None


def _proved(
    p: Problem, weights: Weights, verdict: Verdict, exact: Nearest | None = None
) -> Verdict:
    """Attach the witness; without one nothing is claimed."""
    plain, metric = p.flow_data()
    target = Target.of(plain)
    if verdict.kind == "strict_saddle":
        direction = _negative_direction(p, weights, verdict, target)
        if direction is not None:
            witness = tuple(p.lift(direction))
            norm = float(np.sqrt(sum(float(np.sum(item**2)) for item in witness)))
            line = p.line(p.lift(weights), [item / norm for item in witness])
            line[0] = 0.0
            return dataclasses.replace(
                verdict, witness=witness, line=line, curvature=2.0 * float(line[2])
            )
        text = f"{verdict.message}, but no direction of negative curvature was found"
        return dataclasses.replace(verdict, kind="undecided", message=text, witness=None)
    if verdict.kind == "non_strict_saddle":
        at = weights if exact is None else exact.weights
        curve = descent_curve(at, metric, target, verdict.learned)
        if curve is not None:
            lifted = tuple(p.lift(list(curve.direction)))
            curve = dataclasses.replace(curve, direction=lifted)
            return dataclasses.replace(verdict, descent_curve=curve)
        text = f"{verdict.message}, but no curve of descent was found"
        return dataclasses.replace(verdict, kind="undecided", message=text)
    return verdict


def _negative_direction(
    p: Problem, weights: Weights, verdict: Verdict, target: Target
) -> list[Array] | None:
    plain, metric = p.flow_data()
    known = mixing_direction(weights, metric, target, verdict.learned)
    scale = float(metric.max()) ** 2 * max(
        float(np.prod([np.linalg.norm(w, 2) for i, w in enumerate(weights) if i != j])) ** 2
        for j in range(len(weights))
    ) + float(target.sigma[0] * metric.max())
    for direction in (known, None):
        trial = direction
        if trial is None:
            spectrum = hessian_spectrum(weights, plain, metric, 1e-12)
            trial = unpack(spectrum.lowest, p.reduced.dims)
        if curvature(weights, trial, plain, metric) < -1e-12 * scale:
            return [item.copy() for item in trial]
    return None
