"""From options to a problem and a start."""

import dataclasses
import difflib
import pathlib
from collections.abc import Callable
from typing import Any

from thalweg import init
from thalweg._core import Array, DataError
from thalweg.cli._options import parse_widths, split_names
from thalweg.cli._progress import Progress
from thalweg.data import WeightFile, inert, open_weights
from thalweg.datasets import Dataset, load_data
from thalweg.problem import Problem

STARTS = ("gaussian", "orthogonal", "balanced", "lambda_balanced", "exponential")
WORDS = {"lambda_balanced": "lam", "exponential": "rate"}
"""What the number after the colon means, where it is not the scale."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What was asked: data, problem, start."""

    data: Dataset
    problem: Problem
    start: list[Array]
    start_text: str
    seed: int | None
    start_notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The request in words."""
        p = self.problem
        shape = f"{p.n_samples} samples, {p.dims[0]} features, {p.dims[-1]} targets"
        return [
            ("data", f"{self.data.name}: {shape}"),
            *(("note", note) for note in self.data.notes),
            (
                "network",
                f"layers {'-'.join(map(str, p.dims))}, {p.loss_name} loss, {p.metric} flow",
            ),
            *self.start_rows,
        ]

    @property
    def start_rows(self) -> list[tuple[str, str]]:
        """The start in words."""
        return [("start", self.start_text), *(("note", note) for note in self.start_notes)]

    @property
    def start_document(self) -> dict[str, Any]:
        """The start as JSON types, without its numbers."""
        return {"kind": self.start_text, "seed": self.seed, "notes": list(self.start_notes)}


def load_problem(options: dict[str, Any], progress: Progress) -> tuple[Dataset, Problem]:
    """Load the data and set up the problem."""
    data = load_data(
        options["data"],
        target=split_names(options["target"]),
        y=options["y"],
        standardize=options["standardize"],
        center=options["center"],
        onehot="auto",
        progress=progress.rows,
    )
    problem = data.problem(
        parse_widths(options["widths"]), metric=options["metric"], loss=options["loss"]
    )
    return data, problem


def build(options: dict[str, Any], progress: Progress) -> Request:
    """Load the data, set up the problem and make the start."""
    data, problem = load_problem(options, progress)
    if options.get("weights"):
        found = read_weights(options["weights"], problem)
        text = f"weights from {found.path}"
        return Request(data, problem, found.weights, text, None, found.notes)
    maker, text = parse_start(options["init"])
    seed = int(options["seed"])
    return Request(data, problem, maker(problem, seed), f"{text}, seed {seed}", seed)


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


def check_writable(folder: pathlib.Path) -> None:
    """Make sure before computing that results can be written to a folder.

    Raises
    ------
    DataError
        If they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".thalweg-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DataError(
            f"cannot write to {inert(folder)}: {error.strerror or error}; choose another --out"
        ) from None
