"""The loss on its way down, with the levels that the theory knows."""

import numpy as np
from matplotlib.axes import Axes

from thalweg._core import Array, learned_words
from thalweg.plot._axes import first_time, labels_beside, log_axis
from thalweg.plot._style import CYCLE, GRID, INK, PALE, dress, legend_above
from thalweg.trajectory import Trajectory

DEPTH = 1e-4
"""How far below the lowest positive critical value the panel reaches."""


def loss_panel(ax: Axes, run: Trajectory, index: Array) -> None:
    """Draw the reducible loss, critical values, plateaus and the certified bound."""
    dress(ax, "Loss above the best linear fit", f"reducible loss ({run.problem.loss_name})")
    t, loss = run.t[index], run.reducible_loss[index]
    levels = critical_levels(run)
    positive = [value for value in (*levels, *run.reducible_loss.tolist()) if value > 0.0]
    scale = max(positive, default=0.0)
    bottom = 0.0
    if scale > 0.0:
        lowest = min((value for value in levels if value > 1e-14 * scale), default=scale)
        reached = max(float(run.reducible_loss.min()), 1e-300)
        bottom = max(DEPTH * lowest, 0.5 * min(reached, lowest))
        log_axis(ax, bottom, 2.0 * scale)
    else:
        ax.set_ylim(-0.05, 1.0)
    ax.plot(
        t,
        loss,
        color=INK,
        label="loss along the flow",
        marker="o" if t[0] == t[-1] else "",
        zorder=3,
    )
    _plateaus(ax, run)
    _envelope(ax, run, bottom)
    for value in levels:
        if value > bottom or scale == 0.0:
            ax.axhline(value, color=PALE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    labels_beside(ax, [(value, text, PALE) for value, text in levels.items()])
    legend_above(ax)


def critical_levels(run: Trajectory) -> dict[float, str]:
    """Return critical values with their names: those of this run first, then the nested sets."""
    verdict, problem = run.limit.verdict, run.problem
    sets = [plateau.learned for plateau in run.plateaus]
    if verdict.kind in {"global_minimum", "strict_saddle", "non_strict_saddle"}:
        sets.append(verdict.learned)
    nested = min(problem.max_rank, problem.target_rank)
    sets += [tuple(range(count)) for count in range(nested + 1)]
    out: dict[float, str] = {}
    for learned in sets:
        out.setdefault(problem.critical_value(learned), learned_words(learned))
    return out


def _plateaus(ax: Axes, run: Trajectory) -> None:
    for count, plateau in enumerate(run.plateaus):
        ax.axvspan(
            plateau.t_enter,
            plateau.t_exit,
            color=GRID,
            alpha=0.55,
            linewidth=0.0,
            zorder=0,
            label="plateau" if count == 0 else None,
        )


def _envelope(ax: Axes, run: Trajectory, bottom: float) -> None:
    """Draw what is proved, from the moments at which it is: at the start, and later."""
    certificate, end = run.certificate, float(run.t[-1])
    label: str | None = "proved upper bound"
    for item in {id(item): item for item in (run.start_certificate, certificate)}.values():
        if item.rate == 0.0 or end <= item.time:
            continue
        low = max(item.time, 1e-3 * first_time(run))
        t = np.concatenate([[item.time], np.geomspace(low, end, 300)])
        t = np.unique(t[(t >= item.time) & (t <= end)])
        ax.plot(
            t,
            item.loss_bound(t),
            color=CYCLE[1],
            linestyle=(0, (5, 2)),
            linewidth=1.5,
            zorder=2,
            label=label,
        )
        label = None
    begin = run.start_certificate
    first = begin if begin.converges_to_global else certificate
    if first.converges_to_global and bottom > 0.0:
        ax.plot(
            [first.time],
            [max(first.reducible_loss, bottom)],
            marker="D",
            markersize=5,
            color=CYCLE[1],
            linestyle="",
            zorder=4,
            clip_on=False,
            label="global minimum proved from here",
        )
