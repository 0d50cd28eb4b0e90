"""A plane through critical points: contours of the loss, and runs projected onto it."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from thalweg._core import Array, DataError, number
from thalweg.landscape import Projection, Slice
from thalweg.plot._axes import thin
from thalweg.plot._kinds import LOOKS, set_name
from thalweg.plot._style import INK, PALE, PAPER, SETTINGS, legend_above
from thalweg.trajectory import Trajectory

BANDS = 22
"""Colours between the least and the greatest loss."""
WIDE = 10.0
"""Ratio of losses from which the colours are spaced logarithmically."""
FLOOR = 1e-4
"""Part of the greatest loss below which everything has one colour."""
COLUMNS = 6
"""Entries of the legend in a row."""
DASHES: tuple[tuple[float, ...], ...] = ((), (6, 2), (2, 1.5), (6, 2, 1.5, 2))
"""Line patterns of the runs in turn."""


def draw_slice(
    plane: Slice, runs: Trajectory | Sequence[Trajectory] = (), max_points: int = 400
) -> Figure:
    """Draw the loss on a plane.

    Parameters
    ----------
    plane
        The plane.
    runs
        A run of the same problem or several; they are projected onto the plane, and the caption
        says how far off it they are.
    max_points
        Longer runs are thinned to so many points.

    Returns
    -------
    Figure
        With the panel (``ax.get_label()`` is ``"slice"``) and the scale of the loss.

    Raises
    ------
    DataError
        If a run is of another problem or `max_points` is less than 2.
    """
    several = [runs] if isinstance(runs, Trajectory) else list(runs)
    if max_points < 2:
        raise DataError(f"max_points must be at least 2, got {max_points!r}")
    for index, run in enumerate(several):
        if run.problem.fingerprint != plane.problem.fingerprint:
            raise DataError(
                f"runs[{index}] is of another problem than the plane; make the plane with "
                "plane_slice(run.problem, a, b)"
            )
    paths = [_path(plane, run, max_points) for run in several]
    with matplotlib.rc_context(SETTINGS):
        tall = float(np.ptp(plane.y) / np.ptp(plane.x))
        figure = Figure(figsize=(8.2, float(np.clip(6.2 * tall, 3.0, 7.5)) + 1.5))
        figure.set_layout_engine("constrained", rect=(0.0, 0.035, 1.0, 0.955))
        ax = figure.add_subplot(label="slice")
        ax.set_aspect("equal")
        _contours(ax, plane)
        for index, path in enumerate(paths):
            _run(ax, path, index)
        _marks(ax, plane)
        ax.set_xlim(plane.x[0], plane.x[-1])
        ax.set_ylim(plane.y[0], plane.y[-1])
        there = set_name(plane.verdicts[1].learned, plane.problem.target_rank)
        ax.set_xlabel(f"towards {there} (distance between weights)")
        ax.set_ylabel("second direction (distance)")
        entries = len(ax.get_legend_handles_labels()[0])
        rows = -(-entries // COLUMNS)
        ax.set_title("The loss on a plane through critical points", pad=10 + 14 * rows)
        legend_above(ax, COLUMNS)
        figure.text(0.012, 0.012, _caption(plane, paths), fontsize=8, color=PALE)
    return figure


def _path(plane: Slice, run: Trajectory, max_points: int) -> Projection:
    index = thin(len(run.t), max_points)
    points = [run.weights_at(float(t)) for t in run.t[index]]
    if run.status == "limit":
        points.append(run.final)
    return plane.project(points)


def _contours(ax: Axes, plane: Slice) -> None:
    """Fill bands of the loss, and draw the levels through the marked points."""
    values = plane.reducible_loss
    top, low = float(values.max()), float(values.min())
    norm: Normalize
    if top > WIDE * low and top > 0.0:
        low = max(low, FLOOR * top)
        levels, norm = np.geomspace(low, top, BANDS), LogNorm(low, top)
    else:
        levels, norm = np.linspace(low, top if top > low else low + 1.0, BANDS), Normalize(low, top)
    bands = ax.contourf(
        plane.x,
        plane.y,
        np.maximum(values, levels[0]),
        levels=levels,
        cmap="viridis",
        norm=norm,
        extend="neither",
    )
    heights = sorted({v.loss for v in plane.verdicts if levels[0] < v.loss < levels[-1]})
    figure = ax.get_figure(root=True)
    assert figure is not None  # noqa: S101
    bar = figure.colorbar(bands, ax=ax, shrink=0.9, pad=0.02)
    bar.set_label(f"reducible loss ({plane.problem.loss_name})")
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    bar.ax.minorticks_off()
    bar.set_ticks(_ticks(levels))
    if heights:
        ax.contour(plane.x, plane.y, values, levels=heights, colors=PAPER, linewidths=0.9)
        for height in heights:
            bar.ax.axhline(height, color=PAPER, linewidth=0.9)


def _ticks(levels: Array) -> list[float]:
    """Return round values inside the bands."""
    low, high = float(levels[0]), float(levels[-1])
    if low > 0.0 and high > WIDE * low:
        powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        step = (1,) if high > 1e3 * low else (1, 2, 5)
        ticks = [k * 10.0**power for power in powers for k in step]
    else:
        ticks = [float(tick) for tick in MaxNLocator(7).tick_values(low, high)]
    return [tick for tick in ticks if low <= tick <= high]


def _run(ax: Axes, path: Projection, index: int) -> None:
    ax.plot(
        path.x,
        path.y,
        color=PAPER,
        linewidth=2.2,
        dashes=DASHES[index % len(DASHES)],
        path_effects=[withStroke(linewidth=4.2, foreground=INK)],
        zorder=3,
        label=f"run {index + 1}",
    )
    ax.plot(
        path.x[0],
        path.y[0],
        marker="o",
        color=PAPER,
        markeredgecolor=INK,
        markersize=5,
        zorder=3.5,
    )


def _marks(ax: Axes, plane: Slice) -> None:
    """Mark the points by kind and name what is learned there."""
    count, named = plane.problem.target_rank, set()
    for x, y, verdict in zip(plane.marks.x, plane.marks.y, plane.verdicts, strict=True):
        look = LOOKS[verdict.kind,]
        ax.plot(
            x,
            y,
            linestyle="",
            marker=look.marker,
            color=look.colour,
            markersize=10,
            markeredgecolor=PAPER,
            markeredgewidth=1.4,
            zorder=4,
            label=None if look.name in named else look.name,
        )
        named.add(look.name)
        ax.annotate(
            set_name(verdict.learned, count),
            (x, y),
            xytext=(9, 7),
            textcoords="offset points",
            fontsize=9,
            zorder=5,
            bbox={"facecolor": PAPER, "alpha": 0.85, "linewidth": 0.0, "pad": 1.2},
        )


def _caption(plane: Slice, paths: Sequence[Projection]) -> str:
    apart = float(np.hypot(plane.marks.x[1], plane.marks.y[1]))
    parts = []
    if paths:
        far = ", ".join(
            f"run {index}: {number(float(path.distance.max()), 2)}"
            for index, path in enumerate(paths, 1)
        )
        parts.append(
            f"Runs are projections; at most so far off the plane: {far} "
            f"(the first two points are {number(apart)} apart)."
        )
    off = float(plane.marks.distance.max())
    if off > 1e-9 * apart:
        parts.append(f"Marked points are up to {number(off, 2)} off the plane.")
    return "\n".join(reversed(parts))
