"""How often each verdict occurs, with intervals."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from thalweg._core import Result, learned_words, number
from thalweg.basins.rows import KINDS
from thalweg.basins.statistics._intervals import anytime_interval, clopper_pearson

MOST_BITS = 62
"""Directions up to which a learned set is a number."""
Key = tuple[int, str, tuple[int, ...]]
"""Point of the grid, class, learned set."""
OPEN = ("undecided", "diverged", "failed")
"""Classes of starts whose limit is not known."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fraction(Result):
    """How often one verdict occurs at one point of the grid.

    Attributes
    ----------
    parameters
        The point; empty for all points together.
    kind, learned
        The verdict. For ``undecided``, ``diverged`` and ``failed`` the learned set is ``None``; so
        it is where verdicts of one kind are counted together.
    count, n
        So many of so many starts.
    fraction, low, high
        The estimate and its interval.
    lowest, highest
        The same interval if every start without a known limit ended elsewhere, or here.
    """

    parameters: dict[str, Any]
    kind: str
    learned: tuple[int, ...] | None
    count: int
    n: int
    fraction: float
    low: float
    high: float
    lowest: float
    highest: float

    @property
    def label(self) -> str:
        """The verdict in words."""
        name = self.kind.replace("_", " ")
        return name if self.learned is None else f"{name}, {learned_words(self.learned)}"


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Fractions(Result):
    """Fractions by point of the grid and verdict; ``fractions["global_minimum"]`` is one of all.

    Attributes
    ----------
    rows
        One for each point and verdict that occurs there.
    kinds
        The same with the verdicts of one kind counted together.
    totals
        One for each kind that occurs, over all points.
    method, level
        ``"clopper-pearson"`` or ``"anytime"``; confidence level of a single interval.
    simultaneous
        True if `level` holds for all rows at once (Bonferroni).
    measure
        What the fractions are fractions of.
    theorems, defects
        What is known for this depth, and rows that contradict it, as sentences.
    """

    rows: tuple[Fraction, ...]
    kinds: tuple[Fraction, ...]
    totals: tuple[Fraction, ...]
    method: str
    level: float
    simultaneous: bool
    measure: str
    theorems: tuple[str, ...]
    defects: tuple[str, ...]

    def __iter__(self) -> Iterator[Fraction]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, kind: str) -> Fraction:
        """Return the fraction of a kind over all points; 0 if it does not occur."""
        for item in self.totals:
            if item.kind == kind:
                return item
        if kind not in {*KINDS, *OPEN}:
            raise KeyError(kind)
        n = self.totals[0].n if self.totals else 0
        lost = sum(item.count for item in self.totals if item.kind in OPEN)
        return _fraction(({}, kind, None), (0, n, lost), self.method, self.level)

    def _key_figure(self) -> Any:
        return self.plot() if self.rows else None

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: defects first, then the fractions, then what is known."""
        out = [("DEFECT", text) for text in self.defects]
        for item in self.rows[:8]:
            where = ", ".join(f"{k} {_short(v)}" for k, v in item.parameters.items())
            span = f"[{number(item.low, 4)}, {number(item.high, 4)}]"
            text = f"{item.count} of {item.n}: {number(item.fraction, 4)} {span}"
            out.append((f"{where + ': ' if where else ''}{item.label}", text))
        if len(self.rows) > 8:
            out.append(("...", f"{len(self.rows) - 8} more rows"))
        out.append(("intervals", f"{100 * self.level:g} %, {self.method}"))
        out.append(("measure", self.measure))
        return out + [("known", text) for text in self.theorems]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class Tally:
    """Counts verdicts while batches of a table go by; memory does not grow with the rows."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.counts: dict[Key, int] = {}
        self.sizes = [0] * points

    def add(self, batch: Any) -> None:
        """Count a batch with columns ``index``, ``status``, ``kind``, ``learned``."""
        import numpy as np

        place = np.asarray(batch["index"]) % self.points
        for point, size in zip(*np.unique(place, return_counts=True), strict=True):
            self.sizes[int(point)] += int(size)
        status, kind, learned = (_codes(batch[name]) for name in ("status", "kind", "learned"))
        code = (place * len(status[1]) + status[0]) * len(kind[1]) + kind[0]
        code = code * len(learned[1]) + learned[0]
        for value, size in zip(*np.unique(code, return_counts=True), strict=True):
            rest, one = divmod(int(value), len(learned[1]))
            rest, two = divmod(rest, len(kind[1]))
            point, three = divmod(rest, len(status[1]))
            key = _key(point, status[1][three], kind[1][two], learned[1][one])
            self.counts[key] = self.counts.get(key, 0) + int(size)

    def merge(self, other: "Tally") -> None:
        """Add the counts of another tally."""
        self.sizes = [one + two for one, two in zip(self.sizes, other.sizes, strict=True)]
        for key, size in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + size

    def kinds(self) -> dict[str, int]:
        """Return how many starts there are of each kind."""
        out: dict[str, int] = {}
        for (_, kind, _), size in sorted(self.counts.items(), key=lambda item: _order(item[0])):
            out[kind] = out.get(kind, 0) + size
        return dict(sorted(out.items(), key=lambda item: (*KINDS, *OPEN).index(item[0])))

    def lost(self, point: int | None = None) -> int:
        """Return how many starts have no known limit."""
        return sum(
            size
            for (place, kind, _), size in self.counts.items()
            if kind in OPEN and point in {None, place}
        )

    def widths(self, method: str, level: float) -> float:
        """Return the width of the widest interval of a kind at a point."""
        kinds: dict[tuple[int, str], int] = {}
        for (point, kind, _), size in self.counts.items():
            kinds[point, kind] = kinds.get((point, kind), 0) + size
        worst = 0.0 if all(self.sizes) else 1.0
        for (point, _), size in kinds.items():
            low, high = interval(method)(size, self.sizes[point], level)
            worst = max(worst, high - low)
        return worst

    def fractions(
        self, points: list[dict[str, Any]], method: str, level: float
    ) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...], tuple[Fraction, ...]]:
        """Return the rows by point and verdict, by point and kind, and the totals by kind."""
        rows = []
        for key in sorted(self.counts, key=_order):
            point, kind, learned = key
            size = (self.counts[key], self.sizes[point], self.lost(point))
            told = (points[point], kind, None if kind in OPEN else learned)
            rows.append(_fraction(told, size, method, level))
        merged: dict[tuple[int, str], int] = {}
        for (point, kind, _), count in sorted(
            self.counts.items(), key=lambda item: _order(item[0])
        ):
            merged[point, kind] = merged.get((point, kind), 0) + count
        kinds = [
            _fraction(
                (points[point], kind, None),
                (count, self.sizes[point], self.lost(point)),
                method,
                level,
            )
            for (point, kind), count in merged.items()
        ]
        whole, lost = sum(self.sizes), self.lost()
        totals = [
            _fraction(({}, kind, None), (size, whole, lost), method, level)
            for kind, size in self.kinds().items()
        ]
        return tuple(rows), tuple(kinds), tuple(totals)


