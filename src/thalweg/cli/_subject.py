"""What is to be learned: a table, or a target given by its singular values."""

import dataclasses
from typing import Any

from thalweg._core import DataError
from thalweg.cli._options import parse_numbers, parse_widths, split_names
from thalweg.cli._progress import Progress
from thalweg.data import inert
from thalweg.datasets import load_data
from thalweg.problem import Problem

DATA_ONLY = ("target", "y", "standardize", "center", "widths")
"""Options that mean nothing without samples, whatever they say."""
USUAL = {"metric": "raw", "loss": "sum"}
"""Options that mean nothing without samples, unless they say this."""


@dataclasses.dataclass(frozen=True)
class Subject:
    """A problem and where it comes from.

    Attributes
    ----------
    problem, name
        The problem, and what it is called in answers and names of folders.
    sampled
        Whether it comes from samples.
    row, notes
        What it is in words, as label and text; what was done to the numbers.
    document
        What it is, as JSON types, without the numbers of a table.
    """

    problem: Problem
    name: str
    sampled: bool
    row: tuple[str, str]
    notes: tuple[str, ...]
    document: dict[str, Any]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What is learned, and by which network, in words."""
        p = self.problem
        network = f"layers {'-'.join(map(str, p.dims))}, {p.loss_name} loss, {p.metric} flow"
        return [self.row, *(("note", note) for note in self.notes), ("network", network)]


def is_given(options: dict[str, Any]) -> bool:
    """Say whether the options name something to learn."""
    return any(options[name] is not None for name in ("data", "sigma", "dims"))


def load_subject(options: dict[str, Any], progress: Progress) -> Subject:
    """Load DATA, or take the target that --sigma and --dims describe.

    Raises
    ------
    DataError
        If both or neither were given, or they are not what they should be.
    DimensionError
        If sizes do not fit.
    """
    data, sigma, dims = (options[name] for name in ("data", "sigma", "dims"))
    if data is not None:
        if sigma is not None or dims is not None:
            other = "--sigma" if sigma is not None else "--dims"
            raise DataError(
                f"DATA {inert(data)!r} and {other} were both given; leave one out "
                "(hidden widths for data are --widths)"
            )
        return _table(options, progress)
    if sigma is None and dims is None:
        raise DataError(
            "nothing to learn was given; name DATA, a bundled set or a file, or describe a target "
            "like --sigma 3,2,1 --dims 4,4,4,3"
        )
    if dims is None:
        raise DataError(f"--sigma {inert(sigma)} needs --dims, all sizes of layers like 4,4,4,3")
    if sigma is None:
        raise DataError(f"--dims {inert(dims)} needs --sigma, singular values like 3,2,1, or DATA")
    return _target(options)


def _table(options: dict[str, Any], progress: Progress) -> Subject:
    data = load_data(
        options["data"],
        target=split_names(options["target"]),
        y=options["y"],
        standardize=options["standardize"],
        center=options["center"],
        onehot="auto",
        progress=progress.rows,
    )
    p = data.problem(
        parse_widths(options["widths"]), metric=options["metric"], loss=options["loss"]
    )
    shape = f"{p.n_samples} samples, {p.dims[0]} features, {p.dims[-1]} targets"
    return Subject(
        problem=p,
        name=data.name,
        sampled=True,
        row=("data", f"{data.name}: {shape}"),
        notes=tuple(data.notes),
        document=data.to_dict(),
    )


def _target(options: dict[str, Any]) -> Subject:
    beside = [name for name in DATA_ONLY if options[name]]
    beside += [name for name, usual in USUAL.items() if options[name] != usual]
    if beside:
        listed, one = ", ".join(f"--{name}" for name in beside), len(beside) == 1
        raise DataError(
            f"{listed} {'is' if one else 'are'} for data, and a target given by --sigma has none; "
            f"leave {'it' if one else 'them'} out (--dims has all layers)"
        )
    values = parse_numbers(options["sigma"], "--sigma", "3,2,1")
    if min(values) < 0.0:
        raise DataError(
            f"--sigma needs singular values, which are not negative, got {min(values):g}"
        )
    dims = parse_widths(options["dims"], "--dims", "4,4,4,3") or ()
    if len(dims) < 2:
        raise DataError("--dims needs at least two sizes, inputs and outputs, like 4,4,4,3")
    if len(values) > min(dims[0], dims[-1]):
        raise DataError(
            f"--sigma lists {len(values)} values, and a map from {dims[0]} inputs to {dims[-1]} "
            f"outputs has {min(dims[0], dims[-1])}; leave some out or change --dims"
        )
    p = Problem.from_target(values, dims=dims)
    shown = ", ".join(f"{value:g}" for value in values)
    return Subject(
        problem=p,
        name=f"target-{'-'.join(map(str, p.dims))}",
        sampled=False,
        row=("target", f"singular values {shown}; no samples, the unit vectors are the inputs"),
        notes=(),
        document={"type": "Target", "sigma": values, "dims": list(p.dims)},
    )
