"""The section on the landscape: which levels there are, what the limit is, and what proves it."""

from typing import Any

from thalweg._core import UPPER, learned_words, number
from thalweg.landscape import Atlas, Verdict, atlas
from thalweg.report._answer import KINDS
from thalweg.report._meaning import DECIDED
from thalweg.trajectory import Trajectory

SHOWN = 8
"""Levels in the table."""


def landscape(run: Trajectory) -> dict[str, Any]:
    """Return what the section shows, in words and numbers."""
    levels, verdict = atlas(run.problem), run.limit.verdict
    settled = verdict.kind not in {"undecided", "not_critical"}
    return {
        "intro": _intro(levels, run),
        "levels": _levels(levels),
        "more": max(0, levels.n_levels - SHOWN),
        "verdict": _verdict(verdict) if settled else None,
        "pivots": [
            {
                "layers": f"{pivot.layers[0]} and {pivot.layers[1]}",
                "between": pivot.rank_between,
                "around": pivot.rank_around,
                "tight": "closed" if pivot.tightened else "open",
            }
            for pivot in verdict.pivots
        ],
        "rank": verdict.rank,
        "proof": _proof(verdict) if settled else None,
        "captions": {"atlas": _path(run), "verdict": _picture(verdict)},
    }


def _intro(levels: Atlas, run: Trajectory) -> str:
    if run.problem.depth == 1:
        return (
            "A network of one layer has no saddles: wherever the gradient vanishes, the fit is the "
            "best there is."
        )
    total = "one level" if levels.n_levels == 1 else f"{levels.n_levels:,} levels"
    text = (
        "Wherever the gradient vanishes, the network has learned some directions of the target "
        "completely and the others not at all. So there are only "
        f"{total.replace(',', chr(0xA0))} of the loss at which the flow can stand still. The "
        "lowest is that of the global minima; every other belongs to saddles, near which there are "
        "always weights with a smaller loss. A saddle is strict if some direction leads down at "
        "second order, as from a mountain pass, and non-strict if the fall only begins at a higher "
        "order."
    )
    if not levels.complete:
        text += (
            " Here some strengths are equal or zero, so that whole families of saddles share a "
            "level, and the kinds named are those of the general rule."
        )
    return text


def _levels(levels: Atlas) -> list[dict[str, str]]:
    return [
        {
            "loss": number(level.loss, 5),
            "learned": learned_words(level.learned),
            "kinds": " and ".join(KINDS[kind].removeprefix("a ") for kind in level.kinds),
            "dimension": " and ".join(
                "unknown" if size is None else str(size) for size in level.dimensions
            ),
        }
        for level in levels.lowest(SHOWN)
    ]


def _verdict(verdict: Verdict) -> str:
    reason = DECIDED.get(verdict.rule, f"Decided by: {verdict.rule}.")
    named = f" The article calls it “{verdict.paper_case}”." if verdict.paper_case else ""
    what = f"The limit is {KINDS[verdict.kind]}, with {learned_words(verdict.learned)}."
    return f"{what} {reason}{named}"


def _proof(verdict: Verdict) -> str:
    """Return in words what proves the verdict and can be checked by anyone."""
    curve = verdict.descent_curve
    if curve is not None:
        leading = number(float(curve.polynomial[curve.order]))
        return (
            "No direction leads down at second order, yet the point is not a minimum: along a "
            f"straight line that was found the loss changes by {leading}·t"
            f"{str(curve.order).translate(UPPER)} for small steps t. That is a fall, of order "
            f"{curve.order}: so slow at first that it takes long to leave such a point."
        )
    if verdict.kind == "strict_saddle" and verdict.curvature is not None:
        return (
            "A direction was found in which the loss bends down: for small steps t of unit length "
            f"along it, the loss changes by {number(0.5 * verdict.curvature)}·t² "
            f"(curvature {number(verdict.curvature)}). The point is no minimum, and weights that "
            "are moved a little along it never come back."
        )
    if verdict.kind == "global_minimum":
        return "Nothing has to be proved about directions here: the loss cannot be lower anywhere."
    return "How the loss falls from here was not computed."


def _path(run: Trajectory) -> str:
    text = (
        "Each point is a set of learned directions, named beside it; its height is the loss that "
        "is left. A thin line joins two sets that differ by one direction."
    )
    verdict = run.limit.verdict
    settled = verdict.kind not in {"undecided", "not_critical"}
    passed = [plateau.learned for plateau in run.plateaus]
    if settled and passed and passed[-1] == verdict.learned:
        passed.pop()
    stops = [learned_words(learned) for learned in passed]
    if stops and settled:
        end = f"from there to the limit ({learned_words(verdict.learned)})"
        text += f" Thick: the path of this run, past {'; '.join(stops)}; {end}."
    elif stops:
        text += f" Thick: the path of this run so far, past {'; '.join(stops)}."
    elif settled:
        text += " The ring is the limit of this run, which lingered at none of the others."
    return text


def _picture(verdict: Verdict) -> str:
    parts = []
    if verdict.descent_curve is not None or verdict.line is not None:
        parts.append(
            "The loss along that line, computed exactly, and the leading power of its fall."
        )
    if verdict.descent_curve is not None:
        parts.append("On logarithmic scales the order of the fall is the slope.")
    if verdict.inertia is not None:
        down, flat, up = verdict.inertia
        parts.append(
            f"Of {down + flat + up} independent directions {down} bend down, {flat} are flat and "
            f"{up} bend up."
        )
        if verdict.kind == "global_minimum" and flat:
            parts.append(
                "The flat ones are changes of the layers that leave the network's map as it is."
            )
    return " ".join(parts)
