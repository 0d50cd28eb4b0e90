"""Push off a saddle and follow the flow."""

from typing import Any

from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.explorer.tasks._point import Point, construct
from thalweg.landscape import classify, push_off
from thalweg.trajectory import flow


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send the run from the point moved by ``step`` along the direction in which the loss falls."""
    made = inputs.source(arguments)
    step = inputs.number(arguments.get("step", 1e-3), "step")
    point = construct(arguments, made.problem)
    moved = push_off(point.weights, classify(made.problem, point.weights), step)
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    emit("snippet", **_snippet(made, point, inputs.exact(step)))
    live = series.Live(made.problem, moved, emit)
    result = flow(
        made.problem,
        moved,
        progress=live.progress,
        observe=live.observe,
    )
    series.send(result, emit)


def _snippet(made: inputs.Source, point: Point, step: str) -> dict[str, str]:
    lines = ["import thalweg as tw", made.python, point.python(), "v = tw.classify(p, w)"]
    lines += [f"run = tw.flow(p, tw.landscape.push_off(w, v, step={step}))", "print(run)"]
    words = ["--learned", point.directions]
    words += [] if point.kind is None else ["--kind", point.kind]
    words += ["--seed", str(point.seed), "--step", step]
    return {"python": "\n".join(lines), "command": made.command("push", *words)}
