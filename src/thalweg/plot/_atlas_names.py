"""The names of the nodes of the atlas, where there is room for them."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from thalweg.plot._atlas_layout import Box, Node, roomy
from thalweg.plot._kinds import set_name, strata_words
from thalweg.plot._style import INK, PALE, PAPER

ROW = 8.5
"""Height of a line of small type, in points."""
RIGHT, LIFT = 8.0, 3.0
"""Distance of a name from its node, in points."""


def names(
    ax: Axes, nodes: Sequence[Node], count: int, first: set[tuple[int, ...]], size: float
) -> None:
    """Write names beside nodes; above right or below left, where a node has no edges of its own.

    Parameters
    ----------
    ax
        The panel, its scales final.
    nodes
        The nodes.
    count
        How many directions there are.
    first
        Learned sets that have priority, before the nested ones and those of least loss.
    size
        Of the type, in points; the small type is left out below 9.
    """

    def rank(node: Node) -> tuple[bool, bool, float]:
        learned = node.level.learned
        return learned not in first, learned != tuple(range(len(learned))), node.level.loss

    ranked = sorted(nodes, key=rank)
    inch = ax.get_figure(root=True).dpi / 72.0  # type: ignore[union-attr]
    places = [ax.transData.transform((node.x, node.level.loss)) / inch for node in ranked]
    texts = [_lines(node, count, size >= 9.0) for node in ranked]
    choices = [
        _boxes(float(x), float(y), lines, size) for (x, y), lines in zip(places, texts, strict=True)
    ]
    obstacles = [(float(x) - 4, float(y) - 3, float(x) + 4, float(y) + 3) for x, y in places]
    obstacles += _outside(ax, inch)
    for node, lines, choice in zip(ranked, texts, roomy(choices, obstacles), strict=True):
        if choice is not None:
            _write(ax, node, lines if choice == 0 else lines[:1], size, below=choice == 2)


def _lines(node: Node, count: int, detailed: bool) -> list[str]:  # noqa: FBT001
    level = node.level
    lines = [set_name(level.learned, count)]
    if detailed and level.source is not None:
        words = strata_words(level.source.n_strata, level.source.dimensions)
        kinds = [kind.removesuffix("_saddle").replace("_", "-") for kind in level.kinds]
        pairs = [pair for pair in zip(kinds, words, strict=True) if pair[1]]
        lines += [f"{kind}: {word}" if len(kinds) > 1 else word for kind, word in pairs]
    return lines


def _boxes(x: float, y: float, lines: list[str], size: float) -> list[Box]:
    """Return where a name may go: with its small type, without, or below left without."""
    width = 0.62 * size * len(lines[0])
    whole = max([width, *(3.8 * len(line) for line in lines[1:])])
    left, bottom, tall = x + RIGHT, y + LIFT, 1.15 * size
    return [
        (left, bottom, left + whole, bottom + tall + ROW * (len(lines) - 1)),
        (left, bottom, left + width, bottom + tall),
        (x - RIGHT - width, y - LIFT - tall, x - RIGHT, y - LIFT),
    ]


def _outside(ax: Axes, inch: float) -> list[Box]:
    """Return what lies left, above and right of the panel as boxes that no name may enter."""
    frame, far = ax.get_window_extent(), 1e6
    left, right, top = frame.x0 / inch, frame.x1 / inch + 10.0, frame.y1 / inch + 2.0
    return [(-far, -far, left, far), (right, -far, far, far), (-far, top, far, far)]


def _write(ax: Axes, node: Node, lines: list[str], size: float, *, below: bool) -> None:
    lift = LIFT + ROW * (len(lines) - 1)
    for row, line in enumerate(lines):
        ax.annotate(
            line,
            (node.x, node.level.loss),
            xytext=(-RIGHT, -LIFT) if below else (RIGHT, lift - ROW * row),
            textcoords="offset points",
            fontsize=size if row == 0 else 6.8,
            color=INK if row == 0 else PALE,
            ha="right" if below else "left",
            va="top" if below else "bottom",
            zorder=5,
            bbox={"facecolor": PAPER, "alpha": 0.8, "linewidth": 0.0, "pad": 0.6},
        )
