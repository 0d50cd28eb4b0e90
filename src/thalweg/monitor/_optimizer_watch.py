"""The laws of one optimizer, followed by its hooks."""

import warnings
from typing import Any

import torch

from thalweg.monitor._buffers import Buffers
from thalweg.monitor._gradients import Gradients
from thalweg.monitor._parts import PARTS
from thalweg.monitor._rows import Rows
from thalweg.monitor._step import Before, Step, add_batch_free, take_after, take_before
from thalweg.monitor._watched import Watched, precision


class OptimizerWatch:
    """Counts steps, records some of them.

    Parameters
    ----------
    optimizer
        Its hooks are used; its step is not replaced.
    laws
        Candidates that it trains.
    model
        Without wrappers.
    options
        Of the monitor.
    separate
        Whether the gradient after the backward pass is comparable with that at the step.
    """

    def __init__(
        self, optimizer: Any, laws: list[Watched], model: Any, options: Any, *, separate: bool
    ) -> None:
        self.laws, self.step = laws, 0
        self.dropped: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self._optimizer, self._model, self._options = optimizer, model, options
        named = dict(model.named_parameters(remove_duplicate=False))
        self._parameters = {name: named[name] for law in laws for name in law.names}
        self._separate = separate
        self._every, self._values_every = options.every, options.values_every
        self._rows, self._values = Rows(options.max_records), Rows(options.max_records)
        self._gradients: Gradients | None = None
        self._buffers = Buffers()
        self._handles: list[Any] = []
        self._before: dict[str, Before] | None = None
        self._due = False
        self._begun = False

    def start(self) -> None:
        """Put the hooks in place."""
        if not self.laws or self._handles:
            return
        if self._separate:
            self._gradients = Gradients(self._parameters, self._options.scaler, self._buffers)
        self._handles = [
            self._optimizer.register_step_pre_hook(self._pre),
            self._optimizer.register_step_post_hook(self._post),
        ]
        self._arm()

    def stop(self) -> None:
        """Take the hooks away; safe to call twice."""
        for handle in self._handles:
            handle.remove()
        self._handles, self._before = [], None
        self._buffers.clear()
        if self._gradients is not None:
            self._gradients.remove()
            self._gradients = None

    def all_rows(self) -> list[dict[str, Any]]:
        """Return the rows of recorded steps and of values in between."""
        self._keep([row for law in self.laws for row in law.flush()])
        return self._rows.flat() + self._values.flat()

    def _arm(self) -> None:
        following = self.step + 1
        due = following == 1 or following % self._every == 0 or not self._begun
        if self._gradients is not None and (due or self._due):
            self._gradients.arm(on=due)
        self._due = due

    def _pre(self, _optimizer: Any, args: Any, kwargs: Any) -> None:
        self.step += 1
        if self._due:
            try:
                self._prepare(args, kwargs)
            except Exception as error:
                self._give_up(error)

    def _prepare(self, args: Any, kwargs: Any) -> None:
        closure = bool(args and args[0] is not None) or kwargs.get("closure") is not None
        with torch.no_grad():
            self._before = take_before(
                self._optimizer,
                self._parameters,
                self._gradients,
                self._buffers,
                closure=closure,
            )
            if self._before is not None and not self._begun:
                weights = {name: item.weight for name, item in self._before.items()}
                for law in self.laws:
                    law.begin(weights)
        if self._before is not None and self._options.full_batch is not None:
            self._pause(on=True)
            add_batch_free(self._before, self._parameters, self._model, self._options.full_batch)
            self._pause(on=False)

    def _pause(self, *, on: bool) -> None:
        if self._gradients is not None:
            self._gradients.paused = on

    def _post(self, _optimizer: Any, _args: Any, _kwargs: Any) -> None:
        try:
            if self._before is not None:
                with torch.no_grad():
                    self._finish(self._before)
            elif self._values_every is not None and self.step % self._values_every == 0:
                self._note_values()
        except Exception as error:
            self._give_up(error)
        else:
            self._arm()

    def _finish(self, before: dict[str, Before]) -> None:
        self._before = None
        done = take_after(self._optimizer, self._parameters, before, self._gradients, self._buffers)
        self._record(done)
        self._begun = True

    def _note_values(self) -> None:
        if not self._begun:
            return
        rows = []
        for law in self.laws:
            if law.by_unit:
                rows += law.note_values(self.step)
        if rows:
            self._keep(rows)

    def _keep(self, rows: list[dict[str, Any]]) -> None:
        """Keep values, thinned step by step so that all laws have the same steps."""
        by_step: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            by_step.setdefault(row["step"], []).append(row)
        for step in sorted(by_step):
            if self._values.add(by_step[step]):
                self._values_every = 2 * (self._values_every or 1)

    def _record(self, done: Step) -> None:
        self._check(done)
        if done.note:
            self.notes.append(done.note)
            self.notes = list(dict.fromkeys(self.notes))
        rows = []
        for law in self.laws:
            if not law.checked:
                continue
            row = law.row(self.step, done.updates)
            rows.append(row | {"passes": done.passes or None, "factor": done.factor})
        if self._rows.add(rows):
            self._every *= 2
        if self._options.sink is not None:
            self._options.sink(self.step, flat(rows))

    def _check(self, done: Step) -> None:
        """Drop what the first gradients do not obey."""
        waiting = [law for law in self.laws if not law.checked]
        if not waiting or not done.raw:
            return
        computed = precision(done.raw)
        for law in waiting:
            why = law.check(done.updates, computed)
            if why is not None:
                self.laws.remove(law)
                self.dropped.append((law.law.name, why))

    def _give_up(self, error: Exception) -> None:
        """Stop watching rather than disturb the training."""
        self.stop()
        text = f"monitoring stopped at step {self.step}: {type(error).__name__}: {error}"
        self.notes.append(text)
        warnings.warn(text, stacklevel=4)


def flat(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return rows as one dictionary of numbers, ``"law/part"``."""
    return {
        f"{row['law']}/{name}": row[name]
        for row in rows
        for name in ("value", "drift", "change", *PARTS)
        if row.get(name) is not None
    }
