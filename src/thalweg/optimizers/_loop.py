"""Step after step, until all are done, the loss blows up, or somebody presses Ctrl-C."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.optimizers._ledger import Ledger
from thalweg.optimizers._objective import Objective
from thalweg.optimizers._rules import rule_of
from thalweg.optimizers._settings import Settings

BLOWN_UP = 1e6
"""Factor above the larger of the losses at the start and at zero that counts as divergence."""
EVERY_SECONDS = 0.2
"""Seconds between calls of the progress callback."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the steps left behind.

    Attributes
    ----------
    status
        ``"done"``, ``"diverged"`` or ``"interrupted"``.
    done
        Steps that were taken.
    losses
        Loss after each of them, the start first.
    weights
        The last ones, in the coordinates of the optimizer.
    kept
        Pairs of a step and its weights.
    seconds
        Time spent.
    """

    status: str
    done: int
    losses: Array
    weights: list[Array]
    kept: list[tuple[int, list[Array]]]
    seconds: float


def take_steps(
    objective: Objective,
    settings: Settings,
    ledger: Ledger,
    *,
    batches: Iterator[Any] | None,
    keep: frozenset[int],
    progress: Callable[..., None] | None,
) -> Outcome:
    """Take the steps that `settings` asks for.

    Parameters
    ----------
    objective
        The loss.
    settings
        Method and numbers.
    ledger
        Is told of every step.
    batches
        Indices of the samples of each step, or ``None`` for all.
    keep
        Steps whose weights are kept.
    progress
        Called now and then with the time of the step, its number and the loss.

    Returns
    -------
    Outcome
        Also if it was cut short.
    """
    began = told = time.perf_counter()
    rule = rule_of(settings)
    weights = objective.start
    losses = np.empty(settings.steps + 1)
    losses[0], slopes = objective.full(weights)
    at_zero = objective.loss([np.zeros_like(weight) for weight in weights])
    most = BLOWN_UP * max(float(losses[0]), at_zero)
    kept = [(0, weights)] if 0 in keep else []
    done, status = 0, "done"
    try:
        # A run that blows up overflows on its way; that is a result, not a warning.
        with np.errstate(over="ignore", invalid="ignore"):
            for row in range(1, settings.steps + 1):
                if batches is not None:
                    slopes = objective.batch(weights, next(batches))
                new = rule.step(weights, slopes)
                if batches is None:
                    loss, slopes = objective.full(new)
                else:
                    loss = objective.loss(new)
                if not loss <= most:
                    status = "diverged"
                    break
                ledger.record(row, new, rule)
                losses[row] = loss
                weights, done = new, row
                if row in keep:
                    kept.append((row, weights))
                if progress is not None and time.perf_counter() - told > EVERY_SECONDS:
                    told = time.perf_counter()
                    progress(row * settings.time_per_step, row, loss)
    except KeyboardInterrupt:
        status = "interrupted"
    ledger.flush()
    return Outcome(
        status=status,
        done=done,
        losses=losses[: done + 1].copy(),
        weights=weights,
        kept=kept,
        seconds=time.perf_counter() - began,
    )
