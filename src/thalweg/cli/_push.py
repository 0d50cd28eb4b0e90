"""`thalweg push`: off a critical point, and where the flow goes from there."""

from typing import Any

import click

from thalweg._core import learned_words
from thalweg.cli._analyze import exit_code, summary
from thalweg.cli._files import check_writable, write_picture
from thalweg.cli._options import (
    data_options,
    general_options,
    problem_options,
    run_options,
    seed_option,
)
from thalweg.cli._output import tell, tell_json, tell_rows
from thalweg.cli._points import KINDS, Point, parse_learned
from thalweg.cli._progress import Progress
from thalweg.cli._request import Request
from thalweg.cli._subject import load_subject
from thalweg.landscape import Verdict, classify, push_off
from thalweg.trajectory import flow


@click.command("push")
@data_options
@problem_options
@click.option(
    "--learned",
    metavar="I[,I...]|none",
    default="none",
    show_default=True,
    help="What the point has learned: directions counted from 0.",
)
@click.option(
    "--kind", type=click.Choice(KINDS), help="Its kind; default: the first that occurs there."
)
@seed_option("Of the random point.")
@click.option(
    "--step",
    type=float,
    default=1e-3,
    show_default=True,
    help="How far it is moved along the direction in which the loss falls.",
)
@run_options
@general_options
def command(**options: Any) -> int:
    """Construct a saddle of DATA, push it the way the loss falls and follow the flow.

    DATA is given as for `thalweg analyze`. The way down is a strict saddle's direction of negative
    curvature, or a non-strict one's curve of descent. --out DIR keeps the run as run.npz and its
    picture as run.svg.
    """
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        subject = load_subject(options, progress)
        problem, step, folder = subject.problem, options["step"], options["out"]
        learned = parse_learned(options["learned"], "--learned")
        if folder is not None:
            check_writable(folder)
        point = Point(learned, options["kind"], options["seed"]).weights(problem)
        verdict = classify(problem, point)
        moved = push_off(point, verdict, step)
        text = f"a {verdict.kind.replace('_', ' ')}, moved by {step:g} the way the loss falls"
        request = Request(subject, moved, f"{text}, seed {options['seed']}", options["seed"])
        run = flow(problem, moved, options["t_end"], rtol=options["rtol"], progress=progress.flow)
        files = []
        if folder is not None:
            files = [run.save(folder / "run.npz"), write_picture(run.plot(), folder / "run.svg")]
    if options["as_json"]:
        tell_json(summary(request, run) | {"from": verdict.to_dict(), "step": step})
        return exit_code(run)
    change = problem.reducible_loss(moved) - verdict.loss
    tell_rows([*request.rows, *_where(verdict, change), *run.summary_rows()])
    for path in files:
        tell(str(path))
    return exit_code(run)


def _where(verdict: Verdict, change: float) -> list[tuple[str, str]]:
    """Return what the run leaves, in words."""
    kind, learned = verdict.kind.replace("_", " "), learned_words(verdict.learned)
    return [
        ("from", f"{kind}, {learned}, reducible loss {verdict.loss:.6g}"),
        ("because", verdict.message),
        ("push", f"changes the loss by {change:.3g}"),
    ]
