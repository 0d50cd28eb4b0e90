"""What must hold on the way: conserved matrices and proved bounds of the layers."""

import numpy as np
from matplotlib.axes import Axes

from thalweg._core import LOWER, Array, number
from thalweg.plot._axes import labels_beside, log_axis
from thalweg.plot._style import CYCLE, INK, PALE, colours, dress, legend_above
from thalweg.trajectory import Trajectory

FLOOR = 1e-17
"""Where an exact zero is drawn on a logarithmic axis."""
GOAL = 1e-12
"""Drift that the integration promises to stay below."""


def drift_panel(ax: Axes, run: Trajectory, index: Array) -> None:
    """Draw the drift of the conserved matrices."""
    dress(ax, "Drift of what the flow conserves", "relative change of the C matrices")
    t, drift = run.t[index], np.maximum(run.drift[index], FLOOR)
    log_axis(ax, 0.5 * FLOOR, max(100.0 * GOAL, 10.0 * float(drift.max())))
    marker = "o" if t[0] == t[-1] else ""
    ax.plot(t, drift, color=CYCLE[0], marker=marker)
    ax.axhline(GOAL, color=PALE, linewidth=1.0, linestyle=(0, (4, 3)))
    labels = [(GOAL, "promised: 10⁻¹²", PALE)]
    if run.problem.depth == 1:
        labels.append((FLOOR, "nothing to conserve", INK))
    elif float(run.drift.min()) < FLOOR:
        labels.append((FLOOR, "exactly zero", PALE))
    labels_beside(ax, labels)


def norms_panel(ax: Axes, run: Trajectory, index: Array) -> None:
    """Draw the spectral norm of each layer and the bounds that are proved for it.

    Until the certificate holds the bounds are those of the start, valid for all times.
    """
    dress(ax, "Size of the layers under their proved bounds", "spectral norm of a layer")
    t, norms = run.t[index], run.layer_norms[index]
    times, bounds = _bounds(run)
    palette = colours(norms.shape[1])
    for j in range(norms.shape[1]):
        first = j == 0
        ax.plot(
            t,
            norms[:, j],
            color=palette[j],
            marker="o" if t[0] == t[-1] else "",
            zorder=3,
            label="norm of the layer" if first else None,
        )
        ax.step(
            times,
            bounds[:, j],
            where="post",
            color=palette[j],
            linewidth=1.2,
            linestyle=(0, (5, 2)),
            zorder=2,
            label="proved bound for all later times" if first else None,
        )
    top = max(float(bounds.max()), float(norms.max()), 1e-300)
    positive = norms[norms > 0.0]
    if positive.size and top > 20.0 * float(norms.max()):
        log_axis(ax, max(0.5 * float(positive.min()), 1e-6 * top), 2.0 * top)
    else:
        ax.set_ylim(0.0, 1.08 * top)
    labels_beside(
        ax,
        [
            *_grouped(norms[-1], "", palette, 0.05 * top),
            *_grouped(bounds[-1], " at most ", palette, 0.05 * top),
        ],
    )
    legend_above(ax)


def _bounds(run: Trajectory) -> tuple[Array, Array]:
    """Return times and, for each, the layers' bounds from then on; ends at the run's end."""
    then, now = run.start_certificate.flow_norm_bounds, run.certificate.flow_norm_bounds
    begin, end = run.certificate.time, float(run.t[-1])
    if begin >= end:
        return np.array([0.0, end if end > 0.0 else 1.0]), np.stack([then, then])
    # A bound of the start stays true, so the smaller one counts.
    best = np.minimum(then, now)
    return np.array([0.0, begin, end]), np.stack([then, best, best])


def _grouped(
    values: Array, joint: str, palette: list[str], near: float
) -> list[tuple[float, str, str]]:
    """Label layers; those at about the same height share a label, which gives the largest."""
    out, left = [], list(np.argsort(-values, kind="stable"))
    while left:
        group = sorted(j for j in left if values[left[0]] - values[j] <= near)
        names = ", ".join("W" + str(j + 1).translate(LOWER) for j in group)
        if len(group) > 4:
            names = f"{len(group)} layers"
        height = float(values[left[0]])
        out.append((height, names + (joint + number(height) if joint else ""), palette[group[0]]))
        left = [j for j in left if j not in group]
    return out
