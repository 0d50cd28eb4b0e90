"""A descent and the flow from the same start at equal times."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg._core import Array
from thalweg.optimizers import Comparison
from thalweg.plot._axes import log_axis
from thalweg.plot._style import CYCLE, INK, SETTINGS, dress, legend_above


def draw_comparison(found: Comparison) -> Figure:
    """Draw both losses and the distance of the weights against the time.

    Parameters
    ----------
    found
        What ``Descent.compare`` returned.

    Returns
    -------
    Figure
        With the axes ``"loss"`` and ``"distance"`` (``ax.get_label()``).
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(10.5, 4.4), layout="constrained")
        loss = figure.add_subplot(1, 2, 1, label="loss")
        distance = figure.add_subplot(1, 2, 2, label="distance")
        dress(loss, "Loss at equal times", "loss")
        dress(distance, "Distance from the flow", "relative distance of the weights")
        _logarithmic(loss, np.concatenate([found.loss, found.flow_loss]))
        _logarithmic(distance, found.distance)
        loss.plot(found.t, found.loss, color=CYCLE[0], marker="o", label="steps")
        loss.plot(found.t, found.flow_loss, color=INK, linestyle=(0, (5, 2)), label="flow")
        apart = found.distance > 0.0  # at the start they are the same
        distance.plot(found.t[apart], found.distance[apart], color=CYCLE[1], marker="o")
        for ax in (loss, distance):
            ax.set_xlabel("flow time t")
        legend_above(loss)
    return figure


def _logarithmic(ax: Axes, values: Array) -> None:
    positive = values[np.isfinite(values) & (values > 0.0)]
    if positive.size:
        log_axis(ax, 0.5 * float(positive.min()), 2.0 * float(positive.max()))
