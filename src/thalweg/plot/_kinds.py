"""How kinds of critical points and learned sets look in every picture."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from thalweg._core import direction, learned_words
from thalweg.plot._style import CYCLE, PALE


class Look(NamedTuple):
    """Name, colour and marker of a kind; no kind is told by its colour alone."""

    name: str
    colour: str
    marker: str


LOOKS = {
    ("global_minimum",): Look("global minimum", CYCLE[2], "o"),
    ("strict_saddle",): Look("strict saddle", CYCLE[0], "^"),
    ("strict_saddle", "non_strict_saddle"): Look("strict and non-strict saddles", CYCLE[1], "D"),
    ("non_strict_saddle",): Look("non-strict saddle", CYCLE[3], "s"),
    ("not_critical",): Look("not critical", PALE, "X"),
    ("undecided",): Look("undecided", PALE, "P"),
}
"""Kinds that occur together -> how they are drawn, in the order of legends."""


def set_name(learned: Iterable[int], count: int) -> str:
    """Return a short name of a learned set among `count` directions, as a set."""
    chosen = sorted(learned)
    if not chosen:
        return "∅"
    text = "{" + _listed(chosen) + "}"
    left = [i for i in range(count) if i not in chosen]
    if left and count > 4:
        without = "all but " + _listed(left)
        return min(text, without, key=len)
    return text


def strata_words(counts: Sequence[int | None], sizes: Sequence[int | None]) -> list[str]:
    """Return for each kind at a level how many strata there are and of which dimension."""
    out = []
    for count, size in zip(counts, sizes, strict=True):
        words = []
        if count is not None:
            words.append("1 stratum" if count == 1 else f"{count} strata")
        if size is not None:
            words.append(f"dim {size}")
        out.append(", ".join(words))
    return out


def _listed(indices: Sequence[int]) -> str:
    if len(indices) < 3:
        return ",".join(direction(i) for i in indices)
    return learned_words(indices).removesuffix(" learned").replace(", ", ",")
