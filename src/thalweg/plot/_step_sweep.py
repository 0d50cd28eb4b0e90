"""Drift and distance from the flow against the step size."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg._core import Array
from thalweg.optimizers import DriftCurve
from thalweg.plot._axes import log_axis
from thalweg.plot._style import CYCLE, INK, SETTINGS, dress, legend_above


def draw_step_sweep(curve: DriftCurve) -> Figure:
    """Draw drift and distance against the step size.

    Parameters
    ----------
    curve
        What `drift_against_step` returned.

    Returns
    -------
    Figure
        With the axes ``"drift"`` and ``"distance"`` (``ax.get_label()``).
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(10.5, 4.4), layout="constrained")
        drift = figure.add_subplot(1, 2, 1, label="drift")
        distance = figure.add_subplot(1, 2, 2, label="distance")
        fine = np.isfinite(curve.drift)
        lr = curve.lr[fine]
        for ax in (drift, distance):
            ax.set_xlabel("step size (lr)")
        dress(drift, f"Drift at flow time {curve.t_end:.4g}", "relative change of the C matrices")
        dress(distance, "Distance from the flow", "relative distance of the weights")
        if lr.size:
            _drift(drift, curve, lr, fine)
            _distance(distance, curve, lr, fine)
    return figure


def _drift(ax: Axes, curve: DriftCurve, lr: Array, fine: Array) -> None:
    line = curve.slope * lr
    both = np.concatenate([line, curve.drift[fine]])
    positive = both[both > 0.0]
    ax.set_xscale("log")
    if positive.size:
        log_axis(ax, 0.5 * float(positive.min()), 2.0 * float(positive.max()))
    label = "slope predicted by the flow"
    ax.plot(lr, line, color=INK, linewidth=1.2, linestyle=(0, (5, 2)), label=label)
    ax.plot(lr, curve.drift[fine], color=CYCLE[1], marker="o", linestyle="", label="measured")
    ax.plot(
        lr,
        curve.predicted_drift[fine],
        color=INK,
        marker="x",
        linestyle="",
        label="sum of the steps' identities",
    )
    legend_above(ax, columns=3)


def _distance(ax: Axes, curve: DriftCurve, lr: Array, fine: Array) -> None:
    gap = curve.distance[fine]
    ax.set_xscale("log")
    log_axis(ax, 0.5 * float(gap.min()), 2.0 * float(gap.max()))
    line = gap[-1] * lr / lr[-1]
    ax.plot(lr, line, color=INK, linewidth=1.2, linestyle=(0, (5, 2)), label="order one")
    ax.plot(lr, gap, color=CYCLE[0], marker="o", linestyle="", label=curve.method)
    legend_above(ax)
