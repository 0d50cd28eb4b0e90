"""The monitor: hooks on optimizers around an unchanged training loop."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Self

import pyarrow as pa
import torch

from thalweg._core import DataError
from thalweg.monitor._find import Found, find
from thalweg.monitor._optimizer_watch import OptimizerWatch
from thalweg.monitor._record import Record, make_record
from thalweg.monitor._rows import as_table
from thalweg.monitor._undisturbed import unwrapped
from thalweg.monitor._watched import Watched

AVERAGED = ("DistributedDataParallel", "FullyShardedDataParallel")
"""Wrappers that change gradients between backward pass and step."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What `watch` was asked for."""

    every: int = 25
    values_every: int | None = None
    pairs: Sequence[tuple[Any, ...]] | None = None
    probes: int | None = None
    full_batch: Callable[[], Any] | None = None
    scaler: Any = None
    sink: Callable[[int, dict[str, float]], None] | None = None
    max_records: int = 2000


class Monitor:
    """Watches the laws of a model while it is trained; made by `thalweg.monitor.watch`.

    Parameters
    ----------
    model, optimizer, options
        As `watch` takes them.
    """

    def __init__(self, model: Any, optimizer: Any, options: Options) -> None:
        _check(model, options)
        self._optimizers = _optimizers(optimizer)
        inner = unwrapped(model)
        self._notes: list[str] = []
        found = find(inner, options.pairs)
        separate = type(model).__name__ not in AVERAGED
        if not separate:
            self._notes.append("gradients are averaged over processes: clipping is not separated")
        self._found = found
        self._watches = _divide(found, self._optimizers, inner, options, separate=separate)
        self._options = options

    def __enter__(self) -> Self:
        """Put the hooks in place."""
        for watch in self._watches:
            watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take all hooks away, whatever happened."""
        for watch in self._watches:
            watch.stop()

    def start(self) -> Self:
        """Begin without a ``with`` block."""
        return self.__enter__()

    def stop(self) -> None:
        """End what `start` began."""
        self.__exit__()

    @property
    def record(self) -> Record:
        """What has been recorded so far, as an immutable result that needs no PyTorch."""
        rows: list[dict[str, Any]] = []
        without, notes = list(self._found.without), list(self._notes)
        for watch in self._watches:
            rows += watch.all_rows()
            without += watch.dropped
            notes += watch.notes
        return make_record(
            table=as_table(rows),
            laws=[item.summary() for watch in self._watches for item in watch.laws],
            unchecked=[i.law.name for w in self._watches for i in w.laws if not i.checked],
            without=without,
            notes=list(dict.fromkeys(notes)),
            steps=max((watch.step for watch in self._watches), default=0),
            every=self._options.every,
            optimizers=[type(item).__name__ for item in self._optimizers],
        )

    @property
    def table(self) -> pa.Table:
        """One row for every law and recorded step."""
        return self.record.table

    def save(self, path: Any) -> Any:
        """Write the table as Parquet, with the summary in its metadata; see `Record.save`."""
        return self.record.save(path)

    def report(self, path: Any) -> Any:
        """Write a self-contained page; see `Record.report`."""
        return self.record.report(path)

    def plot(self, **options: Any) -> Any:
        """Draw drift and causes; see `Record.plot`."""
        return self.record.plot(**options)

    def to_tensorboard(self, writer: Any, prefix: str = "thalweg") -> None:
        """Hand all rows to a ``SummaryWriter``; see `Record.to_tensorboard`."""
        self.record.to_tensorboard(writer, prefix=prefix)

    def __repr__(self) -> str:
        return repr(self.record)

    def _repr_html_(self) -> str:
        return self.record._repr_html_()


def _check(model: Any, options: Options) -> None:
    if not isinstance(model, torch.nn.Module):
        raise DataError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    for name in ("every", "max_records", "values_every", "probes"):
        value = getattr(options, name)
        if value is None and name in {"values_every", "probes"}:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise DataError(f"{name} must be a positive integer, got {value!r}")
    if options.max_records < 2:
        raise DataError("max_records must be at least 2")


def _optimizers(given: Any) -> list[Any]:
    out = []
    for item in given if isinstance(given, (list, tuple)) else [given]:
        inner = item
        # Accelerate and Lightning wrap the optimizer in one of their own.
        while isinstance(getattr(inner, "optimizer", None), torch.optim.Optimizer):
            inner = inner.optimizer
        if not isinstance(inner, torch.optim.Optimizer):
            raise DataError(f"optimizer must be a torch.optim.Optimizer, got {type(item).__name__}")
        out.append(inner)
    return out


def _divide(
    found: Found, optimizers: list[Any], model: Any, options: Options, *, separate: bool
) -> list[OptimizerWatch]:
    """Give every law to the optimizer that trains all of its parameters."""
    named = dict(model.named_parameters(remove_duplicate=False))
    owner = {
        id(parameter): index
        for index, optimizer in enumerate(optimizers)
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    shares: list[list[Watched]] = [[] for _ in optimizers]
    for law in found.laws:
        owners = {owner.get(id(named[term.parameter])) for term in law.terms}
        if None in owners:
            found.without.append((law.name, "not all of its parameters are in the optimizer"))
        elif len(owners) > 1:
            found.without.append((law.name, "its parameters are trained by different optimizers"))
        else:
            try:
                watched = Watched(law, named, options.probes)
            except RuntimeError as error:
                why = f"the shapes of its parameters do not fit ({str(error).splitlines()[0]})"
                found.without.append((law.name, why))
            else:
                shares[owners.pop()].append(watched)  # type: ignore[index]
    return [
        OptimizerWatch(optimizer, laws, model, options, separate=separate)
        for optimizer, laws in zip(optimizers, shares, strict=True)
    ]
