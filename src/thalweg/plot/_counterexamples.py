"""The paper's Eq. (1) and the planar function behind it."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.counterexamples import GradientRun, GradientSystem, bounds_eq1
from thalweg.plot._style import CYCLE, GRID, INK, PALE, SETTINGS, colours, dress, legend_above

HEIGHTS = (5.0, 10.0, 20.0, 30.0)
"""Starts ``z_0`` of the bounded system."""
START = (0.5, 0.5)
"""Start ``(x_0, y_0)``, inside the square for which the paper says that runs are unbounded."""
STARTS = ((0.5, 0.5), (-0.5, -0.4), (1.5, 0.3), (-1.2, 0.2))
"""Starts of the planar flow."""
LATE = 1e5


def draw_systems(systems: Sequence[GradientSystem]) -> Figure:
    """Draw the trajectories of one or more of the two systems, a row of two panels for each.

    Parameters
    ----------
    systems
        ``thalweg.counterexamples.bounded_eq1`` and ``unbounded``, or one of them.

    Returns
    -------
    Figure
        Axes are labelled ``bounded_eq1 plane``, ``bounded_eq1 time`` and so on.
    """
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(11.0, 4.6 * len(systems)), layout="constrained")
        grid = figure.add_gridspec(len(systems), 2)
        for row, system in enumerate(systems):
            for column, (name, panel) in enumerate(_PANELS[system.bounded].items()):
                ax = figure.add_subplot(grid[row, column])
                ax.set_label(f"{system.name} {name}")
                panel(ax, system)
    return figure


def draw_gradient_run(run: GradientRun) -> Figure:
    """Draw the value and the distance from the origin over time."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(11.0, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.set_label("value")
        right.set_label("norm")
        dress(left, "Value along the flow", "f")
        left.plot(run.t, run.loss, color=INK, label="f")
        if run.evidence is not None:
            level = run.evidence.level.value
            left.axhline(level, color=CYCLE[1], linestyle="--", label="no critical point below")
        word = "unbounded" if run.status == "diverged" else run.status
        dress(right, f"Distance from the origin ({word})", "|x|")
        right.plot(run.t, np.linalg.norm(run.x, axis=1), color=INK, label="|x|")
        for ax in (left, right):
            _log_time(ax, run)
            legend_above(ax)
        low = run.loss[run.loss > 0.0]
        if len(low) == len(run.loss) and low.max() > 100.0 * low.min():
            left.set_yscale("log")
    return figure


def _log_time(ax: Axes, run: GradientRun) -> None:
    ax.set_xlabel("flow time t")
    end = float(run.t[-1])
    if end > 0.0:
        ax.set_xscale("symlog", linthresh=max(1e-6 * end, min(1e-2, 0.1 * end)))
        ax.set_xlim(0.0, end)


def _arcs(ax: Axes, system: GradientSystem) -> None:
    dress(ax, "Eq. (1): every trajectory is bounded", "z")
    angle = np.linspace(0.0, np.pi / 2, 200)
    for height, colour in zip(HEIGHTS, colours(len(HEIGHTS)), strict=True):
        run = system.flow((*START, height))
        ax.plot(run.x[:, 1], run.x[:, 2], color=colour, label=f"z₀ = {height:g}")
        ax.plot(*run.x[-1, 1:], marker="o", color=colour, markersize=5, clip_on=False)
        radius = np.hypot(START[1], height)
        ax.plot(radius * np.cos(angle), radius * np.sin(angle), color=PALE, linewidth=0.8, ls=":")
    ax.set_xlabel("y   (dotted: circles y² + z² = y₀² + z₀²; dots: limits, z = 0)")
    ax.set_xlim(0.0, None)
    ax.set_ylim(0.0, None)
    legend_above(ax)


def _settling(ax: Axes, system: GradientSystem) -> None:
    height = HEIGHTS[1]
    run = system.flow((*START, height))
    dress(ax, f"Eq. (1) over time, z₀ = {height:g}", "coordinate")
    for k, name in enumerate(system.variables):
        ax.plot(run.t, np.abs(run.x[:, k]), color=CYCLE[k], label=f"|{name}|")
    bound = bounds_eq1((*START, height))[1]
    ax.axhline(bound, color=CYCLE[1], linestyle="--", linewidth=1.2, label="proved bound of |y|")
    ax.set_ylim(0.0, 1.05 * bound)
    _log_time(ax, run)
    legend_above(ax)


def _valley(ax: Axes, system: GradientSystem) -> None:
    dress(ax, "g: trajectories run off along a valley", "y")
    x, y = np.meshgrid(np.linspace(-2.0, 2.0, 240), np.linspace(-6.0, 6.0, 240))
    values: Any = 0.5 * x**2 + 0.5 * (1.0 - x * y) ** 2
    levels = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
    ax.contour(x, y, values, levels=levels, colors=GRID, linewidths=0.9)
    ax.contour(x, y, values, levels=[0.5], colors=CYCLE[1], linewidths=1.3, linestyles="--")
    for start, colour in zip(STARTS, colours(len(STARTS)), strict=True):
        run = system.flow(start, 1e3)
        ax.plot(run.x[:, 0], run.x[:, 1], color=colour)
        ax.plot(*start, marker="o", color=colour, markersize=4)
    ax.plot(0.0, 0.0, marker="x", color=INK, label="the only critical point, g = ½")
    ax.plot([], [], color=CYCLE[1], ls="--", label="g = ½: below it no run is bounded")
    ax.set_xlim(-2.0, 2.0)
    ax.set_ylim(-6.0, 6.0)
    ax.set_xlabel("x")
    legend_above(ax)


def _running_off(ax: Axes, system: GradientSystem) -> None:
    run = system.flow(START, LATE)
    t = np.geomspace(1.0, LATE, 200)
    dress(ax, "g over time: y grows without end, g falls to 0", "y, and g")
    ax.plot(run.t[1:], run.x[1:, 1], color=CYCLE[0], label="y")
    ax.plot(t, (4.0 * t) ** 0.25, color=CYCLE[0], ls=":", label="(4t)^¼")
    ax.plot(run.t[1:], run.loss[1:], color=CYCLE[2], label="g")
    ax.plot(t, 0.25 / np.sqrt(t), color=CYCLE[2], ls=":", label="1/(4√t)")
    ax.axhline(0.5, color=CYCLE[1], linestyle="--", linewidth=1.2, label="g = ½")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(1e-2, LATE)
    ax.set_xlabel("flow time t")
    legend_above(ax, columns=5)


_PANELS = {
    True: {"plane": _arcs, "time": _settling},
    False: {"plane": _valley, "time": _running_off},
}
