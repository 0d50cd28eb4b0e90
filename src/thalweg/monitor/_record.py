"""What a monitor has seen, without PyTorch: a table, and a summary of every law."""

import dataclasses
import importlib
import json
import math
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from thalweg._core import DataError, Result, number, write_whole
from thalweg.monitor._parts import CAUSES, NEGLIGIBLE, PARTS

SHOWN = 5
"""Laws and reasons on one screen."""
META = b"thalweg.monitor"


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LawSummary(Result):
    """One law at the end of a record.

    Attributes
    ----------
    name, kind, formula
        ``kind`` is ``"matrix"``, ``"diagonal"`` (one number for each unit) or ``"scale"``.
    units
        Rows of the conserved matrix, over all blocks.
    drift
        ``||C - C(0)||_F`` over the largest Frobenius norm of C and its terms at the start.
    partial
        Whether rows of the table see the diagonal of a large matrix, or probes of it, only; `drift`
        is that of the whole matrix.
    disobedience
        How far the first gradient was from obeying the law.
    observed_change
        Norm of the summed changes over the recorded steps, relative like `drift`.
    shares
        Part -> its share of the summed change over the recorded steps; the shares add up to one.
    """

    name: str
    kind: str
    formula: str
    units: int
    drift: float
    partial: bool
    disobedience: float
    observed_change: float
    shares: dict[str, float]

    @property
    def main_cause(self) -> str | None:
        """The part with the largest share, or None if nothing has changed."""
        return max(self.shares, key=lambda name: self.shares[name], default=None)

    def cause_words(self) -> str:
        """Say what changed the law most."""
        cause = self.main_cause
        if cause is None:
            return "unchanged"
        return f"{CAUSES[cause]} ({100 * self.shares[cause]:.3g} % of the change)"


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Record(Result):
    """Everything that was recorded; reads back from Parquet without PyTorch.

    Attributes
    ----------
    laws
        Summaries.
    without
        ``(layers, reason)`` for pairs without a law and laws that were not obeyed.
    unchecked
        Laws whose gradients have been zero so far.
    notes
        What else should be known.
    steps, every
        Steps of the optimizer, and how often they were recorded.
    optimizers
        Names of their classes.
    """

    laws: tuple[LawSummary, ...]
    without: tuple[tuple[str, str], ...]
    unchecked: tuple[str, ...]
    notes: tuple[str, ...]
    steps: int
    every: int
    optimizers: tuple[str, ...]
    _table: pa.Table

    @property
    def table(self) -> pa.Table:
        """One row for every law and recorded step.

        ``change`` is the norm of the change over the step, the columns of `PARTS` are its parts
        (projected onto the change, so that they add up to it; missing ones are zero), ``drift``
        is measured after the step. Rows of `values_every` have ``value`` and ``drift`` alone.
        """
        return self._table

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as Parquet; the summary goes into the metadata of the file.

        Parameters
        ----------
        path
            Where to.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        summary = json.dumps(self.to_dict(), allow_nan=False).encode()
        buffer = pa.BufferOutputStream()
        pq.write_table(self._table.replace_schema_metadata({META: summary}), buffer)
        return write_whole(path, buffer.getvalue().to_pybytes())

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write a self-contained page without scripts or network access.

        Parameters
        ----------
        path
            Where to.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        written: Path = importlib.import_module("thalweg.report").write_record(self, path)
        return written

    def to_tensorboard(self, writer: Any, *, prefix: str = "thalweg") -> None:
        """Hand every number to a writer.

        Parameters
        ----------
        writer
            Anything with ``add_scalar(tag, value, step)``.
        prefix
            Put before the tags ``law/part``.
        """
        for row in self._table.to_pylist():
            for name in ("value", "drift", "change", *PARTS):
                if row[name] is not None:
                    writer.add_scalar(f"{prefix}/{row['law']}/{name}", row[name], row["step"])

    def _key_figure(self) -> Any:
        return self.plot(panel="drift")

    def summary_rows(self) -> list[tuple[str, str]]:
        """Laws with drift and main cause, pairs without a law with the reason, on one screen."""
        attributed = len(set(self._attributed()))
        names = ", ".join(self.optimizers)
        rows = [("steps", f"{self.steps} of {names}, {attributed} taken apart")]
        worst = sorted(self.laws, key=lambda law: -law.drift)
        for law in worst[:SHOWN]:
            words = f"{law.kind}, drift {number(law.drift)}; {law.cause_words()}"
            rows.append((law.name, "not checked yet" if law.name in self.unchecked else words))
        if len(worst) > SHOWN:
            rows.append(("more laws", f"{len(worst) - SHOWN}, with smaller drift"))
        if not self.laws:
            rows.append(("laws", "none"))
        rows += [(f"no law: {name}", why) for name, why in self.without[:SHOWN]]
        if len(self.without) > SHOWN:
            rows.append(("no law", f"{len(self.without) - SHOWN} more, see .without"))
        return rows + [("note", note) for note in self.notes[:2]]

    def _attributed(self) -> list[int]:
        steps = self._table.column("step").to_pylist()
        changes = self._table.column("change").to_pylist()
        return [step for step, change in zip(steps, changes, strict=True) if change is not None]


def make_record(**fields: Any) -> Record:
    """Build a record; sequences become tuples."""
    table = fields.pop("table")
    laws = tuple(_told(law) for law in fields.pop("laws"))
    return Record(
        laws=laws,
        without=tuple((str(name), str(why)) for name, why in fields.pop("without")),
        unchecked=tuple(fields.pop("unchecked")),
        notes=tuple(fields.pop("notes")),
        optimizers=tuple(fields.pop("optimizers")),
        _table=table,
        **fields,
    )


def _told(law: LawSummary) -> LawSummary:
    """Leave out shares that are nothing, and those that are no number."""
    shares = {
        name: value
        for name, value in law.shares.items()
        if math.isfinite(value) and abs(value) > NEGLIGIBLE
    }
    return dataclasses.replace(law, shares=shares)


def read(path: str | os.PathLike[str]) -> Record:
    """Read a record that `Record.save` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Record
        Equal to the one that was saved.

    Raises
    ------
    DataError
        If it is no such file.
    """
    try:
        table = pq.read_table(path)
        fields = json.loads((table.schema.metadata or {})[META])
        laws = [LawSummary(**_without_type(item)) for item in fields.pop("laws")]
        return make_record(table=table, laws=laws, **_without_type(fields))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} is no record of a monitor ({error}); give a file written by m.save"
        ) from error


def _without_type(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "type"}
