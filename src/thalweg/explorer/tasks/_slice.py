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
    plane, lines = build(arguments, made)
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    lines += ["print(plane)", 'plane.plot().savefig("plane.svg")']
    emit("snippet", python="\n".join(lines), command=None)
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


def build(arguments: dict[str, Any], made: inputs.Source) -> tuple[Slice, list[str]]:
    """Return the plane through the two points that the page names, and the lines that make it."""
    points, lines = [], ["import thalweg as tw", made.python]
    for name in ("a", "b"):
        given = arguments.get(name, {})
        weights, line = construct(given if isinstance(given, dict) else {}, made.problem)
        points.append(weights)
        lines.append(line.replace("w =", f"{name} =", 1))
    options: dict[str, Any] = {}
    toward = arguments.get("toward")
    if isinstance(toward, dict):
        options["toward"], line = construct(toward, made.problem)
        lines.append(line.replace("w =", "c =", 1))
    call = "plane = tw.landscape.plane_slice(p, a, b, " + ("toward=c, " if options else "")
    call += f"resolution={RESOLUTION})"
    plane = plane_slice(made.problem, *points, resolution=RESOLUTION, **options)
    return plane, [*lines, call]
