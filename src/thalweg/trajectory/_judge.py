"""From the way an integration ended to the limit that is reported."""

import dataclasses
import itertools

import numpy as np

from thalweg._core import Array, learned_words
from thalweg.certificate import levels
from thalweg.landscape import Polished, Verdict, classify_level, classify_reduced, polish_reduced
from thalweg.limit import Limit, close_tail
from thalweg.network import hessian_size
from thalweg.trajectory._decide import Ending
from thalweg.trajectory._exact import outlook
from thalweg.trajectory._path import Path

STABLE = 1e-10
"""Distance to a critical point, relative to the path, that counts as having arrived."""

LENGTHY = 10_000
"""Weights beyond which polishing a point that is no critical one takes longer than the run."""
ADVICE = "integrate longer (t_end=None runs until the limit is decided)"


def judge(path: Path, ending: Ending) -> Limit:
    """Name the limit of a path: certified, an exact saddle, or undecided.

    Parameters
    ----------
    path
        The trajectory.
    ending
        What stopped it.

    Returns
    -------
    Limit
        With verdict, weights and how it is known.
    """
    full = levels(path.problem.flow_data()[0], path.problem.max_rank)
    in_basin = bool(full.in_basin(float(path.pieces[-1].loss[-1])))
    if ending.jump is not None:
        inner, moved = path.conserving(ending.jump.weights), ending.jump.length
        weights = path.to_reduced(inner)
        verdict = classify_reduced(path.problem, weights)
        if in_basin:
            how = "basin certificate and closed tail"
            text = (
                "the loss fell below every other critical value, so the limit is a global minimum; "
                "the rest of the way was closed by Gauss-Newton"
            )
        else:
            how = "global minimum of the set that the start cannot leave"
            text = (
                f"the start has hidden rank {min(path.compression.dims)}, and the flow keeps it; "
                f"within that set the limit is the best fit, in the whole space a {_words(verdict)}"
            )
        return _limit(path, inner, moved, verdict, (in_basin, ending.tail_error, how, text))
    if ending.saddle is not None:
        return _at_saddle(path, ending.saddle)
    if ending.lost:
        point = path.compressed_at(float(path.pieces[-1].t[-1]))
        here = _undecided(path, point, ending.lost)
        return _limit(path, point, 0.0, here, (False, None, ending.how, ending.lost))
    return _at_horizon(path, in_basin)


def place(path: Path, ending: Ending) -> list[Array]:
    """Return the limit in the coordinates of the data if it is decided, else the last point."""
    if ending.jump is not None:
        inner = path.conserving(ending.jump.weights)
    elif ending.saddle is not None:
        inner = ending.saddle.weights
    else:
        inner = path.compressed_at(float(path.pieces[-1].t[-1]))
    return path.to_data(inner)


def _at_saddle(path: Path, saddle: Polished) -> Limit:
    """Name the saddle that the start's zeros, or its own gradient of zero, lead to."""
    moved = float(np.linalg.norm(_flat(saddle.weights) - path.pieces[-1].y[-1]))
    verdict = classify_reduced(path.problem, path.to_reduced(saddle.weights), saddle.moved)
    if sum(len(piece.t) - 1 for piece in path.pieces) == 0 and moved == 0.0:
        how = "exact critical start"
        text = f"the gradient vanishes at the start, which is a {_words(verdict)}"
    else:
        how = "zeros that the flow keeps"
        text = (
            "zeros of the start divide the network into parts that the flow never joins, and each "
            f"provably ends at its own best fit or at zero: together a {_words(verdict)}"
        )
    return _limit(path, saddle.weights, moved, verdict, (False, moved, how, text))


