"""`thalweg descend`: training with an optimizer, and what it conserves."""

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from thalweg.cli._files import check_writable, write_all, write_json
from thalweg.cli._options import (
    data_options,
    general_options,
    out_option,
    problem_options,
    start_options,
    weights_option,
)
from thalweg.cli._output import say, tell, tell_json, tell_rows
from thalweg.cli._progress import Progress
from thalweg.cli._request import Request, build
from thalweg.optimizers import METHODS, Descent, descend

CODES = {"done": 0, "diverged": 3, "interrupted": 130}


@click.command("descend")
@data_options
@problem_options
@start_options
@weights_option()
@click.option(
    "--method", type=click.Choice(METHODS), default="gd", show_default=True, help="Optimizer."
)
@click.option("--lr", type=float, default=1e-2, show_default=True, help="Learning rate.")
@click.option("--steps", type=int, default=1000, show_default=True, help="Number of steps.")
@click.option("--batch-size", type=int, help="Samples in a minibatch; default: all, for sgd 32.")
@click.option("--momentum", type=float, help="Default 0.9 for momentum and nesterov, else 0.")
@click.option("--weight-decay", type=float, default=0.0, show_default=True, help="Coefficient.")
@click.option(
    "--decay",
    type=click.Choice(["loss", "decoupled"]),
    help="Where the decay acts; default: in the loss, for adamw decoupled.",
)
@out_option("Folder.")
@click.option("--no-report", is_flag=True, help="No page and no pictures.")
@general_options
def command(**options: Any) -> int:
    """Train on DATA with an optimizer and say what it does to what the flow conserves.

    DATA is given as for `thalweg analyze`. --out DIR keeps run.npz, summary.json, report.html and
    figures/.
    """
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        request = build(options, progress)
        folder = options["out"]
        if folder is not None:
            check_writable(folder)
        d = descend(
            request.problem,
            request.start,
            method=options["method"],
            lr=options["lr"],
            steps=options["steps"],
            batch_size=options["batch_size"],
            momentum=options["momentum"],
            weight_decay=options["weight_decay"],
            decay=options["decay"],
            progress=progress.descent,
            rng=int(options["seed"]),
        )
        document = d.to_dict() | {"data": request.subject.document, "start": request.start_document}
        tasks = []
        if folder is not None:
            tasks = [
                partial(write_json, document, folder / "summary.json"),
                partial(d.save, folder / "run.npz"),
            ]
            if not options["no_report"]:
                progress.show("drawing the report")
                tasks.append(partial(_page, d, request, folder))
        files, trouble = write_all(tasks)
    if options["as_json"]:
        tell_json(document)
    else:
        tell_rows([*request.rows, *d.summary_rows()])
        for path in files:
            tell(str(path))
    for text in trouble:
        say(f"thalweg: error: {text}")
    return CODES[d.status] or (2 if trouble else 0)


def _page(d: Descent, request: Request, folder: Path) -> Path:
    from thalweg import report

    command = shlex.join(["thalweg", *sys.argv[1:]])
    about = request.subject
    return report.write_descent(d, folder, name=about.name, command=command, sampled=about.sampled)
