"""A run of a network with an activation: loss, what is conserved, norms, kinks."""

import types
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.nonlinear import ShallowTrajectory
from thalweg.plot._axes import log_axis, time_axis
from thalweg.plot._style import CYCLE, INK, PALE, SETTINGS, dress, legend_above

LOWEST = 1e-17
"""Drift below this is drawn here."""


def draw_shallow(run: ShallowTrajectory) -> Figure:
    """Draw a run of a shallow network.

    Parameters
    ----------
    run
        The run.

    Returns
    -------
    Figure
        With axes ``loss``, ``drift`` and ``norms`` (``ax.get_label()``).
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(11.0, 8.0), layout="constrained")
        grid = figure.add_gridspec(2, 2)
        places = {"loss": grid[0, :], "drift": grid[1, 0], "norms": grid[1, 1]}
        seen: Any = types.SimpleNamespace(
            t=run.t,
            reducible_loss=run.loss,
            singular_values=run.layer_norms,
            layer_norms=run.layer_norms,
        )
        for name, place in places.items():
            ax = figure.add_subplot(place)
            ax.set_label(name)
            time_axis(ax, seen, f"flow time t  (dW/dt = −∇ of the {run.problem.loss_name} loss)")
            _PANELS[name](ax, run)
        figure.supxlabel(run.law.message, fontsize=8, color=PALE, x=0.01, ha="left")
    return figure


def _loss(ax: Axes, run: ShallowTrajectory) -> None:
    dress(ax, f"Loss of a {run.problem.activation.name} network", f"loss ({run.problem.loss_name})")
    positive = run.loss[run.loss > 0.0]
    if len(positive):
        low, high = float(positive.min()), float(positive.max())
        log_axis(ax, max(0.5 * low, 1e-22 * high), 2.0 * high)
    ax.plot(run.t, run.loss, color=INK, label="loss along the flow", zorder=3)
    times = run.kink_times
    if len(times):
        ax.plot(
            times,
            np.full(len(times), 0.02),
            transform=ax.get_xaxis_transform(),
            linestyle="",
            marker="|",
            markersize=9,
            color=CYCLE[1],
            label=f"kinks: {run.kinks_crossed} crossed, {run.kinks_held} held for a while",
        )
    legend_above(ax)


def _drift(ax: Axes, run: ShallowTrajectory) -> None:
    word = "conserved" if run.law.holds else "not conserved"
    dress(ax, f"Change of the invariants: {word} on these data", "largest relative change of q")
    series = {"as integrated": run.raw_drift}
    if run.law.holds:
        series["put right onto the law"] = run.drift
    top = max((float(np.nanmax(item, initial=0.0)) for item in series.values()), default=0.0)
    high = max(10.0 * top, 1e-6)
    log_axis(ax, LOWEST if run.law.holds else 1e-8 * high, high)
    for colour, (label, values) in zip(CYCLE, series.items(), strict=False):
        ax.plot(run.t, np.maximum(values, LOWEST), color=colour, label=label)
    legend_above(ax)


def _norms(ax: Axes, run: ShallowTrajectory) -> None:
    dress(ax, "Size of the layers", "spectral norm")
    for j, colour in enumerate(CYCLE[:2]):
        ax.plot(run.t, run.layer_norms[:, j], color=colour, label=("W₁", "W₂")[j])
    ax.set_ylim(bottom=0.0)
    legend_above(ax)


_PANELS = {"loss": _loss, "drift": _drift, "norms": _norms}
