"""The complete classification of critical points (Spec 4.3-4.7)."""

import dataclasses
from typing import Any

import numpy as np

from thalweg._core import Weights, as_weights, median
from thalweg.landscape._cases import paper_case
from thalweg.landscape._classify_level import Examined, examine
from thalweg.landscape._escape import Filling, fill
from thalweg.landscape._nearest import GAP, Nearest, nearest_critical
from thalweg.landscape._pivots import pivots
from thalweg.landscape._polishing import polish_reduced
from thalweg.landscape._search import search_descent
from thalweg.landscape._strata import stratum_dimension
from thalweg.landscape._strings import strings_of_ranks
from thalweg.landscape._verdict import Verdict
from thalweg.landscape._witness import descent_curve, falling_line, mixing_direction
from thalweg.network import unpack
from thalweg.problem import Problem

NEAR = 1e-6
"""Distance of the end-to-end map from ``T_S``, relative to the largest singular value."""
NEARBY = 1e-4
"""Relative distance of the exact critical point up to which its kind is the answer."""
STRAY = 1e-2
"""Relative distance beyond which polishing has left the neighbourhood."""


def classify(p: Problem, w: Any, *, polish: bool = False) -> Verdict:
    """Say which kind of critical point given weights are, with the proof.

    Parameters
    ----------
    p
        The problem.
    w
        Weights in the coordinates of the data.
    polish
        Move to a critical point next to the weights first, by least-norm Newton steps on the
        gradient (Spec 4.8); the verdict's message says how far that was.

    Returns
    -------
    Verdict
        Kind, learned set, rule, pivots, and the witness: a direction of negative curvature at a
        strict saddle, a descent curve at a non-strict one. ``undecided`` where a rank has no clear
        gap or rounding hides the witness.

    Raises
    ------
    DimensionError
        If the weights do not fit the problem.

    Notes
    -----
    Status: theorem at exact critical points with distinct positive singular values and
    ``d_y <= rank X`` (Spec 4.3; Achour, Malgouyres, Gerchinovitz 2024; paper Prop. 3, §4,
    Remark 3), evaluated with the tolerances of ``p.tolerance``. The ranks are those of an exact
    critical point that is constructed next to the weights; ``distance`` says how near. Elsewhere
    the Hessian's inertia decides, and the message says so (Spec 4.7).

    Examples
    --------
    >>> import numpy as np, thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))
    >>> v = tw.classify(p, [np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((2, 2))])
    >>> v.kind, v.paper_case, v.descent_curve.order
    ('non_strict_saddle', 'Case 1.2', 3)
    """
    weights = p.reduce(as_weights(w, p.dims))
    if not polish:
        return classify_reduced(p, weights)
    plain, metric = p.flow_data()
    moved = polish_reduced(weights, plain, metric)
    verdict = classify_reduced(p, moved.weights, moved.moved)
    top = float(np.linalg.norm(plain, 2)) / median(metric)
    size = max(top ** (1.0 / p.depth), *(float(np.linalg.norm(item, 2)) for item in weights))
    text = (
        f"{verdict.message}; polishing moved {moved.moved:.2g} and the gradient from "
        f"{moved.gradient_before:.2g} to {moved.gradient_after:.2g}"
    )
    if moved.moved > STRAY * size and verdict.kind != "not_critical":
        text = f"polishing left the neighbourhood; what it found: {verdict.kind}, {text}"
        return dataclasses.replace(verdict, kind="undecided", rule="polishing", message=text)
    return dataclasses.replace(verdict, message=text)


