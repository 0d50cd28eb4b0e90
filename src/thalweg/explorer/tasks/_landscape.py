"""The atlas of critical values, as nodes and edges."""

from typing import Any

from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.landscape import atlas

MOST = 60
"""Levels that are drawn."""


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Send the lowest levels, those that were asked for."""
    made = inputs.source(arguments)
    count = inputs.whole(arguments.get("lowest", 32), "the number of levels", 1, MOST)
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    found = atlas(made.problem)
    lines = ["import thalweg as tw", made.python, f"for level in tw.atlas(p).lowest({count}):"]
    lines += ["    print(level)", 'tw.atlas(p).plot().savefig("atlas.svg")']
    command = made.command("landscape", "--lowest", str(count))
    emit("snippet", python="\n".join(lines), command=command)
    emit("levels", n_levels=found.n_levels, complete=found.complete, levels=found.lowest(count))
