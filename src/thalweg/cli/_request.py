"""From options to a problem and a start."""

import dataclasses
import difflib
import pathlib
from collections.abc import Callable
from typing import Any

from thalweg import init
from thalweg._core import Array, DataError
from thalweg.cli._progress import Progress
from thalweg.cli._subject import Subject, load_subject
from thalweg.data import WeightFile, inert, open_weights
from thalweg.problem import Problem

STARTS = ("gaussian", "orthogonal", "balanced", "lambda_balanced", "exponential")
WORDS = {"lambda_balanced": "lam", "exponential": "rate"}
"""What the number after the colon means, where it is not the scale."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What was asked: something to learn, and a start."""

    subject: Subject
    start: list[Array]
    start_text: str
    seed: int | None
    start_notes: tuple[str, ...] = ()

    @property
    def problem(self) -> Problem:
        """The problem."""
        return self.subject.problem

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The request in words."""
        return [*self.subject.rows, *self.start_rows]

    @property
    def start_rows(self) -> list[tuple[str, str]]:
        """The start in words."""
        return [("start", self.start_text), *(("note", note) for note in self.start_notes)]

    @property
    def start_document(self) -> dict[str, Any]:
        """The start as JSON types, without its numbers."""
        return {"kind": self.start_text, "seed": self.seed, "notes": list(self.start_notes)}


def build(options: dict[str, Any], progress: Progress) -> Request:
    """Load what is to be learned, set up the problem and make the start."""
    subject = load_subject(options, progress)
    problem = subject.problem
    if options.get("weights"):
        found = read_weights(options["weights"], problem)
        text = f"weights from {found.path}"
        return Request(subject, found.weights, text, None, found.notes)
    maker, text = parse_start(options["init"])
    seed = int(options["seed"])
    return Request(subject, maker(problem, seed), f"{text}, seed {seed}", seed)


def parse_start(text: str) -> tuple[Callable[[Problem, int], list[Array]], str]:
    """Return a maker of starts from ``KIND`` or ``KIND:SCALE``.

    Raises
    ------
    DataError
        If the kind is unknown or the scale is no number.
    """
    kind, _, number = str(text).partition(":")
    if kind not in STARTS:
        near = difflib.get_close_matches(kind, STARTS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(STARTS)}"
        raise DataError(f"--init {inert(kind)!r} is unknown; {hint}")
    arguments: list[float] = []
    if number:
        try:
            arguments = [float(number)]
        except ValueError:
            raise DataError(
                f"--init {kind} needs a number after the colon, got {inert(number)!r}"
            ) from None
    make = getattr(init, kind)
    word = WORDS.get(kind, "scale")
    shown = f"{kind}, {word} {arguments[0]:g}" if arguments else kind
    return lambda problem, seed: make(problem, *arguments, rng=seed), shown


def read_weights(path: str | pathlib.Path, problem: Problem) -> WeightFile:
    """Read weights that fit a problem from a file; see `thalweg.data.open_weights`."""
    return open_weights(path, problem.dims)
