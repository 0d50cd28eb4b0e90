"""Heat maps of a sweep: directions learned over time, and verdicts over two parameters."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from thalweg._core import Array, number
from thalweg.basins import Sweep, plotted_axes, staircase
from thalweg.plot._style import INK, PALE, PAPER, dress

TIMES = 240
"""Columns of the heat map."""


def staircase_panel(ax: Axes, sweep: Sweep) -> None:
    """Draw the mean number of directions learned over time, a row for each point of the grid."""
    low, high = sweep.certified_range or (1.0, 10.0)
    edges = np.geomspace(low / 4.0, high * 1.5, TIMES + 1)
    middle = np.sqrt(edges[:-1] * edges[1:])
    learned = staircase(sweep.plan, sweep.batches(), middle)
    most = max(1, sweep.plan.setting.known.rank)
    order = np.arange(len(learned))
    image = ax.pcolormesh(
        edges, np.arange(len(order) + 1) - 0.5, learned, cmap="viridis", vmin=0, vmax=most
    )
    image.set_rasterized(True)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02)
    bar.set_label("directions learned, mean")
    bar.set_ticks(_integers(most))
    dress(ax, "From saddle to saddle", "")
    names = [_name(point, sweep) for point in sweep.plan.points]
    keep = range(0, len(names), max(1, math.ceil(len(names) / 14)))
    ax.yaxis.set_major_locator(FixedLocator(list(keep)))
    ax.yaxis.set_major_formatter(FixedFormatter([names[i] for i in keep]))
    ax.set_xscale("log")
    ax.set_xlabel("flow time t")
    ax.grid(visible=False)


def _integers(most: int) -> list[int]:
    step = max(1, math.ceil(most / 8))
    return list(range(0, most + 1, step))


def _name(point: dict[str, Any], sweep: Sweep) -> str:
    axes = plotted_axes(sweep.plan)
    return ", ".join(f"{name} {_short(point[name])}" for name, _ in axes) or "all starts"


def _short(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


def map_values(sweep: Sweep) -> tuple[Array, list[str], list[str]] | None:
    """Return the share of global minima over two parameters, and their values in words."""
    axes = plotted_axes(sweep.plan)
    if len(axes) != 2:
        return None
    (first, rows), (second, columns) = axes
    share = np.full((len(rows), len(columns)), np.nan)
    names = [_short(value) for value in rows], [_short(value) for value in columns]
    for item in sweep.fractions().kinds:
        place = names[0].index(_short(item.parameters[first]))
        other = names[1].index(_short(item.parameters[second]))
        if item.kind == "global_minimum":
            share[place, other] = item.fraction
        elif np.isnan(share[place, other]):
            share[place, other] = 0.0
    return share, names[0], names[1]


def map_panel(ax: Axes, sweep: Sweep) -> None:
    """Draw the share of starts that end at a global minimum over two parameters."""
    found = map_values(sweep)
    if found is None:
        return
    share, rows, columns = found
    image = ax.pcolormesh(share, cmap="viridis", vmin=0.0, vmax=1.0, edgecolors=PAPER, linewidth=1)
    ax.figure.colorbar(image, ax=ax, pad=0.02).set_label("share of global minima")
    if share.size <= 120:
        for (i, j), value in np.ndenumerate(share):
            if np.isfinite(value):
                ink = INK if value > 0.55 else PAPER
                text = number(float(value))
                ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=ink, fontsize=8)
    (first, _), (second, _) = plotted_axes(sweep.plan)
    dress(ax, "Which start leads to a global minimum", first)
    ax.set_xlabel(second)
    ax.xaxis.set_major_locator(FixedLocator([j + 0.5 for j in range(len(columns))]))
    ax.xaxis.set_major_formatter(FixedFormatter(columns))
    ax.yaxis.set_major_locator(FixedLocator([i + 0.5 for i in range(len(rows))]))
    ax.yaxis.set_major_formatter(FixedFormatter(rows))
    ax.tick_params(color=PALE)
    ax.grid(visible=False)
