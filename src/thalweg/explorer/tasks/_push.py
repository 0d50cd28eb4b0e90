"""Push off a critical point along its witness and follow the flow."""

from typing import Any

from thalweg._core import DataError
from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.explorer.tasks._point import construct, falling
from thalweg.landscape import classify
from thalweg.trajectory import flow


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send the run from the point moved by ``step`` along the direction in which the loss falls."""
    made = inputs.source(arguments)
    step = inputs.number(arguments.get("step", 1e-3), "step")
    weights, line = construct(arguments, made.problem)
    direction = falling(classify(made.problem, weights))
    if direction is None:
        raise DataError("nothing leads down from here: choose a saddle")
    moved = [w + step * v for w, v in zip(weights, direction, strict=True)]
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    lines = ["import thalweg as tw", made.python, line, "v = tw.classify(p, w)"]
    lines += ["down = v.descent_curve.direction if v.descent_curve else v.witness"]
    lines += [
        f"run = tw.flow(p, [a + {inputs.exact(step)} * b for a, b in zip(w, down)])",
        "print(run)",
    ]
    emit("snippet", python="\n".join(lines), command=None)
    live = series.Live(made.problem, moved, emit)
    result = flow(
        made.problem,
        moved,
        progress=live.progress,
        observe=live.observe,
    )
    series.send(result, emit)
