"""The atlas as a Hasse diagram: height is the loss, columns count the learned directions."""

import itertools
import math
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from thalweg._core import DataError, as_count, number
from thalweg.landscape import Atlas, kinds_of
from thalweg.plot._atlas_layout import Entry, Node, lanes, placed
from thalweg.plot._atlas_names import names
from thalweg.plot._kinds import LOOKS, set_name
from thalweg.plot._style import GRID, INK, PALE, PAPER, SETTINGS, dress, legend_above
from thalweg.trajectory import Trajectory

MOST = 128
"""Largest atlas of which every level is drawn."""
FEW = 24
"""Levels drawn of a larger one."""
DETAILED = 16
"""Up to so many nodes have strata and dimensions written beside them."""
WIDE = 300.0
"""Ratio of the largest to the least positive value from which the axis is always logarithmic."""

Path = list[tuple[tuple[int, ...], float]]


def draw_atlas(atlas: Atlas, run: Trajectory | None = None, lowest: int | None = None) -> Figure:
    """Draw the critical values of a problem with the order of inclusion.

    Parameters
    ----------
    atlas
        The atlas.
    run
        A run of the same problem; its path from plateau to plateau to the limit is laid over.
    lowest
        How many levels to draw, from the least on. Default: all up to 128, of larger ones 24.

    Returns
    -------
    Figure
        With one axes.

    Raises
    ------
    DataError
        If the run is of another problem or `lowest` is not a positive integer.
    """
    wanted = MOST if atlas.n_levels <= MOST else FEW
    levels = atlas.lowest(wanted if lowest is None else as_count(lowest, "lowest"))
    shown = [Entry.of(level) for level in levels]
    note = _note(atlas, len(shown), run)
    path = _path(run, shown)
    if run is not None:
        known = {level.learned for level in shown}
        shown += [_entry(run, *stop) for stop in path if stop[0] not in known]
    count = 1 + max((i for level in shown for i in _directions(level)), default=-1)
    with matplotlib.rc_context(SETTINGS):
        large = len(shown) > DETAILED
        width, height = (11.0, 7.4) if large else (8.2, 5.2)
        figure = Figure(figsize=(width, height))
        ax = figure.add_axes((0.75 / width, 0.65 / height, 1 - 0.95 / width, 1 - 1.3 / height))
        dress(ax, "Critical values and what is learned there", "reducible loss")
        gap = 0.03 if large else 0.055
        _scale(ax, shown, gap)
        nodes = placed(shown, gap, lambda loss: _place(ax, loss))
        _frame(ax, nodes)
        _edges(ax, nodes)
        _nodes(ax, nodes)
        _draw_path(ax, nodes, path, _path_name(run, path))
        names(ax, nodes, count, {learned for learned, _ in path}, 7.5 if large else 9.5)
        legend_above(ax)
        figure.text(0.012, 0.012, note, fontsize=8, color=PALE)
    return figure


def _directions(level: Entry) -> set[int]:
    return {*level.learned, *(i for above in level.contained_in for i in above)}


def _path(run: Trajectory | None, shown: Sequence[Entry]) -> Path:
    """Return learned set and loss of every stop of a run that is a critical level."""
    if run is None:
        return []
    stops = [(plateau.learned, plateau.loss) for plateau in run.plateaus]
    verdict = run.limit.verdict
    if verdict.kind not in {"undecided", "not_critical"}:
        stops.append((verdict.learned, verdict.critical_value))
    values = {level.learned: level.loss for level in shown}
    scale = max([level.loss for level in shown] + [loss for _, loss in stops], default=0.0)
    levels = [run.problem.critical_value(level.learned) for level in shown]
    for level, loss in zip(shown, levels, strict=True):
        if abs(level.loss - loss) > 1e-9 * max(scale, loss):
            raise DataError(
                f"run is of another problem: {set_name(level.learned, 0)} has the value {loss:g} "
                f"there and {level.loss:g} in this atlas; draw tw.atlas(run.problem)"
            )
    out: Path = []
    for learned, loss in stops:
        if kinds_of(run.problem, learned) and (not out or out[-1][0] != learned):
            out.append((learned, values.get(learned, loss)))
    return out


def _path_name(run: Trajectory | None, path: Path) -> str:
    if run is None or run.limit.verdict.kind in {"undecided", "not_critical"}:
        return "path of the run so far"
    return "path of the run" if len(path) > 1 else "limit of the run"


def _entry(run: Trajectory, learned: tuple[int, ...], loss: float) -> Entry:
    """Return a level of the path that is not among the lowest."""
    above = tuple(
        tuple(sorted({*learned, i})) for i in range(run.problem.target_rank) if i not in learned
    )
    return Entry(learned, loss, kinds_of(run.problem, learned), above, None)


