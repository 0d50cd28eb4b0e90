"""What is known about the limits of almost every start, and estimates that contradict it."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from thalweg._core import Result
from thalweg.basins.plan import Plan

SHOWN = 20
"""Indices of contradicting starts that are kept."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Theorem(Result):
    """A statement about almost every start of this network.

    Attributes
    ----------
    statement, source, status
        The sentence, where it is proved, and ``"theorem"`` or ``"open"``.
    applies
        True if its hypotheses hold for this problem and family of starts.
    message
        Why it applies or not.
    """

    statement: str
    source: str
    status: str
    applies: bool
    message: str


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Defect(Result):
    """Rows that contradict a theorem: the run is wrong, not the theorem.

    Attributes
    ----------
    theorem
        The statement.
    indices
        The first starts that contradict it.
    count
        How many there are.
    message
        One sentence.
    """

    theorem: str
    indices: tuple[int, ...]
    count: int
    message: str


def theorems(plan: Plan) -> tuple[Theorem, ...]:
    """Return what is known for this depth (Spec 5.1)."""
    p = plan.problem
    hidden = p.depth - 1
    reason = _reason(plan)
    everywhere = Theorem(
        statement="every trajectory converges to one critical point",
        source="Chitour, Liao, Couillet, Proposition 1",
        status="theorem",
        applies=True,
        message="for every start and every data",
    )
    if hidden == 0:
        ends = Theorem(
            statement="every start ends at a global minimum",
            source="convexity",
            status="theorem",
            applies=True,
            message="there is no hidden layer",
        )
        return everywhere, ends
    if hidden == 1:
        ends = Theorem(
            statement="almost every start ends at a global minimum",
            source="conjectured by Chitour, Liao, Couillet, proved later by them",
            status="theorem",
            applies=reason == "",
            message=reason or "one hidden layer, starts with a density",
        )
        return everywhere, ends
    ends = Theorem(
        statement="almost every start ends at a minimum on the matrices of some rank k, that is, "
        "with the k largest directions learned",
        source="Bah, Rauhut, Terstiege, Westdickenberg",
        status="theorem",
        applies=reason == "",
        message=reason or f"{hidden} hidden layers, starts with a density",
    )
    union = Theorem(
        statement="the starts that end at saddles have measure zero",
        source="nobody has proved it for two hidden layers and more: non-strict saddles",
        status="open",
        applies=False,
        message="the fractions are an observation",
    )
    return everywhere, ends, union


def _reason(plan: Plan) -> str:
    """Return why a theorem about almost every start does not speak of this sweep."""
    if plan.experiment is not None:
        return f"the starts of {plan.experiment!r} are chosen, not random"
    if plan.measure_note:
        return plan.measure_note
    if any(_vanishes(point.get("scale", 0.1)) for point in plan.points):
        return "a scale is zero, so these starts have no density"
    missing = [item.name for item in plan.problem.reduced.assumptions if not item.holds]
    return f"not all assumptions hold ({', '.join(missing)})" if missing else ""


def _vanishes(scale: Any) -> bool:
    return any(item == 0 for item in scale) if isinstance(scale, tuple) else scale == 0


class Watch:
    """Collects rows that contradict a theorem while batches of a table go by."""

    def __init__(self, plan: Plan) -> None:
        self._found: dict[str, list[int]] = {}
        self._counts: dict[str, int] = {}
        self._known = [item for item in theorems(plan) if item.applies]
        self._hidden = plan.problem.depth - 1

    def look(self, batch: Any) -> None:
        """Look at a batch."""
        import pyarrow.compute as pc

        saddle = pc.is_in(batch["kind"], value_set=_strings("strict_saddle", "non_strict_saddle"))
        chosen = batch.filter(pc.and_(saddle, pc.equal(batch["status"], "limit")))
        if not chosen.num_rows:
            return
        indices, learned = chosen["index"].to_pylist(), chosen["learned"].to_pylist()
        for theorem in self._known[1:]:
            wrong = [i for i, s in zip(indices, learned, strict=True) if self._contradicts(s)]
            self._add(theorem.statement, wrong)

    def _contradicts(self, learned: list[int]) -> bool:
        return self._hidden <= 1 or learned != list(range(len(learned)))

    def _add(self, statement: str, wrong: Iterable[int]) -> None:
        for index in wrong:
            self._counts[statement] = self._counts.get(statement, 0) + 1
            kept = self._found.setdefault(statement, [])
            if len(kept) < SHOWN:
                kept.append(index)

    def defects(self) -> tuple[Defect, ...]:
        """Return what was found."""
        out = []
        for statement, indices in self._found.items():
            count = self._counts[statement]
            told = ", ".join(map(str, indices[:5])) + (", ..." if count > 5 else "")
            text = (
                f"{count} start{'s' if count != 1 else ''} ({told}) contradict the theorem "
                f"'{statement}': the horizon, the tolerance or the code is wrong; look at "
                "s.start(i) with tw.flow"
            )
            out.append(Defect(theorem=statement, indices=tuple(indices), count=count, message=text))
        return tuple(out)


def _strings(*values: str) -> Any:
    import pyarrow as pa

    return pa.array(values)
