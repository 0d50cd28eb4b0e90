"""`thalweg flow`: the trajectory alone."""

from typing import Any

import click

from thalweg.cli._analyze import exit_code, summary
from thalweg.cli._files import check_writable
from thalweg.cli._options import (
    data_options,
    general_options,
    problem_options,
    run_options,
    start_options,
    weights_option,
)
from thalweg.cli._output import tell, tell_json, tell_rows
from thalweg.cli._progress import Progress
from thalweg.cli._request import build
from thalweg.trajectory import flow


@click.command("flow")
@data_options
@problem_options
@start_options
@weights_option()
@run_options
@general_options
def command(**options: Any) -> int:
    """Follow the gradient flow on DATA; --out DIR keeps it as run.npz.

    DATA is given as for `thalweg analyze`.
    """
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        request = build(options, progress)
        folder = options["out"]
        if folder is not None:
            check_writable(folder)
        run = flow(
            request.problem,
            request.start,
            options["t_end"],
            rtol=options["rtol"],
            progress=progress.flow,
        )
        path = None if folder is None else run.save(folder / "run.npz")
    if options["as_json"]:
        tell_json(summary(request, run))
    else:
        tell_rows([*request.rows, *run.summary_rows()])
        if path is not None:
            tell(str(path))
    return exit_code(run)
