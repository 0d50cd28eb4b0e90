"""The page: everything that the template shows, in words and numbers."""

import math
from typing import Any

from thalweg._core import learned_words, number
from thalweg.basins import Sweep
from thalweg.certificate import Certificate, Hypothesis
from thalweg.optimizers import Descent
from thalweg.report._answer import KINDS, two_sentences
from thalweg.report._captions import captions
from thalweg.report._descent import descent_sections
from thalweg.report._formulas import FLOW, LOSS, MEAN_LOSS, formula
from thalweg.report._landscape import landscape
from thalweg.report._meaning import ASSUMPTIONS, GLOSSARY, LOSSES, METRICS, REASONS, RULES, VERDICTS
from thalweg.report._pictures import inline, inline_pictures, landscape_figures, rendered
from thalweg.report._provenance import provenance
from thalweg.report._sweep import sweep_sections
from thalweg.report._templates import environment
from thalweg.trajectory import Trajectory

MOST_VALUES = 12
"""Longer lists of singular values are cut in the text; the pictures show them."""


def page(
    run: Trajectory,
    name: str,
    command: str | None,
    *,
    sweep: Sweep | None = None,
    descent: Descent | None = None,
    proof: Certificate | None = None,
    start: str | None = None,
    sampled: bool = True,
) -> str:
    """Return the whole page; every text that comes from outside is escaped by the template."""
    env = environment()
    pictures, told = inline_pictures(run), captions(run)
    return env.get_template("report.html.j2").render(
        style=env.get_template("style.css").render(),
        name=name,
        answer=two_sentences(run),
        loss_formula=formula(LOSS if run.problem.loss_name == "sum" else MEAN_LOSS),
        flow_formula=formula(FLOW),
        question=_question(run) | {"sampled": sampled},
        assumptions=_assumptions(run),
        pictures=[
            {"id": key, "svg": pictures[key], "title": told[key][0], "caption": told[key][1]}
            for key in pictures
        ],
        plateaus=_plateaus(run),
        limit=_limit(run),
        landscape=landscape(run),
        views={
            key: inline(rendered(figure, "svg"), key)
            for key, figure in landscape_figures(run).items()
        },
        certificate=_certificate(run),
        proof=None if proof is None else proof.summary_rows(),
        sweep=None if sweep is None else sweep_sections(sweep),
        descent=None if descent is None else descent_sections(descent),
        glossary=GLOSSARY,
        provenance=provenance(run, command, start),
    )


def _question(run: Trajectory) -> dict[str, Any]:
    problem = run.problem
    values = problem.singular_values.copy()
    values[problem.target_rank :] = 0.0
    sigma = ", ".join(number(value, 4) for value in values[:MOST_VALUES])
    more = len(problem.singular_values) - MOST_VALUES
    return {
        "samples": problem.n_samples,
        "inputs": problem.dims[0],
        "outputs": problem.dims[-1],
        "depth": problem.depth,
        "dims": " → ".join(map(str, problem.dims)),
        "parameters": problem.n_parameters,
        "metric": METRICS[problem.metric],
        "loss": LOSSES[problem.loss_name],
        "sigma": sigma + (f" and {more} more" if more > 0 else ""),
        "irreducible": number(problem.irreducible_loss, 6),
        "start_loss": number(float(run.loss[0]), 6),
        "start_norms": ", ".join(number(float(value)) for value in run.layer_norms[0]),
    }


def _assumptions(run: Trajectory) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            "holds": item.holds,
            "value": number(item.value),
            "needed": "≥" if item.name.startswith("A1") else ">",
            "threshold": number(item.threshold),
            "message": item.message,
            "meaning": ASSUMPTIONS[item.name][0 if item.holds else 1],
        }
        for item in run.problem.assumptions
    ]


def _plateaus(run: Trajectory) -> list[dict[str, str]]:
    return [
        {
            "learned": learned_words(item.learned),
            "loss": number(item.loss, 5),
            "enter": number(item.t_enter),
            "exit": number(item.t_exit),
            "duration": number(item.duration),
            "closest": f"{100 * item.closest:.2g} %",
        }
        for item in run.plateaus
    ]


def _limit(run: Trajectory) -> dict[str, Any]:
    limit, verdict = run.limit, run.limit.verdict
    rows = [
        ("kind", KINDS[verdict.kind]),
        ("learned", learned_words(verdict.learned)),
        ("rank of the network's map", str(verdict.rank)),
        ("reducible loss there", number(verdict.loss, 6)),
        ("critical value of what is learned", number(verdict.critical_value, 6)),
        ("size of the gradient there", number(verdict.gradient_norm)),
        ("decided by", limit.decided_by),
        ("distance from the last point computed", number(limit.polish_distance)),
    ]
    if limit.tail_error is not None:
        rows.append(("estimated relative error of the limit", number(limit.tail_error, 2)))
    if verdict.inertia is not None:
        down, flat, up = verdict.inertia
        rows.append(
            ("curvature", f"{down} directions down, {flat} flat, {up} up (Hessian eigenvalues)")
        )
    return {
        "rows": rows,
        "certified": limit.certified,
        "decided": verdict.kind != "undecided",
        "reason": REASONS.get(limit.decided_by, limit.message),
        "meaning": VERDICTS[verdict.kind],
    }


def _certificate(run: Trajectory) -> dict[str, Any]:
    certificate = run.certificate
    return {
        "message": certificate.message.removeprefix("proved: "),
        "time": number(certificate.time),
        "loss": number(certificate.reducible_loss, 4),
        "rule": RULES[certificate.rule],
        "hypotheses": [
            {
                "name": item.name,
                "holds": item.holds,
                "value": number(item.value),
                "needed": ">" if item.strict else "≥",
                "threshold": number(item.threshold),
                "message": item.message + _missing(item),
            }
            for item in certificate.hypotheses
        ],
        "rows": _consequences(run),
    }


def _missing(item: Hypothesis) -> str:
    return f"; it misses by {number(item.shortfall)}" if item.holds is False else ""


def _consequences(run: Trajectory) -> list[tuple[str, str]]:
    """List what follows from the certificate, in numbers."""
    certificate = run.certificate
    bounds = ", ".join(number(float(value)) for value in certificate.norm_bounds)
    rows = [("no layer grows beyond (spectral norms, as the data see them)", bounds)]
    if certificate.rate > 0.0:
        excess = certificate.reducible_loss - certificate.least_loss
        when = certificate.time_to_reach(certificate.least_loss + 0.01 * excess)
        rows += [
            ("rate", f"{number(certificate.rate)}: the loss falls like exp(−2 × rate × time)"),
            ("99 % of what is left has gone by flow time", number(when)),
            ("the weights move no further than", number(certificate.path_bound)),
        ]
    start = run.start_certificate
    if start.rate > 0.0 and start.time < certificate.time:
        rows.append(("rate proved at the start already", number(start.rate)))
    step = number(certificate.safe_step) if math.isfinite(certificate.safe_step) else "any size"
    rows += [
        ("step size with which gradient descent from here never raises the loss", step),
        (
            "worst-case exponent of convergence (for information)",
            f"10 to the power {number(certificate.lojasiewicz_log10)}",
        ),
    ]
    return rows
