"""The page of a watched training."""

import contextlib
import os
import platform
from importlib import metadata
from pathlib import Path

import thalweg
from thalweg._core import number, write_whole
from thalweg.monitor import CAUSES, LawSummary, Record
from thalweg.plot import RECORD_PANELS, draw
from thalweg.report._pictures import inline, rendered
from thalweg.report._templates import environment

CAPTIONS = {
    "drift": (
        "Drift",
        "How far every conserved quantity has moved from its value at the start, in Frobenius "
        "norms. Gradient flow would leave it at zero.",
    ),
    "causes": (
        "Causes",
        "Shares of the change summed over the recorded steps. Shares add up to 100 %; what lies "
        "left of zero worked against the others.",
    ),
    "steps": (
        "Causes step by step",
        "The law with the largest drift; every line is a part of the change over one step.",
    ),
}
KINDS = {
    "matrix": "a symmetric matrix",
    "diagonal": "one number for each unit",
    "scale": "squared norms",
}


def write_record(record: Record, path: str | os.PathLike[str]) -> Path:
    """Write a record as one page without scripts or network access.

    Parameters
    ----------
    record
        What a monitor saw.
    path
        Where to.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    env = environment()
    drawn = record.table.num_rows > 0
    pictures = [
        {
            "id": name,
            "svg": inline(rendered(draw(record, panel=name), "svg"), f"record-{name}"),
            "title": CAPTIONS[name][0],
            "caption": CAPTIONS[name][1],
        }
        for name in (RECORD_PANELS if drawn else ())
    ]
    page = env.get_template("record.html.j2").render(
        style=env.get_template("style.css").render(),
        answer=_answer(record),
        laws=[_law(law, record) for law in sorted(record.laws, key=lambda law: -law.drift)],
        without=record.without,
        notes=record.notes,
        causes=[(name.replace("_", " "), words) for name, words in CAUSES.items()],
        pictures=pictures,
        provenance=_provenance(record),
    )
    return write_whole(path, page.encode())


def _answer(record: Record) -> str:
    if not record.laws:
        return (
            "No pair of layers of this model has a conservation law that the training would break."
        )
    worst = max(record.laws, key=lambda law: law.drift)
    count = len(record.laws)
    many = "One conserved quantity was" if count == 1 else f"{count} conserved quantities were"
    return (
        f"{many} watched over {record.steps} steps of {', '.join(record.optimizers)}. The largest "
        f"drift is {number(worst.drift)} ({worst.name}); main cause: {worst.cause_words()}."
    )


def _law(law: LawSummary, record: Record) -> dict[str, str]:
    kind = KINDS[law.kind] + (f" over {law.units} units" if law.units > 1 else "")
    if law.partial:
        kind += "; steps were taken apart on a part of it"
    shares = sorted(law.shares.items(), key=lambda item: -abs(item[1]))
    told = ", ".join(
        f"{name.replace('_', ' ')} {100 * share:.3g} %"
        for name, share in shares
        if abs(share) >= 1e-4
    )
    return {
        "name": law.name,
        "kind": kind,
        "formula": law.formula,
        "drift": number(law.drift),
        "cause": "not checked yet: the gradient was zero" if law.name in record.unchecked else told,
        "check": number(law.disobedience, 2),
    }


def _provenance(record: Record) -> list[tuple[str, str]]:
    versions = f"thalweg {thalweg.__version__}, Python {platform.python_version()}"
    with contextlib.suppress(metadata.PackageNotFoundError):
        versions += f", torch {metadata.version('torch')}"
    return [
        ("optimizer", ", ".join(record.optimizers)),
        ("steps", f"{record.steps}, the first and every {record.every}th recorded"),
        ("versions", versions),
    ]
