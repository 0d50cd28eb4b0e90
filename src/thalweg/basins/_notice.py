"""One line to the user about something that was put right."""

import warnings
from collections.abc import Callable


class SweepWarning(UserWarning):
    """Something in a sweep was not as it should be, and was put right."""


def notice(text: str, report: Callable[[str], None] | None) -> None:
    """Hand a line to `report`, or warn where there is none."""
    if report is None:
        warnings.warn(text, SweepWarning, stacklevel=3)
    else:
        report(text)
