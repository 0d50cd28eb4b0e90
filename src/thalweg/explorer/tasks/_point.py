"""A critical point: construct it and say what it is."""

import dataclasses
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.landscape import classify, critical_point, kinds_of
from thalweg.problem import Problem

LINE = 81
"""Points of the curve of the loss along the witness."""


@dataclasses.dataclass(frozen=True)
class Point:
    """A critical point with the words that make it again.

    Attributes
    ----------
    weights
        The point, in the coordinates of the data.
    learned, kind, seed
        What it learned, which kind was asked for, and the seed.
    """

    weights: list[Array]
    learned: tuple[int, ...]
    kind: str | None
    seed: int

    def python(self, name: str = "w") -> str:
        """Return the line that makes it."""
        chosen = f"learned={self.learned}, kind={self.kind!r}, rng={self.seed}"
        return f"{name} = tw.critical_point(p, {chosen})"

    @property
    def directions(self) -> str:
        """What it learned, on the command line."""
        return ",".join(map(str, self.learned)) or "none"

    @property
    def text(self) -> str:
        """The whole point, on the command line."""
        kind = [] if self.kind is None else [self.kind]
        return ":".join([self.directions, *kind, *([str(self.seed)] if self.seed else [])])


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send verdict, spectrum and the loss along the witness."""
    made = inputs.source(arguments)
    point = construct(arguments, made.problem)
    weights = point.weights
    verdict = classify(made.problem, weights)
    emit("point", verdict=series.verdict_facts(verdict), norms=_norms(made.problem, weights))
    if verdict.falling is not None:
        emit("line", **_along(made.problem, weights, verdict.falling))
    lines = ["import thalweg as tw", made.python, point.python(), "print(tw.classify(p, w))"]
    kind = point.kind or kinds_of(made.problem, point.learned)[0]
    words = ["--sample", kind, "--learned", point.directions, "--seed", str(point.seed)]
    command = made.command("landscape", *words, "--out", "critical.npz")
    emit("snippet", python="\n".join(lines), command=command)


def construct(arguments: dict[str, Any], problem: Problem) -> Point:
    """Return the critical point that the page describes."""
    learned = inputs.learned_set(arguments.get("learned", []))
    kind = arguments.get("kind")
    kind = None if kind is None else str(kind)
    seed = inputs.whole(arguments.get("seed", 0), "seed", 0, 2**63)
    return Point(critical_point(problem, learned, kind, rng=seed), learned, kind, seed)


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