def classify_reduced(p: Problem, weights: Weights, moved: float = 0.0) -> Verdict:
    """`classify` in reduced coordinates, for weights that have been moved so far by polishing."""
    at = examine(p, weights)
    base, target = at.verdict, at.target
    if base.kind in {"not_critical", "global_minimum"} or base.rule == "rounding":
        return base
    near = target.distance(at.product, base.learned)
    if near > NEAR * target.sigma[0]:
        text = f"the map is {near:.2g} away from any that a critical point can have"
        return dataclasses.replace(base, kind="undecided", rule="level", message=text)
    missing = _not_covered(p, at)
    if missing is not None:
        text = f"{base.message}; the general rule does not apply ({missing}), the inertia decides"
        exact = _exact(at, moved) if "equal" in missing else None
        return _proved(p, at, dataclasses.replace(base, message=text), exact)
    exact = _exact(at, moved)
    if exact is not None:
        frozen = p.n_parameters - p.reduced.n_parameters
        strings = strings_of_ranks(exact.ranks)
        base = dataclasses.replace(
            base,
            distance=exact.distance,
            stratum_dimension=frozen
            + stratum_dimension(p.reduced.dims, len(base.learned), strings),
            nearest=tuple(p.lift(exact.weights)),
            paper_case=paper_case(p.depth, len(base.learned), exact.ranks),
        )
    # The rules of Spec 4.3.
    rank, top = len(base.learned), base.learned == tuple(range(len(base.learned)))
    if not top or rank == p.max_rank:
        text = f"directions {base.learned} are learned, a larger one is not"
        rule = "a larger direction is unlearned"
        verdict = dataclasses.replace(base, kind="strict_saddle", rule=rule, message=text)
        return _proved(p, at, verdict, exact)
    if exact is None:
        text = _no_gap(at, moved)
        return dataclasses.replace(base, kind="undecided", rule="rank without a gap", message=text)
    found = pivots(exact.ranks, rank)
    loose = [item for item in found if not item.tightened]
    if loose:
        names = ", ".join(str(item.layers) for item in loose[:3])
        kind, rule = "strict_saddle", "pivot not tightened"
        text = f"pivot {names} has both ranks above {rank}"
    else:
        kind, rule = "non_strict_saddle", "all pivots tightened"
        text = f"every one of {len(found)} pivots has a rank equal to {rank}"
    text += f"; so at the exact critical point at distance {exact.distance:.2g}"
    verdict = dataclasses.replace(base, kind=kind, rule=rule, message=text, pivots=found)
    return _proved(p, at, verdict, exact)


def _not_covered(p: Problem, at: Examined) -> str | None:
    sigma, (d_y, k) = at.target.sigma, at.plain.shape
    if d_y > k:
        return f"d_y = {d_y} exceeds the {k} input directions that occur"
    if p.target_rank < len(sigma):
        return f"{len(sigma) - p.target_rank} of {len(sigma)} singular values are zero"
    if len(at.target.clusters) < len(sigma):
        return f"some singular values are equal to {p.tolerance.gap:g} of the largest"
    return None


def _exact(at: Examined, moved: float) -> Nearest | None:
    """Return the exact critical point nearby if its ranks are clear."""
    found = nearest_critical(at.weights, at.metric, at.target, at.verdict.learned, moved)
    return found if found is not None and found.clear and found.relative <= NEARBY else None


def _no_gap(at: Examined, moved: float) -> str:
    found = nearest_critical(at.weights, at.metric, at.target, at.verdict.learned, moved)
    advice = "" if moved else "; polish the weights first"
    if found is None:
        return f"no exact critical point with this learned set was found nearby{advice}"
    return (
        f"the exact critical point at relative distance {found.relative:.2g} keeps singular values "
        f"down to {found.kept:.2g}; they must be {GAP:g} times the distance, and that at most "
        f"{NEARBY:g}, for the ranks to be clear{advice}"
    )


def _proved(p: Problem, at: Examined, verdict: Verdict, exact: Nearest | None) -> Verdict:
    """Attach the witness; without one nothing is claimed."""
    filling = None if exact is None else fill(exact)
    if verdict.kind == "strict_saddle":
        return _with_direction(p, at, verdict, exact, filling)
    if verdict.kind == "non_strict_saddle":
        curve = None
        if exact is not None and filling is not None and len(filling.layers) > 2:
            curve = descent_curve(exact, filling, at.target, at.metric)
        elif exact is None:
            curve = search_descent(at.weights, at.metric, at.target, verdict.learned)
        if curve is not None:
            lifted = tuple(p.lift(list(curve.direction)))
            curve = dataclasses.replace(curve, direction=lifted)
            return dataclasses.replace(verdict, descent_curve=curve)
        text = f"{verdict.message}, but no curve of descent was found beyond rounding"
        return dataclasses.replace(verdict, kind="undecided", message=text)
    return verdict


def _with_direction(
    p: Problem, at: Examined, verdict: Verdict, exact: Nearest | None, filling: Filling | None
) -> Verdict:
    trials = [mixing_direction(at.weights, at.metric, at.target, verdict.learned)]
    if exact is not None and filling is not None and len(filling.layers) == 2:
        trials.append(exact.split.direction(filling.blocks))
    if at.spectrum is not None:
        trials.append(unpack(at.spectrum.lowest, p.reduced.dims))
    for trial in trials:
        if trial is None:
            continue
        direction = p.lift([item.copy() for item in trial])
        norm = np.sqrt(sum(float(np.sum(item**2)) for item in direction))
        unit = [item / norm for item in direction]
        line = falling_line(at.weights, p.reduce(unit), at.plain, at.metric)
        if line is not None:
            return dataclasses.replace(
                verdict, witness=tuple(unit), curvature=2.0 * float(line[2]), line=line
            )
    text = f"{verdict.message}, but no direction of negative curvature was found beyond rounding"
    return dataclasses.replace(verdict, kind="undecided", message=text, witness=None)
