"""Axes that suit flows: time from zero with a logarithmic scale, labels beside the panel."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from thalweg._core import Array, number, power_of_ten
from thalweg.plot._style import PALE
from thalweg.trajectory import Trajectory

VISIBLE = 0.01
"""Share of its range by which a series must have moved to be seen."""
LABEL_GAP = 0.05
"""Smallest distance of two labels beside a panel, in panel heights."""


def first_time(run: Trajectory) -> float:
    """Return the power of ten below which nothing visible happens; 0 for a run of no length."""
    end = float(run.t[-1])
    if end <= 0.0:
        return 0.0
    seen = end
    for series in (run.reducible_loss[:, np.newaxis], run.singular_values, run.layer_norms):
        change = np.abs(series - series[0]).max(axis=1, initial=0.0)
        # Rounding noise of a run at rest is no event.
        if change.max() > 1e-9 * np.abs(series).max():
            seen = min(seen, float(run.t[np.argmax(change >= VISIBLE * change.max())]))
    seen = min(max(seen, 1e-9 * end), 0.1 * end)
    return float(10.0 ** math.floor(math.log10(seen)))


def time_axis(ax: Axes, run: Trajectory, label: str) -> None:
    """Scale the time axis: linear from zero to the first time that matters, then logarithmic."""
    end, first = float(run.t[-1]), first_time(run)
    ax.set_xlabel(label)
    if first == 0.0:
        ax.set_xlim(-0.05, 1.0)
        return
    decades = math.log10(end / first)
    ax.set_xscale("symlog", linthresh=first, linscale=max(0.25, 0.12 * decades))
    ax.set_xlim(0.0, end)
    low, high = round(math.log10(first)), math.floor(math.log10(end) + 1e-9)
    step = max(1, math.ceil((high - low + 1) / 7))
    ticks = [0.0, *(10.0**power for power in range(low, high + 1, step))]
    if decades <= 2.5:
        ticks += [k * 10.0**power for power in range(low, high + 1) for k in (2, 5)]
    ticks = sorted(tick for tick in ticks if tick <= end)
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(_tick))


def log_axis(ax: Axes, low: float, high: float) -> None:
    """Scale the vertical axis logarithmically, with plain decade labels."""
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    locator = LogLocator(base=10.0, numticks=8)
    ax.yaxis.set_major_locator(locator)
    ax.yaxis.set_major_formatter(FuncFormatter(_tick))
    ax.yaxis.set_minor_formatter(NullFormatter())
    if math.log10(high / low) <= 2.0:
        ax.yaxis.set_major_locator(LogLocator(base=10.0, subs=(1.0, 2.0, 5.0), numticks=12))


def labels_beside(ax: Axes, labels: list[tuple[float, str, str]]) -> None:
    """Write labels right of the panel at heights in data units; the first ones have priority."""
    taken: list[float] = []
    for height, text, colour in labels:
        if not math.isfinite(height):
            continue
        _, pixel = ax.transData.transform((0.0, height))
        _, place = ax.transAxes.inverted().transform((0.0, pixel))
        if not -0.01 <= place <= 1.01 or any(abs(place - old) < LABEL_GAP for old in taken):
            continue
        taken.append(place)
        ax.text(
            1.012,
            place,
            text,
            color=colour or PALE,
            transform=ax.transAxes,
            fontsize=8.5,
            va="center",
            ha="left",
        )


def thin(length: int, most: int) -> Array:
    """Return the indices that are drawn: all, or `most` of them with both ends."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(np.intp))


def _tick(value: float, _position: int | None = None) -> str:
    if value > 0 and abs(math.log10(value) - round(math.log10(value))) < 1e-9:
        return power_of_ten(round(math.log10(value)))
    return number(value)
