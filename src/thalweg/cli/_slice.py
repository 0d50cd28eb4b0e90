"""`thalweg slice`: the loss on a plane through critical points, and runs let go on it."""

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from thalweg._core import DataError, learned_words
from thalweg.cli._analyze import exit_code
from thalweg.cli._files import check_writable, write_all, write_picture
from thalweg.cli._options import (
    data_options,
    general_options,
    out_option,
    parse_numbers,
    problem_options,
)
from thalweg.cli._output import say, tell, tell_json, tell_rows
from thalweg.cli._points import Point, parse_point
from thalweg.cli._progress import Progress
from thalweg.cli._subject import Subject, load_subject
from thalweg.data import inert
from thalweg.landscape import Projection, Slice, plane_slice
from thalweg.trajectory import Trajectory, flow, save_archive

RESOLUTION = 61
LARGEST = 2001
"""Grid points along an axis."""


@dataclasses.dataclass(frozen=True)
class Dropped:
    """A flow from a point of the plane, and its projection."""

    x: float
    y: float
    run: Trajectory
    path: Projection


@click.command("slice")
@data_options
@problem_options
@click.option("--a", "a", metavar="POINT", required=True, help="The origin of the plane.")
@click.option("--b", "b", metavar="POINT", required=True, help="Where its first axis leads.")
@click.option(
    "--toward",
    metavar="POINT",
    help="Where its second axis leads; default: the way the loss falls at A, else at B.",
)
@click.option(
    "--resolution",
    type=click.IntRange(2, LARGEST),
    default=RESOLUTION,
    show_default=True,
    help="Grid points along each axis.",
)
@click.option("--drop", metavar="X,Y", help="Follow the flow from this point of the plane.")
@out_option("Folder for plane.svg, plane.npz and, with --drop, run.npz.")
@general_options
def command(**options: Any) -> int:
    """Evaluate the loss of DATA on a plane through two critical points.

    DATA is given as for `thalweg analyze`. A POINT is LEARNED[:KIND][:SEED]: directions counted
    from 0 with commas between, or none; then, if wanted, the kind, else the first that occurs
    there; then the seed, else 0. So 0,1 and none:2 and 0:non_strict_saddle:3.
    """
    named = {
        name: parse_point(options[name], f"--{name}")
        for name in ("a", "b", "toward")
        if options[name] is not None
    }
    start = None if options["drop"] is None else _parse_drop(options["drop"])
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        subject = load_subject(options, progress)
        folder = options["out"]
        if folder is not None:
            check_writable(folder)
        plane = _plane(subject, named, options["resolution"])
        dropped = None
        if start is not None:
            run = flow(subject.problem, plane.weights_at(*start), progress=progress.flow)
            dropped = Dropped(*start, run, plane.trace(run))
        progress.show("drawing the plane")
        tasks = [] if folder is None else _tasks(plane, dropped, folder)
        files, trouble = write_all(tasks)
    if options["as_json"]:
        tell_json(_document(subject, named, plane, dropped))
    else:
        tell_rows([*subject.rows, *_words(named, plane)])
        if dropped is not None:
            tell("")
            tell_rows(_ending(dropped))
        for file in files:
            tell(str(file))
    for text in trouble:
        say(f"thalweg: error: {text}")
    return (0 if dropped is None else exit_code(dropped.run)) or (2 if trouble else 0)


def _parse_drop(text: str) -> tuple[float, float]:
    values = parse_numbers(text, "--drop", "0.5,1")
    if len(values) != 2:
        raise DataError(f"--drop needs two coordinates X,Y like 0.5,1, got {inert(text)!r}")
    return values[0], values[1]


def _plane(subject: Subject, named: dict[str, Point], resolution: int) -> Slice:
    points: dict[str, Any] = {name: point.weights(subject.problem) for name, point in named.items()}
    return plane_slice(subject.problem, **points, resolution=resolution)


def _tasks(plane: Slice, dropped: Dropped | None, folder: Path) -> list[Any]:
    """Return what writes the files."""
    runs = [] if dropped is None else [dropped.run]
    arrays = {name: getattr(plane, name) for name in ("x", "y", "reducible_loss", "loss")}
    arrays["marks"] = np.column_stack([plane.marks.x, plane.marks.y])
    verdicts = [verdict.to_dict() for verdict in plane.verdicts]
    tasks: list[Any] = [
        partial(write_picture, plane.plot(runs=runs), folder / "plane.svg"),
        partial(save_archive, folder / "plane.npz", arrays, {"verdicts": verdicts}),
    ]
    return tasks + [partial(run.save, folder / "run.npz") for run in runs]


def _words(named: dict[str, Point], plane: Slice) -> list[tuple[str, str]]:
    """Return the marked points and the extent of the plane in words."""
    marks = plane.marks
    rows = []
    for name, x, y, verdict in zip(named, marks.x, marks.y, plane.verdicts, strict=True):
        what = f"{verdict.kind.replace('_', ' ')}, {learned_words(verdict.learned)}"
        rows.append((name, f"{what}, reducible loss {verdict.loss:.6g}, at ({x:.6g}, {y:.6g})"))
    extent = plane.summary_rows()[:3]
    return rows + extent


def _ending(dropped: Dropped) -> list[tuple[str, str]]:
    """Return where the flow from the plane goes, in words."""
    off = f"the path leaves the plane by at most {float(dropped.path.distance.max()):.4g}"
    return [
        ("dropped at", f"({dropped.x:g}, {dropped.y:g}); {off}"),
        *dropped.run.summary_rows(),
    ]


def _document(
    subject: Subject, named: dict[str, Point], plane: Slice, dropped: Dropped | None
) -> dict[str, Any]:
    """Return everything as one JSON document."""
    document = plane.to_dict() | {"data": subject.document}
    document["points"] = [
        {"name": name, "learned": list(point.learned), "kind": point.kind, "seed": point.seed}
        for name, point in named.items()
    ]
    if dropped is not None:
        document["drop"] = {
            "x": dropped.x,
            "y": dropped.y,
            "path": dropped.path.to_dict(),
            "run": dropped.run.to_dict(),
        }
    return document
