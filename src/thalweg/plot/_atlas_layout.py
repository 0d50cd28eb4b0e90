"""Where the nodes of the atlas and their names go."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from thalweg.landscape import Level

SPREAD = 0.6
"""Width of the widest column, in column distances."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


class Entry(NamedTuple):
    """What is drawn of a level; `source` is ``None`` for one that was not looked up."""

    learned: tuple[int, ...]
    loss: float
    kinds: tuple[str, ...]
    contained_in: tuple[tuple[int, ...], ...]
    source: Level | None

    @classmethod
    def of(cls, level: Level) -> "Entry":
        """Take over a level of the atlas."""
        return cls(level.learned, level.loss, level.kinds, level.contained_in, level)


class Node(NamedTuple):
    """An entry with its place: its column is the number of learned directions."""

    level: Entry
    x: float


def lanes(levels: Sequence[Entry], gap: float, height: Callable[[float], float]) -> list[int]:
    """Return a lane inside its column for each level; those too near in height get another.

    Parameters
    ----------
    levels
        Levels in any order.
    gap
        Smallest distance of two nodes above each other, in panel heights.
    height
        Loss -> height in the panel, between 0 and 1.
    """
    last: dict[int, list[float]] = {}
    out = [0] * len(levels)
    for index in sorted(range(len(levels)), key=lambda i: (levels[i].loss, levels[i].learned)):
        at, column = height(levels[index].loss), len(levels[index].learned)
        taken = last.setdefault(column, [])
        lane = next((k for k, old in enumerate(taken) if at - old >= gap), len(taken))
        taken[lane : lane + 1] = [at]
        out[index] = lane
    return out


def placed(levels: Sequence[Entry], gap: float, height: Callable[[float], float]) -> list[Node]:
    """Place levels in columns, the first lane of each exactly at its number of directions."""
    found = lanes(levels, gap, height)
    step = min(SPREAD / max(*found, 1), 0.28)
    return [
        Node(level, len(level.learned) + step * lane)
        for level, lane in zip(levels, found, strict=True)
    ]


def roomy(choices: Sequence[Sequence[Box]], obstacles: Sequence[Box]) -> list[int | None]:
    """Choose for each name the first of its boxes that is clear of all others, if there is one."""
    kept = list(obstacles)
    out: list[int | None] = []
    for boxes in choices:
        found = next((i for i, box in enumerate(boxes) if all(_apart(box, k) for k in kept)), None)
        if found is not None:
            kept.append(boxes[found])
        out.append(found)
    return out


def _apart(one: Box, two: Box) -> bool:
    return one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
