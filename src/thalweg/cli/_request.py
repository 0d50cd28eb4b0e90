"""From options to a problem and a start."""

import dataclasses
import difflib
import pathlib
from collections.abc import Callable
from typing import Any

from thalweg import init
from thalweg._core import Array, DataError, as_weights
from thalweg.cli._options import parse_widths, split_names
from thalweg.cli._progress import Progress
from thalweg.data import inert, read_arrays
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
            ("start", self.start_text),
        ]


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
        path = pathlib.Path(options["weights"])
        return Request(data, problem, read_weights(path, problem), f"weights from {path}", None)
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


def read_weights(path: pathlib.Path, problem: Problem) -> list[Array]:
    """Read ``W1, W2, ...`` from an ``.npz`` file.

    Raises
    ------
    DataError
        If the file or a key is missing.
    """
    if not path.is_file():
        raise DataError(f"{inert(path)} does not exist; give an .npz file with keys W1, W2, ...")
    arrays = read_arrays(path)
    wanted = [f"W{j + 1}" for j in range(problem.depth)]
    missing = [name for name in wanted if name not in arrays]
    if missing:
        held = ", ".join(inert(name, 24) for name in list(arrays)[:8]) or "nothing"
        raise DataError(f"{inert(path.name)} holds {held}; the keys {', '.join(wanted)} are needed")
    return as_weights([arrays[name] for name in wanted], problem.dims, "weights")


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