def _scale(ax: Axes, shown: Sequence[Entry], gap: float) -> None:
    """Show zero and every value, on the scale that keeps apart what shares a column."""
    losses = [level.loss for level in shown]
    top = max(losses)
    positive = [loss for loss in losses if loss > 1e-12 * top]
    low = min(positive, default=0.0)
    crowd = []
    for logarithmic in (True, False):
        if logarithmic and low > 0.0:
            _logarithmic(ax, low, top)
        else:
            ax.set_yscale("linear")
            ax.set_ylim(-0.06 * (top or 1.0), 1.17 * (top or 1.0))
        crowd.append(sum(lanes(shown, gap, lambda loss: _place(ax, loss))))
    if low > 0.0 and (crowd[0] < crowd[1] or top > WIDE * low):
        _logarithmic(ax, low, top)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.axhline(0.0, color=PALE, linewidth=1.0, zorder=0.5)
    if min(losses) > 1e-12 * top:
        ax.annotate(
            "zero loss: out of reach",
            (0.0, 0.0),
            xycoords=ax.get_yaxis_transform(),
            xytext=(4, 3),
            textcoords="offset points",
            ha="left",
            fontsize=8,
            color=PALE,
        )


def _logarithmic(ax: Axes, low: float, top: float) -> None:
    """Scale logarithmically from the least positive value up, linearly from there to zero."""
    ax.set_yscale("symlog", linthresh=low, linscale=0.5)
    span = math.log10(top / low)
    ax.set_ylim(-0.25 * low, top * 10.0 ** max(0.17 * span, 0.12))
    first, last = math.floor(math.log10(low)), math.floor(math.log10(top) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / 7))
    ticks = [10.0**power for power in range(first, last + 1, step)]
    if span <= 2.5:
        ticks += [k * 10.0**power for power in range(first, last + 1) for k in (2, 5)]
    kept = sorted(tick for tick in ticks if low <= tick <= top)
    ax.yaxis.set_major_locator(FixedLocator([0.0, *kept]))
    ax.yaxis.set_minor_locator(NullLocator())


def _place(ax: Axes, loss: float) -> float:
    _, pixel = ax.transData.transform((0.0, loss))
    return float(ax.transAxes.inverted().transform((0.0, pixel))[1])


def _frame(ax: Axes, nodes: Sequence[Node]) -> None:
    left, right = min(node.x for node in nodes), max(node.x for node in nodes)
    columns = max(right - left, 1.0)
    # Names stand right of their nodes.
    ax.set_xlim(left - 0.06 * columns - 0.1, right + 0.14 * columns + 0.15)
    ax.set_xlabel("number of directions learned")
    first, last = round(left), max(len(node.level.learned) for node in nodes)
    ax.xaxis.set_major_locator(FixedLocator(range(first, last + 1, 1 + (last - first) // 12)))
    ax.grid(visible=False, axis="x")


def _edges(ax: Axes, nodes: Sequence[Node]) -> None:
    """Join every set with those that have one direction more."""
    where = {node.level.learned: (node.x, node.level.loss) for node in nodes}
    segments = [
        (where[node.level.learned], where[above])
        for node in nodes
        for above in node.level.contained_in
        if above in where
    ]
    colour = GRID if len(nodes) > DETAILED else PALE
    ax.add_collection(
        LineCollection(segments, colors=colour, linewidths=0.8, zorder=1, label="_inclusion"),
        autolim=False,
    )


def _nodes(ax: Axes, nodes: Sequence[Node]) -> None:
    for kinds, look in LOOKS.items():
        own = [node for node in nodes if node.level.kinds == kinds]
        if own:
            ax.plot(
                [node.x for node in own],
                [node.level.loss for node in own],
                linestyle="",
                marker=look.marker,
                color=look.colour,
                markersize=9 if len(nodes) <= DETAILED else 6,
                markeredgecolor=PAPER,
                markeredgewidth=0.8,
                zorder=4,
                label=look.name,
            )


def _draw_path(ax: Axes, nodes: Sequence[Node], path: Path, name: str) -> None:
    where = {node.level.learned: (node.x, node.level.loss) for node in nodes}
    stops = [where[learned] for learned, _ in path]
    if not stops:
        return
    ax.plot(
        *zip(*stops, strict=True),
        color=INK,
        linewidth=2.0,
        marker="o",
        markersize=16 if len(nodes) <= DETAILED else 12,
        markerfacecolor="none",
        markeredgewidth=1.4,
        zorder=3,
        label=name,
    )
    for begin, end in itertools.pairwise(stops):
        ends = [ax.transData.transform(point) for point in (begin, end)]
        head = ax.transData.inverted().transform(0.42 * ends[0] + 0.58 * ends[1])
        tail = ax.transData.inverted().transform(0.5 * ends[0] + 0.5 * ends[1])
        ax.annotate(
            "",
            xy=tuple(head),
            xytext=tuple(tail),
            arrowprops={"arrowstyle": "-|>", "color": INK, "mutation_scale": 16, "linewidth": 1.0},
            zorder=3,
        )


def _note(atlas: Atlas, drawn: int, run: Trajectory | None) -> str:
    notes = []
    if drawn < atlas.n_levels:
        total = f"{atlas.n_levels:,}".replace(",", "\N{NO-BREAK SPACE}")
        more = "" if run is None else ", and those on the path of the run"
        notes.append(f"Lowest {drawn} of {total} levels{more}.")
    if not atlas.complete:
        notes.append("Some strengths are equal or zero: other maps share these values.")
    return "  ".join(notes)
