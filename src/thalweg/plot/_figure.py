"""Panels of a run put together on one sheet, or one alone."""

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg._core import DataError
from thalweg.plot._axes import thin, time_axis
from thalweg.plot._check_panels import drift_panel, norms_panel
from thalweg.plot._loss_panel import loss_panel
from thalweg.plot._strength_panels import modes_panel, singular_values_panel
from thalweg.plot._style import PALE, SETTINGS
from thalweg.trajectory import Trajectory

PANELS = {
    "loss": loss_panel,
    "modes": modes_panel,
    "singular_values": singular_values_panel,
    "drift": drift_panel,
    "norms": norms_panel,
}
"""Panels of a run by name, in the order in which they are read."""


def draw_run(run: Trajectory, panel: str = "all", max_points: int = 1000) -> Figure:
    """Draw a run.

    Parameters
    ----------
    run
        The run.
    panel
        ``"all"`` or one of `PANELS`.
    max_points
        Longer series are thinned to so many points; the figure says so.

    Returns
    -------
    Figure
        With one axes for each panel, labelled by the panel's name (``ax.get_label()``).

    Raises
    ------
    DataError
        If there is no such panel or `max_points` is less than 2.
    """
    if panel != "all" and panel not in PANELS:
        raise DataError(f"panel must be all or one of {', '.join(PANELS)}, got {panel!r}")
    if max_points < 2:
        raise DataError(f"max_points must be at least 2, got {max_points!r}")
    index = thin(len(run.t), max_points)
    with matplotlib.rc_context(SETTINGS):
        names = list(PANELS) if panel == "all" else [panel]
        figure, axes = _sheet(names)
        for name, ax in axes.items():
            time_axis(ax, run, f"flow time t  ({_clock(run)})")
            PANELS[name](ax, run, index)
        note = thinning_note(run, max_points)
        if note:
            figure.supxlabel(note, fontsize=8, color=PALE, x=0.01, ha="left")
    return figure


def thinning_note(run: Trajectory, max_points: int = 1000) -> str:
    """Return how many points of the run are drawn, or an empty string if all are."""
    if len(run.t) <= max_points:
        return ""
    drawn = len(thin(len(run.t), max_points))
    return f"Drawn: {drawn} of the run's {len(run.t)} points."


def _sheet(names: list[str]) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with the first panel across and the others in pairs."""
    if len(names) == 1:
        figure = Figure(figsize=(8.2, 4.1), layout="constrained")
        ax = figure.add_subplot()
        ax.set_label(names[0])
        return figure, {names[0]: ax}
    figure = Figure(figsize=(13.0, 12.0), layout="constrained")
    grid = figure.add_gridspec(3, 2)
    axes = {names[0]: figure.add_subplot(grid[0, :])}
    for position, name in enumerate(names[1:]):
        axes[name] = figure.add_subplot(grid[1 + position // 2, position % 2])
    for name, ax in axes.items():
        ax.set_label(name)
    return figure, axes


def _clock(run: Trajectory) -> str:
    """Return the clock in signs: which loss, in which metric."""
    metric = "" if run.problem.metric == "raw" else ", inputs whitened"
    return f"dW/dt = −∇ of the {run.problem.loss_name} loss{metric}"
