"""Steps of an optimizer: the loss next to the flow's, and what became of the conserved matrices."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg._core import Array, DataError, number
from thalweg.optimizers import Descent, method_words
from thalweg.plot._axes import labels_beside, log_axis, thin
from thalweg.plot._style import CYCLE, INK, PALE, SETTINGS, dress, legend_above
from thalweg.problem import Problem
from thalweg.trajectory import Trajectory

PANELS = ("loss", "drift", "identity")
"""Panels of a descent, in the order in which they are read."""
FLOOR = 1e-17
"""Where an exact zero is drawn on a logarithmic axis."""
ROUNDING = 1e-14
"""Residual per step that rounding explains."""
MOST_POINTS = 1000
DEPTH = 1e-12
"""Part of the first loss above which the loss panel ends."""


def draw_descent(d: Descent, panel: str = "all", run: Trajectory | None = None) -> Figure:
    """Draw a descent.

    Parameters
    ----------
    d
        The descent.
    panel
        ``"all"``, ``"loss"``, ``"drift"`` or ``"identity"``.
    run
        The flow from the same start; computed if it is left out and there is one.

    Returns
    -------
    Figure
        With one axes for each panel, labelled by the panel's name (``ax.get_label()``).

    Raises
    ------
    DataError
        If there is no such panel.
    """
    if panel != "all" and panel not in PANELS:
        raise DataError(f"panel must be all or one of {', '.join(PANELS)}, got {panel!r}")
    names = panels_of(d) if panel == "all" else (panel,)
    index = thin(len(d.t), MOST_POINTS)
    with matplotlib.rc_context(SETTINGS):
        size = (8.2, 3.7 * len(names)) if len(names) > 1 else (8.2, 4.1)
        figure = Figure(figsize=size, layout="constrained")
        for place, name in enumerate(names, start=1):
            ax = figure.add_subplot(len(names), 1, place, label=name)
            ax.set_xlabel("step")
            ax.set_xlim(0, max(len(d.t) - 1, 1))
            if name == "loss":
                _loss(ax, d, index, run)
            elif name == "drift":
                _drift(ax, d, index)
            else:
                _identity(ax, d, index)
    return figure


def panels_of(d: Descent) -> tuple[str, ...]:
    """Return the panels that have something to show."""
    return PANELS if d.predicted else PANELS[:2]


def _loss(ax: Axes, d: Descent, index: Array, run: Trajectory | None) -> None:
    known = isinstance(d.problem, Problem)
    rest = d.problem.irreducible_loss if known else 0.0
    dress(ax, f"Loss: {method_words(d)}", "reducible loss" if known else "loss")
    loss = d.loss - rest
    top = float(loss.max())
    positive = loss[loss > DEPTH * top]
    if top > 0.0:
        log_axis(ax, 0.5 * float(positive.min()), 2.0 * top)
    ax.plot(index, loss[index], color=CYCLE[0], label=d.method, zorder=3)
    if known and not d.settings.adaptive and len(d.t) > 1:
        run = d.flow() if run is None else run
        inside = run.t <= d.t[-1]
        ax.plot(
            run.t[inside] / d.settings.time_per_step,
            run.reducible_loss[inside],
            color=INK,
            linewidth=1.2,
            linestyle=(0, (5, 2)),
            zorder=2,
            label="gradient flow at equal time",
        )
    legend_above(ax)


def _drift(ax: Axes, d: Descent, index: Array) -> None:
    dress(ax, "What became of what the flow conserves", "relative change of the C matrices")
    index = index[np.isfinite(d.drift[index])]
    drift = np.maximum(d.drift[index], FLOOR)
    seen = drift[drift > FLOOR]
    if seen.size == 0:
        log_axis(ax, 0.1 * FLOOR, 1.0)
        labels_beside(ax, [(FLOOR, "nothing to conserve", PALE)])
        return
    log_axis(ax, 0.3 * float(seen.min()), 3.0 * float(seen.max()))
    ax.plot(index, drift, color=CYCLE[1], label="measured", linewidth=3.2, alpha=0.55)
    if d.predicted:
        ax.plot(
            index,
            np.maximum(d.predicted_drift[index], FLOOR),
            color=INK,
            linewidth=1.1,
            linestyle=(0, (4, 2)),
            label="predicted from the steps alone",
        )
    labels_beside(ax, [(float(drift[-1]), number(float(drift[-1])), CYCLE[1])])
    legend_above(ax)


def _identity(ax: Axes, d: Descent, index: Array) -> None:
    dress(ax, "Each step against what it was bound to do", "relative residual of one step")
    if not d.predicted:
        log_axis(ax, FLOOR, 1e-10)
        ax.text(
            0.5,
            0.5,
            "nothing is predicted for this method",
            color=PALE,
            ha="center",
            transform=ax.transAxes,
        )
        return
    index = index[(index > 0) & np.isfinite(d.residual[index])]
    residual = np.maximum(d.residual[index], FLOOR)
    log_axis(ax, 0.5 * FLOOR, max(10.0 * ROUNDING, 3.0 * float(residual.max(initial=FLOOR))))
    ax.plot(index, residual, color=CYCLE[2], linestyle="", marker=".", markersize=3)
    ax.axhline(ROUNDING, color=PALE, linewidth=1.0, linestyle=(0, (4, 3)))
    labels_beside(ax, [(ROUNDING, "rounding: 10⁻¹⁴", PALE)])