def _at_horizon(path: Path, in_basin: bool) -> Limit:  # noqa: FBT001
    """Say what can be said where the integration stopped."""
    problem, compression = path.problem, path.compression
    point = path.compressed_at(float(path.pieces[-1].t[-1]))
    if in_basin:
        known = levels(problem.flow_data()[0], problem.max_rank)
        jump = close_tail(point, compression.target, compression.metric, known.rank)
        if jump.converged:
            length, inner = jump.length, path.conserving(jump.weights)
            del jump, point  # large networks
            verdict = classify_reduced(problem, path.to_reduced(inner))
            text = (
                "the loss is below every other critical value, so the limit is a global minimum; "
                "its place is extrapolated from the last point"
            )
            how = "basin certificate, tail extrapolated"
            return _limit(path, inner, length, verdict, (True, None, how, text))
    if _still_far(path, point):
        return _open_end(path, point, in_basin=in_basin)
    near = polish_reduced(point, compression.target, compression.metric)
    flat = _flat(near.weights)
    travelled = max(piece.farthest(flat) for piece in path.pieces)
    verdict = classify_reduced(problem, path.to_reduced(near.weights), near.moved)
    arrived = near.moved <= STABLE * travelled and outlook(compression, point).decided
    if verdict.kind in {"strict_saddle", "non_strict_saddle"} and arrived:
        text = (
            f"at the last point the trajectory has arrived at a {_words(verdict)}, which zeros or "
            "low rank of the start keep it from leaving"
        )
        return _limit(
            path, near.weights, near.moved, verdict, (False, near.moved, "polished saddle", text)
        )
    if in_basin:
        return _open_end(path, point, in_basin=True)
    if verdict.kind in {"strict_saddle", "non_strict_saddle"}:
        text = (
            f"the last point is at distance {near.moved:.2g} from a {_words(verdict)}, perhaps "
            f"only a plateau (growth rate {near.escape_rate:.2g}); {ADVICE}"
        )
        here = _undecided(path, point, text)
        return _limit(path, point, 0.0, here, (False, None, "horizon", text))
    return _open_end(path, point, in_basin=False)


def _still_far(path: Path, point: list[Array]) -> bool:
    """Say whether a large network's gradient is too large for a critical point to be at hand.

    A gradient is at most the distance to a critical point times the largest curvature between, so
    polishing, which costs thousands of Hessian products there, could only confirm it.
    """
    dims = path.compression.dims
    if sum(a * b for a, b in itertools.pairwise(dims)) <= LENGTHY:
        return False
    travelled = max(piece.farthest(_flat(point)) for piece in path.pieces)
    curvature = hessian_size(point, path.compression.target, path.compression.metric)
    return bool(path.pieces[-1].gradient_norm[-1] > 2 * curvature * STABLE * travelled)


def _open_end(path: Path, point: list[Array], *, in_basin: bool) -> Limit:
    if in_basin:
        text = (
            "the loss is below every other critical value, so the limit is a global minimum, but "
            "it is still too far to say which one; integrate longer"
        )
        here = _undecided(path, point, text, kind="global_minimum")
        return _limit(path, point, 0.0, here, (True, None, "basin certificate", text))
    text = f"the run stopped before the limit was decided; {ADVICE}"
    return _limit(path, point, 0.0, _undecided(path, point, text), (False, None, "horizon", text))


def _undecided(path: Path, point: list[Array], text: str, kind: str = "undecided") -> Verdict:
    here = classify_level(path.problem, path.to_reduced(point))
    rule = "basin certificate" if kind == "global_minimum" else "horizon"
    return dataclasses.replace(here, kind=kind, rule=rule, message=text)


def _limit(
    path: Path,
    inner: list[Array],
    moved: float,
    verdict: Verdict,
    told: tuple[bool, float | None, str, str],
) -> Limit:
    certified, error, how, text = told
    return Limit(
        verdict=verdict,
        weights=tuple(path.to_data(inner)),
        polish_distance=moved,
        gradient_before=float(path.pieces[-1].gradient_norm[-1]),
        gradient_after=verdict.gradient_norm,
        certified=certified,
        tail_error=error,
        decided_by=how,
        message=text,
    )


def _words(verdict: Verdict) -> str:
    return f"{verdict.kind.replace('_', ' ')} with {learned_words(verdict.learned)}"


def _flat(weights: list[Array]) -> Array:
    return np.concatenate([item.ravel() for item in weights])
