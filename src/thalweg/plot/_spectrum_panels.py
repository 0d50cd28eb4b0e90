"""The Hessian's spectrum as stems, or the numbers of its signs where only they are known."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator, SymmetricalLogLocator

from thalweg._core import Array, number
from thalweg.landscape import Verdict
from thalweg.plot._style import CYCLE, INK, PALE, dress, legend_above

SIGNS = (("down", CYCLE[1], "v"), ("flat", PALE, "o"), ("up", CYCLE[0], "^"))
"""Name, colour and marker of negative, zero and positive curvature."""
FLAT = 1e-9
"""Eigenvalues below this, relative to the largest, are zero where no inertia is given."""
WIDE = 200.0
"""Ratio of the largest to the least curvature from which the axis is logarithmic."""


def spectrum_panel(ax: Axes, verdict: Verdict) -> None:
    """Draw every eigenvalue of the Hessian as a stem, with the inertia."""
    values = verdict.eigenvalues
    assert values is not None  # noqa: S101
    inertia = verdict.inertia or _counted(values)
    dress(ax, "Curvature in all directions", "eigenvalue of the Hessian")
    counts = ", ".join(map(str, inertia))
    ax.set_xlabel(f"eigenvalues in order; inertia (n₋, n₀, n₊) = ({counts})")
    ends = np.cumsum([0, *inertia])
    size = 5.0 if len(values) <= 60 else 2.5
    for (name, colour, marker), begin, end in zip(SIGNS, ends, ends[1:], strict=False):
        if end > begin:
            place = np.arange(begin, end) + 1
            ax.vlines(place, 0.0, values[begin:end], color=colour, linewidth=1.0, zorder=2)
            ax.plot(
                place,
                values[begin:end],
                linestyle="",
                marker=marker,
                color=colour,
                markersize=size,
                zorder=3,
                label=f"{end - begin} {name}",
            )
    ax.axhline(0.0, color=PALE, linewidth=0.9, zorder=1)
    curved = np.abs(np.concatenate([values[: ends[1]], values[ends[2] :]]))
    if curved.size and curved.max() > WIDE * curved.min():
        least = float(curved.min())
        ax.set_yscale("symlog", linthresh=least, linscale=0.6)
        ax.yaxis.set_major_locator(SymmetricalLogLocator(base=10.0, linthresh=least))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    if curved.size:
        ax.margins(y=0.12)
    else:
        ax.set_ylim(-1.0, 1.0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=False, axis="x")
    legend_above(ax)


def inertia_panel(ax: Axes, verdict: Verdict) -> None:
    """Draw the numbers of directions that lead down, stay flat and lead up."""
    inertia = verdict.inertia
    assert inertia is not None  # noqa: S101
    dress(ax, "Curvature in all directions", "")
    ax.set_xlabel("number of eigenvalues of the Hessian")
    for row, ((_, colour, _), count) in enumerate(zip(SIGNS, inertia, strict=True)):
        ax.barh(row, count, height=0.6, color=colour)
        ax.annotate(
            f"{count}",
            (count, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
        ax.set_yticks(range(row + 1), [sign[0] for sign in SIGNS[: row + 1]])
    ax.set_xlim(0.0, 1.15 * max(*inertia, 1))
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")


def _counted(values: Array) -> tuple[int, int, int]:
    zero = FLAT * float(np.abs(values).max(initial=0.0))
    negative, positive = int(np.sum(values < -zero)), int(np.sum(values > zero))
    return negative, len(values) - negative - positive, positive
