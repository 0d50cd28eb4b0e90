"""Pictures of a sweep: fractions, times, the staircase of plateaus, a map over two parameters."""

from collections.abc import Callable

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from thalweg._core import DataError, number
from thalweg.basins import Fraction, Fractions, Sweep, certificate_times, plotted_axes
from thalweg.plot._kinds import LOOKS
from thalweg.plot._staircase import map_panel, map_values, staircase_panel
from thalweg.plot._style import INK, PALE, SETTINGS, colours, dress, legend_above

MOST_POINTS = 24
"""Points of a grid of which bars are drawn; more are pooled by kind."""
FAILED = ("diverged", "failed")


def draw_sweep(sweep: Sweep, panel: str = "all") -> Figure:
    """Draw a sweep.

    Parameters
    ----------
    sweep
        The sweep.
    panel
        ``"all"``, ``"fractions"``, ``"times"``, ``"staircase"`` or ``"map"``.

    Returns
    -------
    Figure
        With one axes for each panel, labelled by its name.

    Raises
    ------
    DataError
        If there is no such panel, or this sweep has nothing to show in it.
    """
    known = sweep_panels(sweep)
    if panel != "all" and panel not in known:
        raise DataError(
            f"panel must be all or one of {', '.join(known)}, got {panel!r}; a map needs two "
            "parameters with several values, times need starts that were certified"
        )
    names = list(known) if panel == "all" else [panel]
    with matplotlib.rc_context(SETTINGS):
        rows = (len(names) + 1) // 2
        figure = Figure(figsize=(6.6 * min(2, len(names)), 4.4 * rows), layout="constrained")
        grid = figure.add_gridspec(rows, min(2, len(names)))
        for place, name in enumerate(names):
            last = place == len(names) - 1 and place % 2 == 0 and len(names) > 1
            ax = figure.add_subplot(grid[place // 2, :] if last else grid[place // 2, place % 2])
            ax.set_label(name)
            known[name](ax, sweep)
    return figure


def sweep_panels(sweep: Sweep) -> dict[str, Callable[[Axes, Sweep], None]]:
    """Return the panels that this sweep has, by name."""
    panels: dict[str, Callable[[Axes, Sweep], None]] = {}
    if sweep.plan.experiment is None:
        panels["fractions"] = fractions_panel
    if sweep.certified_range is not None:
        panels["times"] = times_panel
        panels["staircase"] = staircase_panel
    if sweep.plan.experiment is None and map_values(sweep) is not None:
        panels["map"] = map_panel
    return panels


def fractions_panel(ax: Axes, sweep: Sweep) -> None:
    """Draw bars by point of the grid and kind, with their intervals."""
    _bars(ax, sweep.fractions(), len(sweep.plan.points))


def draw_fractions(found: Fractions) -> Figure:
    """Draw fractions as bars; returns a figure with the axes ``"fractions"``."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(6.6, 4.4), layout="constrained")
        ax = figure.add_subplot(1, 1, 1, label="fractions")
        _bars(ax, found, len({_where(row) for row in found.kinds}))
    return figure


def _bars(ax: Axes, found: Fractions, points: int) -> None:
    rows = list(found.kinds) if points <= MOST_POINTS else list(found.totals)
    names = [_where(row) for row in rows]
    places = list(dict.fromkeys(names))
    kinds = list(dict.fromkeys(row.kind for row in rows))
    height = 0.8 / len(kinds)
    for row, name in zip(rows, names, strict=True):
        look = LOOKS[("undecided",) if row.kind in FAILED else (row.kind,)]
        y = places.index(name) + (kinds.index(row.kind) - 0.5 * (len(kinds) - 1)) * height
        hatch = "//" if row.kind in FAILED else None
        ax.barh(y, row.fraction, 0.86 * height, color=look.colour, alpha=0.85, hatch=hatch)
        spread = [[max(0.0, row.fraction - row.low)], [max(0.0, row.high - row.fraction)]]
        ax.errorbar(row.fraction, y, xerr=spread, color=INK, capsize=3, lw=1.2)
        span = f" {number(row.fraction, 4)}  [{number(row.low, 4)}, {number(row.high, 4)}]"
        ax.annotate(
            span,
            (min(1.0, row.high), y),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5 if len(rows) > 6 else 8.5,
            color=PALE,
        )
    for kind in kinds:
        look = LOOKS[("undecided",) if kind in FAILED else (kind,)]
        name = kind if kind in FAILED else look.name
        ax.barh(np.nan, 0.0, color=look.colour, label=name, hatch="//" if kind in FAILED else None)
    dress(ax, "How likely each ending is", "")
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _at(places, value)))
    ax.set_yticks(range(len(places)))
    ax.set_ylim(len(places) - 0.4, -0.6)
    ax.set_xlim(0.0, 1.45)
    ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0])
    size = f"{rows[0].n} starts each" if len(places) > 1 else f"{rows[0].n} starts"
    method = "Clopper–Pearson" if found.method == "clopper-pearson" else found.method
    ax.set_xlabel(f"fraction of starts, {100 * found.level:.4g} % {method} intervals ({size})")
    ax.grid(visible=False, axis="y")
    legend_above(ax)


def _at(places: list[str], value: float) -> str:
    index = round(value)
    return places[index] if 0 <= index < len(places) else ""


def _where(row: Fraction) -> str:
    told = [
        f"{name} {number(value) if isinstance(value, float) else value}"
        for name, value in row.parameters.items()
    ]
    return ", ".join(told) or "all starts"


def times_panel(ax: Axes, sweep: Sweep) -> None:
    """Draw the share of starts that are certified by a time."""
    curves = certificate_times(sweep.plan, sweep.batches())
    axes = plotted_axes(sweep.plan)
    shades = colours(len(curves))
    for point, (t, share), colour in zip(sweep.plan.points, curves, shades, strict=True):
        if not len(t):
            continue
        label = ", ".join(
            f"{name} {number(point[name]) if isinstance(point[name], float) else point[name]}"
            for name, _ in axes
        )
        late = np.append(t, sweep.certified_range[1] * 1.3 if sweep.certified_range else t[-1])
        ax.step(late, np.append(share, share[-1]), where="post", color=colour, label=label or None)
    ax.set_xscale("log")
    ax.set_ylim(0.0, 1.03)
    dress(ax, "When the limit is certified", "share of starts")
    ax.set_xlabel("flow time t")
    if axes and len(curves) <= 4:
        legend_above(ax)
    elif axes and len(curves) <= 8:
        ax.legend(loc="upper left")
    elif axes:
        ax.annotate(
            f"{len(curves)} points of the grid, first dark, last light",
            (0.0, 1.02),
            xycoords="axes fraction",
            fontsize=8,
            color=PALE,
        )
