"""Follow a flow and send it on the way."""

from typing import Any

from thalweg._core import DataError
from thalweg.explorer.tasks import _inputs as inputs, _series as series
from thalweg.explorer.tasks._emit import Emit
from thalweg.trajectory import flow


def run(arguments: dict[str, Any], emit: Emit) -> None:
    """Integrate from the start that the page describes."""
    made = inputs.source(arguments)
    weights, start_line, start_flags = inputs.start(arguments, made)
    t_end, rtol = arguments.get("t_end"), inputs.number(arguments.get("rtol", 1e-8), "rtol")
    if t_end is not None:
        t_end = inputs.number(t_end, "t_end")
        if t_end <= 0:
            raise DataError(f"t_end must be positive, got {t_end:g}; leave it empty to go on")
    emit("problem", name=made.name, notes=made.notes, **series.facts(made.problem))
    emit("snippet", **snippet(made, (start_line, start_flags), t_end, rtol))
    live = series.Live(made.problem, weights, emit)
    result = flow(
        made.problem,
        weights,
        t_end,
        rtol=rtol,
        progress=live.progress,
        observe=live.observe,
    )
    series.send(result, emit)


def snippet(
    made: inputs.Source, start: tuple[str, tuple[str, ...]], t_end: float | None, rtol: float
) -> dict[str, str]:
    """Return the same computation in Python and on the command line."""
    end = "" if t_end is None else f"t_end={inputs.exact(t_end)}, "
    lines = ["import thalweg as tw", made.python, start[0]]
    lines += [
        f"run = tw.flow(p, w0, {end}rtol={inputs.exact(rtol)})",
        "print(run)",
        'run.plot().savefig("run.svg")',
    ]
    words = [*start[1], "--rtol", inputs.exact(rtol)]
    words += [] if t_end is None else ["--t-end", inputs.exact(t_end)]
    return {"python": "\n".join(lines), "command": made.command("analyze", *words)}
