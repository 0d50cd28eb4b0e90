"""A critical point: construct it and say what it is."""

import itertools
import shlex
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.landscape import Verdict, atlas, classify, critical_point
from thalweg.problem import Problem

LINE = 81
"""Points of the curve of the loss along the witness."""
SEARCHED = 1000
"""Levels in which the lowest of a kind is sought."""


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send verdict, spectrum and the loss along the witness."""
    made = inputs.source(arguments)
    weights, line = construct(arguments, made.problem)
    verdict = classify(made.problem, weights)
    emit("point", verdict=series.verdict_facts(verdict), norms=_norms(made.problem, weights))
    direction = falling(verdict)
    if direction is not None:
        emit("line", **_along(made.problem, weights, direction))
    lines = ["import thalweg as tw", made.python, line, "print(tw.classify(p, w))"]
    command = None
    if made.flags is not None and _first(made.problem, verdict):
        words = ["thalweg", "landscape", *made.flags, "--sample", verdict.kind]
        words += ["--seed", str(arguments.get("seed", 0)), "--out", "critical.npz"]
        command = shlex.join(words)
    emit("snippet", python="\n".join(lines), command=command)


def construct(arguments: dict[str, Any], problem: Problem) -> tuple[list[Array], str]:
    """Return the critical point that the page describes, and the line that makes it."""
    learned = inputs.learned_set(arguments.get("learned", []))
    kind = arguments.get("kind")
    kind = None if kind is None else str(kind)
    seed = inputs.whole(arguments.get("seed", 0), "seed", 0, 2**63)
    weights = critical_point(problem, learned, kind, rng=seed)
    return weights, f"w = tw.critical_point(p, learned={learned}, kind={kind!r}, rng={seed})"


def _first(problem: Problem, verdict: Verdict) -> bool:
    """Say whether the command line, which takes the lowest level of a kind, means this point."""
    lowest = itertools.islice(atlas(problem), SEARCHED)
    level = next((item for item in lowest if verdict.kind in item.kinds), None)
    return level is not None and level.learned == verdict.learned


def falling(verdict: Verdict) -> tuple[Array, ...] | None:
    """Return the direction in which the loss is known to fall."""
    curve = verdict.descent_curve
    return verdict.witness if curve is None else curve.direction


def _norms(problem: Problem, weights: list[Array]) -> list[float]:
    return [float(np.linalg.norm(item, 2)) for item in problem.reduce(weights)]


def _along(
    problem: Problem, weights: list[Array], direction: tuple[Array, ...]
) -> dict[str, Array]:
    polynomial = problem.line(weights, list(direction))
    reach = _reach(polynomial)
    t = np.linspace(-reach, reach, LINE)
    change = np.polynomial.polynomial.polyval(t, np.concatenate([[0.0], polynomial[1:]]))
    return {"t": t, "change": change, "polynomial": polynomial}


def _reach(polynomial: Array) -> float:
    """Return how far to draw: to the first turning point of the loss, and a half beyond."""
    slope = np.polynomial.polynomial.polyder(polynomial)
    roots = np.polynomial.polynomial.polyroots(np.trim_zeros(slope, "b"))
    real = roots[np.abs(roots.imag) < 1e-8 * (1 + np.abs(roots))].real
    turns = np.abs(real[np.abs(real) > 1e-6])
    return 1.5 * float(turns.min()) if turns.size else 1.0
