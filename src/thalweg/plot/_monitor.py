"""A watched training: how far every law has drifted, and what moved it."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from thalweg._core import DataError, number
from thalweg.monitor import PARTS, LawSummary, Record
from thalweg.plot._axes import log_axis, thin
from thalweg.plot._style import CYCLE, INK, PALE, SETTINGS, colours, dress, legend_above

MOST = 6
"""Laws that are drawn: those with the largest drift."""
WORDS = {
    "step_size": "step size",
    "noise": "batch noise",
    "weight_decay": "weight decay",
    "momentum": "momentum",
    "adaptivity": "adaptivity",
    "learning_rates": "learning rates",
    "leftover": "leftover gradient",
    "clipping": "clipping",
    "defect": "gradient's defect",
    "rounding": "rounding",
    "optimizer": "optimizer, as a whole",
}
COLOURS = dict(
    zip(
        PARTS,
        (
            CYCLE[0],
            CYCLE[4],
            CYCLE[2],
            CYCLE[1],
            CYCLE[3],
            CYCLE[5],
            INK,
            "#7b5ea7",
            PALE,
            PALE,
            INK,
        ),
        strict=True,
    )
)
RECORD_PANELS = ("drift", "causes", "steps")


def draw_record(record: Record, panel: str = "all", max_points: int = 400) -> Figure:
    """Draw what a monitor recorded.

    Parameters
    ----------
    record
        With at least one law that was taken apart.
    panel
        ``"all"``, ``"drift"``, ``"causes"`` or ``"steps"``.
    max_points
        Longer series are thinned.

    Returns
    -------
    Figure
        With one axes for each panel, labelled by its name (``ax.get_label()``).

    Raises
    ------
    DataError
        If there is no such panel or no law.
    """
    if panel not in {"all", *RECORD_PANELS}:
        raise DataError(f"panel must be all or one of {', '.join(RECORD_PANELS)}, got {panel!r}")
    if not record.table.num_rows:
        raise DataError("there is nothing to draw: no law was recorded")
    laws = sorted(record.laws, key=lambda law: -law.drift)[:MOST]
    names = RECORD_PANELS if panel == "all" else (panel,)
    with matplotlib.rc_context(SETTINGS):
        high = 1.4 + 0.42 * len(laws)
        heights = {"drift": 3.6, "causes": high, "steps": 3.6}
        sizes = [heights[name] for name in names]
        figure = Figure(figsize=(8.2, sum(sizes) + 0.3), layout="constrained")
        grid = figure.add_gridspec(len(names), 1, height_ratios=sizes)
        for row, name in enumerate(names):
            ax = figure.add_subplot(grid[row, 0], label=name)
            {"drift": _drift, "causes": _causes, "steps": _steps}[name](
                ax, record, laws, max_points
            )
    return figure


def _series(record: Record, law: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and values of one law where there is a value."""
    rows = [
        row for row in record.table.to_pylist() if row["law"] == law and row[column] is not None
    ]
    return np.array([row["step"] for row in rows]), np.array([row[column] for row in rows])


def _drift(ax: Axes, record: Record, laws: list[LawSummary], max_points: int) -> None:
    dress(ax, "Drift of what gradient flow conserves", "relative change since the start")
    low, high = np.inf, 0.0
    for law, colour in zip(laws, colours(len(laws)), strict=True):
        steps, values = _series(record, law.name, "drift")
        index = thin(len(steps), max_points)
        steps, values = steps[index], values[index]
        seen = values > 0.0
        if not seen.any():
            continue
        low, high = min(low, values[seen].min()), max(high, values.max())
        ax.plot(steps[seen], values[seen], color=colour, label=law.name)
    if high > 0.0:
        log_axis(ax, max(low, 1e-6 * high) / 1.5, 1.5 * high)
    ax.set_xlabel("step")
    ax.legend(loc="lower right")


def _causes(ax: Axes, record: Record, laws: list[LawSummary], max_points: int) -> None:
    del max_points
    dress(ax, "What changed it, over the recorded steps", "")
    shown: set[str] = set()
    for place, law in enumerate(laws):
        # Shares against the change are drawn to the left of zero.
        ends = {1: 0.0, -1: 0.0}
        for name in PARTS:
            share = law.shares.get(name, 0.0)
            side = 1 if share >= 0.0 else -1
            if abs(share) < 5e-3:
                continue
            label = WORDS[name] if name not in shown else None
            shown.add(name)
            ax.barh(place, share, left=ends[side], height=0.6, color=COLOURS[name], label=label)
            ends[side] += share
    ax.set_yticks(range(len(laws)), [law.name for law in laws])
    ax.invert_yaxis()
    ax.axvline(0.0, color=PALE, linewidth=0.9)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    ax.set_xlabel(f"share of the change ({record.steps} steps, those recorded)")
    legend_above(ax, columns=5)


def _steps(ax: Axes, record: Record, laws: list[LawSummary], max_points: int) -> None:
    law = laws[0]
    dress(ax, f"Causes step by step: {law.name}", "part of the step's change")
    largest = 0.0
    for name in PARTS:
        steps, values = _series(record, law.name, name)
        if not len(steps) or abs(law.shares.get(name, 0.0)) < 1e-6:
            continue
        index = thin(len(steps), max_points)
        largest = max(largest, float(np.abs(values).max()))
        ax.plot(steps[index], values[index], color=COLOURS[name], label=WORDS[name], linewidth=1.3)
    if largest > 0.0:
        ax.set_yscale("symlog", linthresh=1e-4 * largest)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.axhline(0.0, color=PALE, linewidth=0.9)
    ax.set_xlabel("recorded step")
    legend_above(ax, columns=5)
