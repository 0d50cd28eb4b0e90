"""The loss on a plane through critical points."""

from typing import Any

from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.explorer.tasks._point import construct
from thalweg.landscape import Slice, plane_slice

RESOLUTION = 61


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send grid, losses and the marked points."""
    made = inputs.source(arguments)
    plane, lines, words = build(arguments, made)
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    lines += ["print(plane)", 'plane.plot().savefig("plane.svg")']
    command = made.command("slice", *words, "--out", "plane")
    emit("snippet", python="\n".join(lines), command=command)
    kinds = [{"kind": v.kind, "learned": list(v.learned)} for v in plane.verdicts]
    emit(
        "plane",
        x=plane.x,
        y=plane.y,
        loss=plane.reducible_loss,
        marks=[
            {"x": x, "y": y, **kind}
            for x, y, kind in zip(plane.marks.x, plane.marks.y, kinds, strict=True)
        ],
    )


def build(arguments: dict[str, Any], made: inputs.Source) -> tuple[Slice, list[str], list[str]]:
    """Return the plane that the page describes, its lines in Python and its words in a terminal."""
    lines, words, points = ["import thalweg as tw", made.python], [], {}
    for name in ("a", "b", "toward"):
        given = arguments.get(name)
        if name == "toward" and not isinstance(given, dict):
            continue
        point = construct(given if isinstance(given, dict) else {}, made.problem)
        points[name] = point.weights
        lines.append(point.python(name))
        words += [f"--{name}", point.text]
    third = "toward=toward, " if "toward" in points else ""
    lines.append(f"plane = tw.landscape.plane_slice(p, a, b, {third}resolution={RESOLUTION})")
    given_points: dict[str, Any] = {**points}
    plane = plane_slice(made.problem, **given_points, resolution=RESOLUTION)
    return plane, lines, [*words, "--resolution", str(RESOLUTION)]
