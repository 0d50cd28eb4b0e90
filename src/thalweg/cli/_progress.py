"""How far a command is, on standard error."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from thalweg.cli._output import say

EVERY = 10.0
"""Seconds between lines where there is no terminal."""


class Progress:
    """A status line on a terminal, a line now and then elsewhere, nothing if quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()
        self._status: Any = None
        self._told = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            from rich.console import Console

            self._status = Console(stderr=True).status("reading")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, text: str) -> None:
        """Show a state."""
        if self._status is not None:
            self._status.update(text)
        elif not self._quiet and time.monotonic() - self._told > EVERY:
            self._told = time.monotonic()
            say(text)

    def rows(self, done: int, total: int | None) -> None:
        """Show how much of a table has been read."""
        share = f" of {total} ({100 * done / total:.0f} %)" if total else ""
        self.show(f"reading: {done} rows{share}")

    def flow(self, t: float, steps: int, loss: float) -> None:
        """Show how far the flow is."""
        self.show(f"flow: time {t:.4g}, {steps} steps, reducible loss {loss:.6g}")

    def descent(self, t: float, step: int, loss: float) -> None:
        """Show how far the training is."""
        self.show(f"training: step {step}, time {t:.4g}, loss {loss:.6g}")
