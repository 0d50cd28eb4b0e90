"""A sweep as one self-contained page."""

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import thalweg
from thalweg._core import learned_words, number, write_whole
from thalweg.basins import Fraction, Sweep, Times
from thalweg.plot import draw, sweep_panels
from thalweg.report._figures import check_formats, write_figures
from thalweg.report._pictures import inline, rendered
from thalweg.report._templates import environment

CAPTIONS = {
    "fractions": (
        "How likely each ending is",
        "Each bar is the share of starts with this ending; the line is the interval that covers "
        "the true share with 95 % probability. Undecided starts are a class of their own.",
    ),
    "times": (
        "When the limit is certified",
        "The share of starts whose limit is known by a theorem at a flow time: their loss has "
        "fallen below every other critical value.",
    ),
    "staircase": (
        "From saddle to saddle",
        "The mean number of directions learned over time. Small starts wait near one saddle after "
        "the other: the steps of the staircase.",
    ),
    "map": (
        "Which start leads to a global minimum",
        "The share of starts that end at a global minimum, over the two parameters.",
    ),
}
MOST_ROWS = 60
"""Rows of a table on the page; the pictures and the JSON show all."""


def write_sweep(
    sweep: Sweep,
    directory: str | os.PathLike[str],
    *,
    name: str,
    command: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
) -> Path:
    """Write a sweep as one page, and its pictures as files.

    Parameters
    ----------
    sweep
        The sweep.
    directory
        Folder for ``report.html`` and ``figures/``; made if it is missing.
    name
        What the data are called, for the title.
    command
        The command that made it.
    formats
        Of the pictures in ``figures/``: any of ``png``, ``svg``, ``pdf``; empty for none.

    Returns
    -------
    Path
        Of ``report.html``.

    Raises
    ------
    DataError
        If a format is unknown.
    """
    check_formats(formats)
    folder = Path(directory)
    panels = sweep_panels(sweep) if formats else ()
    write_figures(((panel, draw(sweep, panel=panel)) for panel in panels), folder, formats)
    tools = environment()
    text = tools.get_template("sweep.html.j2").render(
        style=tools.get_template("style.css").render(),
        name=name,
        question=_question(sweep),
        sweep=sweep_sections(sweep),
        provenance=_provenance(sweep, command),
    )
    return write_whole(folder / "report.html", text.encode())


def sweep_sections(sweep: Sweep) -> dict[str, Any]:
    """Return what the sections on a sweep show."""
    return {
        "answer": sweep_sentences(sweep),
        "fractions": _fractions(sweep),
        "counts": sweep.counts(),
        "measure": sweep.plan.measure_note or "The starts have a density.",
        "experiment": sweep.plan.experiment,
        "theorems": sweep.theorems(),
        "defects": sweep.defects(),
        "pictures": [
            {
                "id": f"sweep-{panel}",
                "svg": inline(rendered(draw(sweep, panel=panel), "svg"), f"sweep-{panel}"),
                "title": CAPTIONS[panel][0],
                "caption": CAPTIONS[panel][1],
            }
            for panel in sweep_panels(sweep)
        ],
        "decisions": [_times(item) for item in sweep.decision_times()[:MOST_ROWS]],
        "plateaus": [_times(item) for item in sweep.plateau_times()[:MOST_ROWS]],
    }


def sweep_sentences(sweep: Sweep) -> str:
    """Return the answer in two sentences."""
    counts = sweep.counts()
    total = sum(counts.values())
    told = [f"{size} at a {kind.replace('_', ' ')}" for kind, size in counts.items()]
    lost = {"undecided": "undecided", "diverged": "diverged", "failed": "failed"}
    words = [
        f"{size} {lost[kind]}" if kind in lost else text
        for (kind, size), text in zip(counts.items(), told, strict=True)
    ]
    text = f"Of {total} starts {', '.join(words) or 'none were followed'}."
    if sweep.plan.experiment is not None:
        return f"{text} The starts were chosen, so their shares estimate no probability."
    if "global_minimum" in counts:
        item = sweep.fractions()["global_minimum"]
        text += (
            f" With 95 % confidence between {number(100 * item.low, 4)} and "
            f"{number(100 * item.high, 4)} % of such starts end at a global minimum"
        )
        text += "; undecided ones are not counted as such." if item.highest > item.high else "."
    return text


def _question(sweep: Sweep) -> list[tuple[str, str]]:
    plan = sweep.plan
    p = plan.problem
    rows = [
        ("network", f"layers {'-'.join(map(str, p.dims))}, {p.loss_name} loss, {p.metric} flow"),
        ("starts", f"{plan.family.name}, seed {plan.seed}"),
    ]
    for name, values in plan.axes:
        shown = ", ".join(number(v) if isinstance(v, float) else str(v) for v in values[:12])
        rows.append((name, shown + (f" and {len(values) - 12} more" if len(values) > 12 else "")))
    horizon = "until the limit is decided" if plan.t_end is None else f"to t = {plan.t_end:g}"
    rows.append(("followed", f"{horizon}, tolerance {plan.rtol:g}"))
    rows.append(("status", f"{sweep.status}: {sweep.message}"))
    return rows


def _place(parameters: dict[str, Any]) -> str:
    told = [f"{k} {number(v) if isinstance(v, float) else v}" for k, v in parameters.items()]
    return ", ".join(told) or "all"


def _fractions(sweep: Sweep) -> list[dict[str, str]]:
    if sweep.plan.experiment is not None:
        return []
    rows: tuple[Fraction, ...] = sweep.fractions().rows
    return [
        {
            "where": _place(item.parameters),
            "label": item.label,
            "count": f"{item.count} of {item.n}",
            "fraction": number(item.fraction, 5),
            "interval": f"{number(item.low, 5)} to {number(item.high, 5)}",
        }
        for item in rows[:MOST_ROWS]
    ]


def _times(item: Times) -> dict[str, str]:
    parts = [
        f"{100 * q:g} %: {number(value)} ({number(low)} to {number(high)})"
        for q, value, low, high in item.quantiles
    ]
    return {
        "where": _place(item.parameters),
        "what": "certified" if item.learned is None else learned_words(item.learned),
        "n": str(item.n),
        "censored": str(item.censored),
        "quantiles": "; ".join(parts),
    }


def _provenance(sweep: Sweep, command: str | None) -> list[tuple[str, str]]:
    packages = ("numpy", "scipy", "pyarrow", "matplotlib")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    rows = [
        ("command", command or "not given (made from Python)"),
        ("fingerprint of the plan", sweep.plan.fingerprint),
        ("rows", sweep.folder or "in memory"),
    ]
    if sweep.stats.get("computed"):
        speed = number(sweep.stats["starts_per_second"])
        seconds = number(sweep.stats["seconds"])
        rows.append(
            ("computed", f"{sweep.stats['computed']} starts in {seconds} s, {speed} a second")
        )
    python = platform.python_version()
    return [*rows, ("versions", f"thalweg {thalweg.__version__}, Python {python}, {versions}")]
