"""Colours and settings that every picture shares."""

from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from thalweg._core import number

INK = "#22262b"
"""Text, axes and the main curve."""
GRID = "#d9dde2"
"""Grid lines."""
PALE = "#6b7280"
"""Reference lines and their labels."""
PAPER = "#ffffff"
"""Background."""
CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Colour-blind safe (Okabe and Ito), without the two that vanish on paper."""

SETTINGS: Any = {
    "font.size": 9.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "thalweg",
    "mathtext.default": "regular",
}
"""Settings for ``matplotlib.rc_context`` while drawing and saving."""


def colours(count: int) -> list[str]:
    """Return as many colours as there are curves; beyond the cycle a monotone scale."""
    if count <= len(CYCLE):
        return list(CYCLE[:count])
    scale = matplotlib.colormaps["viridis"]
    return [
        matplotlib.colors.to_hex(scale(0.12 + 0.7 * index / (count - 1))) for index in range(count)
    ]


def dress(ax: Axes, title: str, ylabel: str) -> None:
    """Give a panel its title, its vertical label and a grid."""
    ax.set_title(title, pad=24)
    ax.set_ylabel(ylabel)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.grid(visible=True, which="major")
    ax.tick_params(which="both", color=PALE, labelcolor=INK)


def legend_above(ax: Axes, columns: int = 4) -> None:
    """Put the legend between title and panel, where no data are."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(-0.01, 0.995),
            ncols=min(len(handles), columns),
            borderaxespad=0.2,
            handlelength=1.7,
            columnspacing=1.4,
        )
