"""What the network has learned: strengths and singular values against those of the target."""

import numpy as np
from matplotlib.axes import Axes

from thalweg._core import Array, direction, number
from thalweg.plot._axes import labels_beside, log_axis
from thalweg.plot._style import PALE, colours, dress, legend_above
from thalweg.trajectory import Trajectory

MOST = 40
"""More curves than this cannot be told apart; the strongest are drawn."""

WIDE = 0.05
"""Ratio of the target's strengths below which a logarithmic axis is needed to see them all."""


def modes_panel(ax: Axes, run: Trajectory, index: Array) -> None:
    """Draw the diagonal of the end-to-end map in the target's basis, and its largest rest."""
    dress(ax, "Directions of the target, learned one after another", "learned strength")
    modes = run.modes[index]
    strengths = np.diagonal(modes, axis1=-2, axis2=-1)
    count = min(strengths.shape[1], len(run.problem.singular_values), MOST)
    diagonal = np.eye(modes.shape[1], modes.shape[2], dtype=bool)
    if not diagonal.all():
        rest = np.abs(np.where(diagonal, 0.0, modes)).max(axis=(-2, -1))
        ax.plot(
            run.t[index],
            rest,
            color=PALE,
            linewidth=1.0,
            zorder=2,
            label="largest entry that mixes directions",
        )
    _against_target(ax, run, index, strengths[:, :count])


def singular_values_panel(ax: Axes, run: Trajectory, index: Array) -> None:
    """Draw the singular values of the end-to-end map."""
    dress(ax, "Singular values of the whole network's map", "singular value")
    values = run.singular_values[index]
    count = min(values.shape[1], len(run.problem.singular_values), MOST)
    _against_target(ax, run, index, values[:, :count])


def _against_target(ax: Axes, run: Trajectory, index: Array, curves: Array) -> None:
    t, target = run.t[index], run.problem.singular_values
    count = curves.shape[1]
    palette = colours(count)
    for i in reversed(range(count)):
        ax.axhline(
            target[i],
            color=palette[i],
            linewidth=1.0,
            linestyle=(0, (1, 2)),
            zorder=1,
            label="target" if i == 0 else None,
        )
        ax.plot(
            t,
            curves[:, i],
            color=palette[i],
            marker="o" if t[0] == t[-1] else "",
            zorder=3,
            linewidth=1.8 if count <= 12 else 1.2,
            label="network" if i == 0 else None,
        )
    top = max(float(target[:1].max(initial=0.0)), float(curves.max(initial=0.0)), 1e-300)
    low = min(float(curves.min(initial=0.0)), 0.0)
    wanted = target[: min(count, run.problem.target_rank)]
    if len(wanted) and wanted[-1] < WIDE * wanted[0]:
        log_axis(ax, 0.1 * float(wanted[-1]), 1.6 * top)
    else:
        ax.set_ylim(low - 0.04 * (top - low), top + 0.06 * (top - low))
    sigma = [value if i < run.problem.target_rank else 0.0 for i, value in enumerate(target)]
    labels_beside(
        ax,
        [(target[i], f"{direction(i)} = {number(sigma[i])}", palette[i]) for i in range(count)],
    )
    legend_above(ax)
