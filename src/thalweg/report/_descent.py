"""The page of a descent: what was trained, what was conserved, where the steps lead."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thalweg._core import number, write_whole
from thalweg.optimizers import Descent, largest, method_words
from thalweg.plot import draw, panels_of
from thalweg.report._answer import KINDS
from thalweg.report._figures import check_formats, write_figures
from thalweg.report._formulas import FLOW, LOSS, MEAN_LOSS, formula
from thalweg.report._meaning import LOSSES, METRICS
from thalweg.report._pictures import inline, rendered
from thalweg.report._provenance import versions
from thalweg.report._templates import environment

STEP = r"\Delta C_j = \eta^2 \left(G_{j+1}^T G_{j+1} - G_j G_j^T\right)"
"""What a gradient step does to a conserved matrix."""


def write_descent(
    d: Descent,
    directory: str | os.PathLike[str],
    *,
    name: str,
    command: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
    sampled: bool = True,
) -> Path:
    """Write a descent on a `Problem` as one self-contained page, and its pictures as files.

    Parameters
    ----------
    d
        The descent.
    directory
        Folder for ``report.html`` and ``figures/``; made if it is missing.
    name
        What the data are called.
    command
        The command that made it.
    formats
        Of the pictures in ``figures/``: any of ``png``, ``svg``, ``pdf``.
    sampled
        Whether the problem comes from samples; with ``False`` the page speaks of a target alone.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    DataError
        If a format is unknown.
    StoreError
        If a file cannot be written. No file is ever half written.
    """
    check_formats(formats)
    folder = Path(directory)
    panels = panels_of(d) if formats else ()
    write_figures(((panel, draw(d, panel=panel)) for panel in panels), folder, formats)
    return write_whole(folder / "report.html", _page(d, name, command, sampled=sampled).encode())


def _page(d: Descent, name: str, command: str | None, *, sampled: bool) -> str:
    env, p = environment(), d.problem
    return env.get_template("descent.html.j2").render(
        style=env.get_template("style.css").render(),
        name=name,
        sizes=" → ".join(map(str, p.dims)),
        parameters=p.n_parameters,
        samples=p.n_samples,
        sampled=sampled,
        loss=LOSSES[p.loss_name],
        metric=METRICS[p.metric],
        loss_formula=formula(LOSS if p.loss_name == "sum" else MEAN_LOSS),
        flow_formula=formula(FLOW),
        descent=descent_sections(d),
        provenance=_provenance(d, command),
    )


def descent_sections(d: Descent) -> dict[str, Any]:
    """Return what the sections on a descent show."""
    titles = {
        "loss": ("How the loss falls", _loss(d)),
        "drift": ("What becomes of what the flow conserves", _drift(d)),
        "identity": ("Every step against what it was bound to do", _identity(d)),
    }
    return {
        "answer": _answer(d),
        "plain": d.settings.plain or d.settings.method == "sgd",
        "step_formula": formula(STEP),
        "pictures": [
            {
                "id": f"descent-{panel}",
                "svg": inline(rendered(draw(d, panel=panel), "svg"), f"descent-{panel}"),
                "title": titles[panel][0],
                "caption": titles[panel][1],
            }
            for panel in panels_of(d)
        ],
        "rows": d.summary_rows(),
    }


def _answer(d: Descent) -> str:
    """Return two sentences: where the steps lead, and what they did to the conserved matrices."""
    assert d.limit is not None  # noqa: S101
    kind = KINDS[d.limit.verdict.kind]
    if d.status == "diverged":
        where = f"The training blew up after {len(d.t) - 1} steps: the step is too long"
    elif d.limit.verdict.kind == "undecided":
        where = "The steps ended before it was decided where they lead"
    else:
        where = f"The steps lead to {kind}" + (" (proved)" if d.limit.certified else "")
    drift = number(100.0 * float(d.drift[-1]), 3)
    text = f"{where}. What the gradient flow conserves has moved by {drift} %"
    if d.predicted:
        rounding = number(largest(d.residual), 2)
        return f"{text}, as the steps were bound to do (each of them up to rounding, {rounding})."
    return f"{text}; for this method that can only be measured."


def _loss(d: Descent) -> str:
    if d.settings.adaptive:
        return "There is no flow to compare with: Adam scales every weight by itself."
    gap = d.compare()
    return (
        "Dashed: the gradient flow from the same start at equal time. At the end the weights are "
        f"{number(100.0 * float(gap.distance[-1]))} % away from it."
    )


def _drift(d: Descent) -> str:
    text = "The exact flow would stay at zero."
    if d.predicted:
        text += (
            " The dashed line is computed from the gradients of every step alone, without looking "
            "at the weights."
        )
    return text


def _identity(d: Descent) -> str:
    return (
        "What a step does to the conserved matrices is known exactly; what is left is rounding, "
        f"at most {number(largest(d.residual), 2)}."
    )


def _provenance(d: Descent, command: str | None) -> list[tuple[str, Any]]:
    return [
        ("command", command or "not given (made from Python)"),
        ("method", method_words(d)),
        ("problem fingerprint", d.problem.fingerprint),
        ("seed of the batches", "none" if d.seed is None else str(d.seed)),
        ("seconds of computation", number(float(d.stats["seconds"]))),
        versions(),
    ]
