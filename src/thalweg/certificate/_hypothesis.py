"""One condition of a theorem, with the number that decides it."""

import dataclasses

from thalweg._core import Result

MARGIN = 1e-10
"""Relative margin that a floating-point inequality must have to count as decided."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Hypothesis(Result):
    """One condition of a theorem.

    Attributes
    ----------
    name
        Theorem and condition, as in ``"basin: ..."``.
    holds
        ``None`` where floating point cannot decide.
    value, threshold
        ``value > threshold`` is needed, or ``>=`` if not `strict`.
    message
        What the value is made of.
    strict
        Whole numbers may be equal to what is needed, real ones must exceed it.
    """

    name: str
    holds: bool | None
    value: float
    threshold: float
    message: str
    strict: bool = True

    @property
    def shortfall(self) -> float:
        """By how much the value misses what is needed; 0 if it does not."""
        return max(self.threshold - self.value, 0.0)


def decide(name: str, value: float, threshold: float, message: str, slack: float) -> Hypothesis:
    """Decide ``value > threshold``, or leave it undecided within `slack`."""
    holds: bool | None = value > threshold
    if not abs(value - threshold) > slack:  # also where a value is NaN
        holds = None
    return Hypothesis(name=name, holds=holds, value=value, threshold=threshold, message=message)


def counted(name: str, value: int, threshold: int, message: str) -> Hypothesis:
    """Decide ``value >= threshold`` for whole numbers."""
    return Hypothesis(
        name=name,
        holds=value >= threshold,
        value=float(value),
        threshold=float(threshold),
        message=message,
        strict=False,
    )
