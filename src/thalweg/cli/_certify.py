"""`thalweg certify`: what can be proved about a start, without following it."""

from pathlib import Path
from typing import Any

import click

from thalweg._core import number
from thalweg.certificate import Certificate, certify
from thalweg.cli._files import check_writable, write_json, write_picture
from thalweg.cli._options import (
    data_options,
    general_options,
    out_option,
    problem_options,
    start_options,
    weights_option,
)
from thalweg.cli._output import tell, tell_json, tell_rows
from thalweg.cli._progress import Progress
from thalweg.cli._request import Request, build
from thalweg.rigorous import RigorousCertificate


@click.command("certify")
@data_options
@problem_options
@start_options
@weights_option()
@click.option("--rigorous", is_flag=True, help="In ball arithmetic, from the exact doubles.")
@click.option(
    "--follow", is_flag=True, help="Prove that the trajectory from these weights gets there."
)
@out_option("Folder for certificate.json, certificate.png and, if rigorous, proof.json.")
@general_options
def command(**options: Any) -> int:
    """Say what can be proved about the gradient flow on DATA from given weights or a start.

    DATA is given as for `thalweg analyze`. Exit code 1 if nothing beyond boundedness is proved.
    """
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        request = build(options, progress)
        folder = options["out"]
        if folder is not None:
            check_writable(folder)
        proved = certify(
            request.problem,
            request.start,
            rigorous=options["rigorous"] or options["follow"],
            follow=options["follow"],
        )
        document = summary(request, proved)
        files = [] if folder is None else _keep(document, proved, folder)
    if options["as_json"]:
        tell_json(document)
    else:
        _tell(request, proved, files)
    return 0 if proved.certified else 1


def summary(request: Request, proved: Certificate) -> dict[str, Any]:
    """Return the certificate as one JSON document, with what it is about."""
    return proved.to_dict() | {
        "certified": proved.certified,
        "data": request.subject.document,
        "problem": request.problem.to_dict(),
        "start": {"kind": request.start_text, "seed": request.seed},
    }


def _tell(request: Request, proved: Certificate, files: list[Path]) -> None:
    tell_rows([*request.rows, *proved.summary_rows()])
    if proved.rate > 0.0:
        excess = proved.reducible_loss - proved.least_loss
        when = proved.time_to_reach(proved.least_loss + 0.01 * excess)
        tell(f"99 % of the avoidable loss has provably gone by flow time {number(when)}")
    for item in proved.failing if proved.rate <= 0.0 else ():
        needed = "at least" if not item.strict else "more than"
        tell(f"missing: {item.name}: {item.value:.4g}, {needed} {item.threshold:g} is needed")
    for path in files:
        tell(str(path))


def _keep(document: dict[str, Any], proved: Certificate, folder: Path) -> list[Path]:
    files = [
        write_json(document, folder / "certificate.json"),
        write_picture(proved.plot(), folder / "certificate.png", dpi=120),
    ]
    if isinstance(proved, RigorousCertificate) and proved.proof:
        files.append(proved.save_proof(folder / "proof.json"))
    return files
