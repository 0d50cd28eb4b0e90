"""Let a start go on a plane and follow its projection."""

from typing import Any

import numpy as np

from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.explorer.tasks._slice import build
from thalweg.trajectory import flow

MOST = 200
"""Points of the path that are sent."""


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send the path from the point ``(x, y)`` of the plane, projected onto it."""
    made = inputs.source(arguments)
    plane, lines, words = build(arguments, made)
    x, y = (inputs.number(arguments.get(name), name) for name in ("x", "y"))
    weights = plane.weights_at(x, y)
    result = flow(made.problem, weights)
    path = plane.trace(result, MOST)
    emit(
        "path",
        x=path.x,
        y=path.y,
        distance=path.distance,
        loss=result.reducible_loss[np.searchsorted(result.t, np.asarray(path.t))],
        t=path.t,
        plateaus=result.plateaus,
        **series.ending(result),
    )
    lines += [
        f"run = tw.flow(p, plane.weights_at({inputs.exact(x)}, {inputs.exact(y)}))",
        'plane.plot(runs=[run]).savefig("plane.svg")',
    ]
    words += ["--drop", f"{inputs.exact(x)},{inputs.exact(y)}"]
    command = made.command("slice", *words, "--out", "plane")
    emit("snippet", python="\n".join(lines), command=command)