def interval(method: str) -> Any:
    """Return the function that computes intervals."""
    return anytime_interval if method == "anytime" else clopper_pearson


def _fraction(
    told: tuple[dict[str, Any], str, tuple[int, ...] | None],
    size: tuple[int, int, int],
    method: str,
    level: float,
) -> Fraction:
    (count, n, lost), between = size, interval(method)
    parameters, kind, learned = told
    low, high = between(count, n, level)
    more = 0 if kind in OPEN else lost
    return Fraction(
        parameters=parameters,
        kind=kind,
        learned=learned,
        count=count,
        n=n,
        fraction=count / n if n else 0.0,
        low=low,
        high=high,
        lowest=low,
        highest=between(count + more, n, level)[1],
    )


def _key(point: int, status: str, kind: str, learned: tuple[int, ...]) -> Key:
    if status in {"diverged", "failed"}:
        return point, status, ()
    if kind in {"undecided", "not_critical"}:
        return point, "undecided", ()
    return point, kind, learned


def _order(key: Key) -> tuple[int, int, tuple[int, ...]]:
    return key[0], (*KINDS, *OPEN).index(key[1]), key[2]


def _codes(column: Any) -> tuple[Any, list[Any]]:
    """Return a small integer for each entry, and what it stands for."""
    import numpy as np
    import pyarrow as pa

    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_list(column.type):
        sizes: Any = np.diff(np.asarray(column.offsets, dtype=np.int64))
        flat = np.asarray(column.flatten(), dtype=np.int64)
        if len(flat) and flat.max() >= MOST_BITS:
            return _set_codes(column.to_pylist())
        rows = np.repeat(np.arange(len(sizes)), sizes)
        sums = np.zeros(len(sizes), dtype=np.int64)
        np.add.at(sums, rows, np.left_shift(np.int64(1), flat))
        masks, codes = np.unique(sums, return_inverse=True)
        return codes, [tuple(i for i in range(MOST_BITS) if int(m) >> i & 1) for m in masks]
    coded = column.dictionary_encode()
    return np.asarray(coded.indices, dtype=np.int64), coded.dictionary.to_pylist() or [""]


def _set_codes(sets: list[list[int] | None]) -> tuple[Any, list[Any]]:
    import numpy as np

    rows = [tuple(item or ()) for item in sets]
    place = {item: code for code, item in enumerate(dict.fromkeys(rows))}
    return np.fromiter((place[item] for item in rows), np.int64, len(rows)), list(place)
