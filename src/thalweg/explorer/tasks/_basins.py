"""Many starts: count where they end, or open a sweep that was kept."""

import itertools
import shlex
from pathlib import Path
from typing import Any

from thalweg._core import DataError, jsonable
from thalweg.basins import Sweep, clopper_pearson, open_sweep, sweep
from thalweg.data import inert
from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit

FAMILIES = {"gaussian": "scale", "orthogonal": "scale", "balanced": "scale"}
MOST, SCALES = 200_000, 12
"""Starts for each scale, and scales."""


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Run a sweep, or read the one in ``folder``; send counts as they grow."""
    folder = arguments.get("folder")
    if arguments.get("stored"):
        if folder is None:
            raise DataError("there is no such sweep; choose one of the list")
        found = open_sweep(folder)
        emit("problem", name=Path(folder).name, **series.facts(found.plan.problem))
        emit("snippet", **_opening(Path(folder).name))
        _send(found, emit)
        return
    made = inputs.source(arguments)
    kind, scales, count, seed = _plan(arguments)
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    emit("snippet", **_snippet(made, (kind, scales, count, seed)))

    def progress(done: int, total: int, now: dict[str, Any]) -> None:
        rows = [
            {"kind": name, "count": size, "interval": clopper_pearson(size, done)}
            for name, size in now["counts"].items()
            if done
        ]
        emit("counts", done=done, total=total, rows=rows)

    chosen: dict[str, Any] = {FAMILIES[kind]: scales}
    found = sweep(made.problem, kind, count, rng=seed, store=folder, progress=progress, **chosen)
    _send(found, emit)


def _plan(arguments: dict[str, Any]) -> tuple[str, list[float], int, int]:
    kind = str(arguments.get("kind", "gaussian"))
    if kind not in FAMILIES:
        raise DataError(f"starts {inert(kind)!r} are unknown; use one of {', '.join(FAMILIES)}")
    scales = inputs.numbers(arguments.get("scales", [0.1]), "scales", most=SCALES).tolist()
    count = inputs.whole(arguments.get("n", 1000), "the number of starts", 1, MOST)
    return kind, scales, count, inputs.whole(arguments.get("seed", 0), "seed", 0, 2**63 - 1)


def _snippet(made: inputs.Source, plan: tuple[str, list[float], int, int]) -> dict[str, str]:
    kind, scales, count, seed = plan
    values = [inputs.exact(scale) for scale in scales]
    chosen = f"{FAMILIES[kind]}=[{', '.join(values)}]"
    call = f"tw.sweep(p, tw.init.{kind}, n={count}, {chosen}, rng={seed})"
    lines = ["import thalweg as tw", made.python, f"s = {call}", "print(s)"]
    words = ["--n", str(count), "--init", f"{kind}:{','.join(values)}", "--seed", str(seed)]
    command = made.command("sweep", *words, "--store", "runs/mine")
    return {"python": "\n".join(lines), "command": command}


def _opening(name: str) -> dict[str, str]:
    lines = ["import thalweg as tw", f"s = tw.basins.open_sweep({name!r})", "print(s)"]
    command = shlex.join(["thalweg", "sweep", "--open", name])
    return {"python": "\n".join(lines), "command": command}


def _send(found: Sweep, emit: Emit) -> None:
    chosen = found.plan.experiment is not None
    emit(
        "sweep",
        status=found.status,
        message=found.message,
        rows=found.summary_rows(),
        counts=found.counts(),
        fractions=None if chosen else [jsonable(item) for item in found.fractions().rows],
        plateaus=[
            {"parameters": item.parameters, "learned": item.learned, "quantiles": item.quantiles}
            for item in itertools.islice(found.plateau_times(), 200)
        ],
        theorems=found.theorems(),
        defects=found.defects(),
        notes=found.notes,
    )
