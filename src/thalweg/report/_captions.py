"""Below every picture: what to see in it."""

import numpy as np

from thalweg._core import number
from thalweg.trajectory import Trajectory


def captions(run: Trajectory) -> dict[str, tuple[str, str]]:
    """Return heading and caption of every panel, in the words that fit this run."""
    return {
        "loss": ("How the loss falls", _loss(run)),
        "modes": ("What is learned, and when", _modes(run)),
        "singular_values": (
            "The network's map against the target",
            "Dotted: the singular values of the target. A curve that stays at zero, or below "
            "the picture, is a direction "
            "that the network's map does not use.",
        ),
        "drift": ("What must not change", _drift(run)),
        "norms": ("How large the weights get", _norms(run)),
    }


def _loss(run: Trajectory) -> str:
    text = (
        "Dashed lines are the critical values, the only levels at which the flow can stand still. "
    )
    count = len(run.plateaus)
    if count:
        passages = "passage" if count == 1 else "passages"
        text += f"Shaded: {count} slow {passages} near a saddle. "
    certificate = run.certificate
    if certificate.rate > 0.0:
        text += (
            f"From flow time {number(certificate.time)} on the loss is proved to stay below the "
            "orange line. "
        )
    elif certificate.converges_to_global:
        text += "The diamond marks the point from which the limit is proved; no rate is. "
    if run.limit.verdict.kind == "global_minimum" and run.status == "limit":
        text += "The curve may leave the panel at the bottom: the picture ends where nothing new "
        text += "happens."
    return text.strip()


def _modes(run: Trajectory) -> str:
    text = (
        "Each curve is the strength that the network has learned in one direction of the target; "
        "it is learned when the curve reaches its dotted line."
    )
    half = 0.5 * run.problem.singular_values
    strengths = np.diagonal(run.modes, axis1=-2, axis2=-1)[:, : len(half)]
    at = [
        float(run.t[np.argmax(strengths[:, i] >= half[i])])
        for i in range(min(4, strengths.shape[1]))
        if half[i] > 0.0 and strengths[0, i] < half[i] and strengths[:, i].max() >= half[i]
    ]
    if len(at) > 1:
        times = ", ".join(number(value) for value in at)
        text += f" The strongest directions are half learned at flow times {times}."
    return text


def _drift(run: Trajectory) -> str:
    if run.problem.depth == 1:
        return "A network of one layer has nothing to conserve."
    return (
        "The exact flow leaves the matrices C unchanged. The largest relative change in this run "
        f"is {number(float(run.drift.max()), 2)}."
    )


def _norms(run: Trajectory) -> str:
    bounds = ", ".join(number(float(value)) for value in run.certificate.flow_norm_bounds)
    return (
        "Dashed: no layer can ever grow beyond these bounds; that is proved from the conserved "
        f"matrices and the loss. From flow time {number(run.certificate.time)} on they are "
        f"{bounds}."
    )
