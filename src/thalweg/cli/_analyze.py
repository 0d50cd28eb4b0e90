"""`thalweg analyze`: from data to limit, certificate and report."""

import dataclasses
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from thalweg._core import DataError
from thalweg.certificate import Certificate, certify
from thalweg.cli._files import check_writable, write_all, write_json
from thalweg.cli._options import (
    data_options,
    general_options,
    problem_options,
    run_options,
    start_options,
)
from thalweg.cli._output import say, tell, tell_json, tell_rows
from thalweg.cli._progress import Progress
from thalweg.cli._request import Request, build
from thalweg.data import inert
from thalweg.trajectory import Trajectory, flow


@click.command("analyze")
@data_options
@problem_options
@start_options
@run_options
@click.option("--no-report", is_flag=True, help="No page and no pictures.")
@click.option("--rigorous", is_flag=True, help="Prove the certificate in ball arithmetic as well.")
@click.option(
    "--basins",
    metavar="N",
    type=click.IntRange(1, 10**6),
    help="Follow N more random starts of the same kind; a section of the report.",
)
@click.option(
    "--train",
    metavar="METHOD:LR:STEPS",
    help="Train from the same start, like gd:0.001:1000; a section of the report.",
)
@general_options
def command(**options: Any) -> int:
    """Follow the gradient flow on DATA and say where it ends, how fast and why.

    DATA is a bundled name (see `thalweg datasets`) or a file: .npz with keys X and Y, X.npy with
    --y, or .csv, .parquet, .arrow with --target. A target without data is given instead by
    --sigma 3,2,1 --dims 4,4,4,3. Writes report.html, run.npz, summary.json and
    figures/ to --out (default thalweg-NAME).
    """
    training = None if options["train"] is None else parse_training(options["train"])
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        request = build(options, progress)
        folder = options["out"] or Path(f"thalweg-{request.subject.name}")
        check_writable(folder)
        run = flow(
            request.problem,
            request.start,
            options["t_end"],
            rtol=options["rtol"],
            progress=progress.flow,
        )
        document = summary(request, run)
        proof = _prove(run, progress) if options["rigorous"] else None
        if proof is not None:
            document["rigorous"] = proof.to_dict()
        more = _more(request, options, training, progress)
        document |= {name: item.to_dict() for name, item in more.items()}
        tasks = [
            partial(write_json, document, folder / "summary.json"),
            partial(run.save, folder / "run.npz"),
        ]
        if not options["no_report"]:
            progress.show("drawing the report")
            tasks.append(partial(_page, run, request, folder, {**more, "proof": proof}))
        files, trouble = write_all(tasks)
    if options["as_json"]:
        tell_json(document)
    else:
        _tell(request, run, files, proof)
    for text in trouble:
        say(f"thalweg: error: {text}")
    return exit_code(run) or (2 if trouble else 0)


def exit_code(run: Trajectory) -> int:
    """Return 0, 3 if the numerics broke down, 130 if the run was interrupted."""
    if run.stats.get("stop") == "interrupted":
        return 130
    return 3 if run.status in {"diverged", "failed"} else 0


def summary(request: Request, run: Trajectory) -> dict[str, Any]:
    """Return the run as one JSON document."""
    document = run.to_dict()
    document["data"] = request.subject.document
    document["start"] = request.start_document
    return document


def _more(
    request: Request,
    options: dict[str, Any],
    training: tuple[str, float, int] | None,
    progress: Progress,
) -> dict[str, Any]:
    """Return the sweep and the descent that were asked for."""
    found: dict[str, Any] = {}
    if options["basins"] is not None:
        from thalweg.basins import sweep
        from thalweg.cli._sweep import parse_family

        progress.show("following other starts")
        kind, parameters = parse_family(options["init"])
        seed, count = int(options["seed"]), options["basins"]
        found["sweep"] = sweep(request.problem, kind, count, rng=seed, **parameters)
    if training is not None:
        from thalweg.optimizers import descend

        progress.show("training")
        method, lr, steps = training
        found["descent"] = descend(
            request.problem, request.start, method=method, lr=lr, steps=steps
        )
    return found


def parse_training(text: str) -> tuple[str, float, int]:
    """Return method, learning rate and number of steps in ``METHOD:LR:STEPS``.

    Raises
    ------
    DataError
        If it is not of this form.
    """
    method, _, rest = text.partition(":")
    rate, _, steps = rest.partition(":")
    try:
        return method, float(rate), int(steps)
    except ValueError:
        raise DataError(
            f"--train needs METHOD:LR:STEPS like gd:0.001:1000, got {inert(text)!r}"
        ) from None


def _page(run: Trajectory, request: Request, folder: Path, more: dict[str, Any]) -> Path:
    from thalweg import report

    command = shlex.join(["thalweg", *sys.argv[1:]])
    return report.write(
        run,
        folder,
        name=request.subject.name,
        command=command,
        start=request.start_text,
        sampled=request.subject.sampled,
        **more,
    )


def _prove(run: Trajectory, progress: Progress) -> Certificate:
    """Evaluate the certificate of the run again, at its point, in ball arithmetic."""
    progress.show("proving the certificate")
    time = run.certificate.time
    proof = certify(run.problem, run.weights_at(time), rigorous=True)
    return dataclasses.replace(proof, time=time)


def _tell(request: Request, run: Trajectory, files: list[Path], proof: Certificate | None) -> None:
    from thalweg.report import two_sentences

    tell_rows(request.rows)
    tell("")
    tell(two_sentences(run))
    tell("")
    rows = [
        (item.name, f"{'holds' if item.holds else 'fails'}: {item.message}")
        for item in run.problem.assumptions
    ]
    rows += run.summary_rows()
    if run.certificate.rate == 0.0:
        rows += [("missing for a rate", item.message) for item in run.certificate.failing]
    if proof is not None:
        rows.append(("in ball arithmetic", proof.message))
    tell_rows(rows)
    for path in files:
        tell(str(path))
