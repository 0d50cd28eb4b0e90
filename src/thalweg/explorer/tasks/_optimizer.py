"""The same start under the flow and under optimizers, side by side."""

from typing import Any

import numpy as np

from thalweg._core import Array, DataError
from thalweg.data import inert
from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.optimizers import Descent, descend
from thalweg.trajectory import Trajectory, flow

METHODS = ("gd", "sgd", "momentum", "nesterov", "adam", "adamw")
STEPS, POINTS = 20_000, 300
"""Steps of an optimizer, and points of its curves."""


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send the flow first, then one optimizer after the other."""
    made = inputs.source(arguments)
    weights, start_line, start_flags = inputs.start(arguments, made)
    methods = _methods(arguments.get("methods", ["gd", "momentum", "adam"]))
    lr = inputs.number(arguments.get("lr", 1e-2), "the learning rate")
    steps = inputs.whole(arguments.get("steps", 1000), "the number of steps", 1, STEPS)
    decay = inputs.number(arguments.get("weight_decay", 0.0), "weight decay")
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    text = f"lr={inputs.exact(lr)}, steps={steps}" + (
        f", weight_decay={inputs.exact(decay)}" if decay else ""
    )
    lines = [
        "import thalweg as tw",
        made.python,
        start_line,
        f"run = tw.flow(p, w0, {inputs.exact(lr * steps)})",
    ]
    lines += [f'{name} = tw.descend(p, w0, method="{name}", {text})' for name in methods]
    words = [*start_flags, "--lr", inputs.exact(lr), "--steps", str(steps)]
    words += ["--weight-decay", inputs.exact(decay)] if decay else []
    command = "\n".join(made.command("descend", *words, "--method", name) for name in methods)
    emit("snippet", python="\n".join(lines), command=command)
    emit("track", name="flow", **_flow_track(flow(made.problem, weights, lr * steps)))
    for name in methods:

        def progress(time: float, step: int, loss: float, name: str = name) -> None:
            del time
            emit("live", name=name, step=step, steps=steps, loss=loss)

        done = descend(
            made.problem,
            weights,
            method=name,
            lr=lr,
            steps=steps,
            weight_decay=decay,
            every=max(1, steps // 1000),
            progress=progress,
        )
        emit("track", name=name, **_track(done))
    emit("finished")


def _methods(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise DataError(f"choose at least one method of {', '.join(METHODS)}")
    for name in value:
        if name not in METHODS:
            raise DataError(f"{inert(name)} is unknown; choose of {', '.join(METHODS)}")
    return list(dict.fromkeys(value))


def _flow_track(result: Trajectory) -> dict[str, Any]:
    index = np.unique(np.linspace(0, len(result.t) - 1, POINTS).astype(int))
    return {
        "t": result.t[index],
        "loss": result.loss[index],
        "drift": result.drift[index],
        "predicted": None,
        "status": result.status,
        "message": "the conserved matrices stay, up to rounding",
    }


def _track(done: Descent) -> dict[str, Any]:
    index = _shown(done.drift)
    return {
        "t": done.t[index],
        "loss": done.loss[index],
        "drift": done.drift[index],
        "predicted": done.predicted_drift[index] if done.predicted else None,
        "status": done.status,
        "message": done.message,
    }


def _shown(drift: Array) -> Any:
    """Return measured points, half evenly spaced and half towards the start."""
    measured = np.flatnonzero(np.isfinite(drift))
    last = len(measured) - 1
    even = np.linspace(0, last, POINTS // 2)
    early = np.geomspace(1, max(last, 1), POINTS // 2)
    return measured[np.unique(np.concatenate([even, early]).astype(int).clip(0, last))]
