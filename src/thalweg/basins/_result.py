"""What a sweep found."""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Result, as_scalar, jsonable, number
from thalweg.basins.plan import Plan
from thalweg.basins.rows import schema_of
from thalweg.basins.statistics import (
    Defect,
    Fractions,
    Tally,
    Theorem,
    Times,
    Watch,
    decision_times,
    plateau_times,
    theorems,
    time_range,
)

METHODS = {False: "clopper-pearson", True: "anytime"}


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Sweep(Result):
    """Many starts of one problem and how each of them ended.

    Attributes
    ----------
    plan
        What was asked for; start ``i`` belongs to the point ``i % G`` of a grid of ``G``.
    status
        ``"complete"``, ``"narrow"`` or ``"wide"`` (with `until_width`), ``"part"``,
        ``"interrupted"``.
    message
        The same as a sentence.
    folder
        Where the rows are kept, ``None`` in memory.
    notes
        What the store had to put right.
    stats
        Seconds, starts computed in this call, and starts per second.
    """

    plan: Plan
    status: str
    message: str
    folder: str | None
    notes: tuple[str, ...] = ()
    stats: dict[str, Any] = dataclasses.field(default_factory=dict)
    _store: Any = None
    _end: int = 0

    # --- rows ----------------------------------------------------------------------------
    @functools.cached_property
    def table(self) -> Any:
        """All rows as a ``pyarrow.Table``, sorted by ``index``; see `thalweg.basins.COLUMNS`."""
        table = self._store.read()
        if not table.num_columns:
            return schema_of(self.plan).empty_table()
        return self._within(table)

    def batches(self) -> Iterator[Any]:
        """Go through the rows chunk by chunk; memory does not grow with their number."""
        for batch in self._store.batches():
            part = self._within(batch)
            if part.num_rows:
                yield part

    def _within(self, table: Any) -> Any:
        """Leave out rows beyond the look at which the sweep ended."""
        if not table.num_rows or table["index"][-1].as_py() < self._end:
            return table
        import pyarrow.compute as pc

        return table.filter(pc.less(table["index"], self._end))

    def start(self, index: int) -> list[Array]:
        """Return start `index` exactly, in the coordinates of the data.

        Parameters
        ----------
        index
            The column ``index`` of the table.

        Returns
        -------
        list of ndarray
            ``[W_1, ..., W_L]``; ``tw.flow(s.plan.problem, s.start(i))`` follows it.

        Raises
        ------
        DataError
            If the plan has no such start.
        """
        return self.plan.start(index)

    # --- statistics ----------------------------------------------------------------------
    @functools.cached_property
    def _counted(self) -> tuple[Tally, tuple[Defect, ...]]:
        tally, watch = Tally(len(self.plan.points)), Watch(self.plan)
        for batch in self.batches():
            tally.add(batch)
            watch.look(batch)
        return tally, watch.defects()

    def fractions(
        self, *, anytime: bool = False, level: float = 0.95, simultaneous: bool = False
    ) -> Fractions:
        """Return how often each verdict occurs, by point of the grid, with intervals.

        Parameters
        ----------
        anytime
            Intervals that stay valid however often one looks and whenever one stops: for sweeps
            that were extended, or ended because of what they showed. They are wider.
        level
            Confidence level.
        simultaneous
            Let the level hold for all rows at once (Bonferroni).

        Returns
        -------
        Fractions
            Starts without a known limit are classes of their own.

        Raises
        ------
        DataError
            If the starts were chosen: their shares estimate no measure. `counts` has the numbers.

        Notes
        -----
        Status: theorems about independent draws (Clopper and Pearson 1934; Robbins 1970). They
        need a planned number of starts, or ``anytime=True``. The rule ``until_width`` stops on
        width alone; its intervals were simulated (tests/basins).
        """
        self._require_measure()
        level = as_scalar(level, "level", low=0.5, high=1.0 - 1e-12)
        tally, defects = self._counted
        single = level
        if simultaneous:
            single = 1.0 - (1.0 - level) / max(1, len(tally.counts))
        rows, kinds, totals = tally.fractions(self.plan.points, METHODS[anytime], single)
        return Fractions(
            rows=rows,
            kinds=kinds,
            totals=totals,
            method=METHODS[anytime],
            level=level,
            simultaneous=simultaneous,
            measure=self.plan.measure_note or "the starts have a density",
            theorems=tuple(_told(item) for item in self.theorems()),
            defects=tuple(item.message for item in defects),
        )

    def counts(self) -> dict[str, int]:
        """Return how many starts ended in each kind; no statement about a measure."""
        return self._counted[0].kinds()

    def theorems(self) -> tuple[Theorem, ...]:
        """Return what is known for this depth (Spec 5.1), and whether it speaks of this sweep."""
        return theorems(self.plan)

    def defects(self) -> tuple[Defect, ...]:
        """Return the rows that contradict a theorem that applies; empty if all is well."""
        return self._counted[1]

    @functools.cached_property
    def certified_range(self) -> tuple[float, float] | None:
        """Earliest and latest time of certification; ``None`` if no start was certified."""
        return time_range(self.batches())

    def decision_times(
        self, q: tuple[float, ...] = (0.05, 0.5, 0.95), *, level: float = 0.95
    ) -> tuple[Times, ...]:
        """Return quantiles of the time until the limit is certified, at each point of the grid."""
        return decision_times(
            self.plan, self.batches(), _inside(q, "q"), _inside(level, "level")[0]
        )

    def plateau_times(
        self, q: tuple[float, ...] = (0.05, 0.5, 0.95), *, level: float = 0.95
    ) -> tuple[Times, ...]:
        """Return quantiles of the time at which plateaus were left, by learned set and point.

        Parameters
        ----------
        q
            Which quantiles.
        level
            Confidence level of each interval. For K intervals that hold together with 95 %, as
            a slope through K medians needs them, ``1 - 0.05 / K``.

        Returns
        -------
        tuple of Times
            With intervals from order statistics. Starts that did not pass a plateau do not count;
            one that was still there at the end counts as infinitely late.
        """
        return plateau_times(self.plan, self.batches(), _inside(q, "q"), _inside(level, "level")[0])

    def _require_measure(self) -> None:
        if self.plan.experiment is not None:
            raise DataError(
                f"the starts of the experiment {self.plan.experiment!r} are chosen, so their "
                "shares estimate no measure; s.counts() has the numbers, and a random family "
                "(tw.init.gaussian) estimates a measure"
            )

    # --- presentation --------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """Return what was found as JSON types, without the rows."""
        tally, defects = self._counted
        measured = self.plan.experiment is None
        return {
            "type": "Sweep",
            "status": self.status,
            "message": self.message,
            "folder": self.folder,
            "fingerprint": self.plan.fingerprint,
            "init": self.plan.family.name,
            "experiment": self.plan.experiment,
            "seed": self.plan.seed,
            "n_starts": sum(tally.sizes),
            "n_points": len(self.plan.points),
            "columns": self._store_columns(),
            "counts": self.counts(),
            "fractions": self.fractions().to_dict() if measured else None,
            "theorems": jsonable(self.theorems()),
            "defects": jsonable(defects),
            "decision_times": jsonable(self.decision_times()),
            "plateau_times": jsonable(self.plateau_times()),
            "notes": list(self.notes),
            "stats": jsonable(self.stats),
        }

    def _store_columns(self) -> list[str]:
        return list(schema_of(self.plan).names)

    def _key_figure(self) -> Any:
        return self.plot(panel="fractions")

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: defects first, then the fractions beside what is known."""
        tally, defects = self._counted
        plan = self.plan
        out = [("DEFECT", item.message) for item in defects]
        grid = f", {len(plan.points)} points of a grid" if len(plan.points) > 1 else ""
        out.append(("starts", f"{sum(tally.sizes)} of {plan.family.name}{grid}, seed {plan.seed}"))
        out.append(("status", f"{self.status}: {self.message}"))
        if plan.experiment is None:
            for item in self.fractions().totals:
                span = f"[{number(item.low, 5)}, {number(item.high, 5)}]"
                text = f"{item.count} of {item.n}: {number(item.fraction, 5)} {span}"
                out.append((item.label, text))
        else:
            out += [(kind.replace("_", " "), str(size)) for kind, size in self.counts().items()]
            out.append(("experiment", f"{plan.experiment}: chosen starts, no measure"))
        if plan.measure_note:
            out.append(("measure", plan.measure_note))
        return out + [("known", _told(item)) for item in self.theorems()[1:]]


def _told(item: Theorem) -> str:
    if item.status == "open":
        return f"[open] {item.statement}"
    applies = "" if item.applies else f"; does not speak of this sweep: {item.message}"
    return f"[theorem, {item.source}] {item.statement}{applies}"


def _inside(values: Any, name: str) -> tuple[float, ...]:
    given = (values,) if np.ndim(values) == 0 else tuple(values)
    return tuple(as_scalar(item, name, low=1e-9, high=1.0 - 1e-9) for item in given)
