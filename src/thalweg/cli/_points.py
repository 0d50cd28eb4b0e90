"""Critical points in words: what was learned, which kind, which seed."""

import dataclasses

from thalweg._core import Array, DataError
from thalweg.data import inert
from thalweg.landscape import KINDS as VERDICTS, critical_point
from thalweg.problem import Problem

KINDS = VERDICTS[:3]  # those that a critical point can be
NOTHING = "none"
GRAMMAR = "LEARNED[:KIND][:SEED] like 0,1 or none:strict_saddle:3"


@dataclasses.dataclass(frozen=True)
class Point:
    """A critical point that can be constructed.

    Attributes
    ----------
    learned
        Singular directions, counted from 0.
    kind
        Which kind; ``None`` is the first that occurs.
    seed
        Of the random choice among them.
    """

    learned: tuple[int, ...]
    kind: str | None = None
    seed: int = 0

    def weights(self, problem: Problem) -> list[Array]:
        """Construct it.

        Raises
        ------
        DataError
            If no such point exists.
        """
        return critical_point(problem, self.learned, self.kind, rng=self.seed)


def parse_learned(text: str, option: str) -> tuple[int, ...]:
    """Return the directions in ``0,1``, or none for ``none``.

    Raises
    ------
    DataError
        If it is neither.
    """
    if text.strip() == NOTHING:
        return ()
    items = [item.strip() for item in text.split(",")]
    if not all(_is_whole(item) for item in items):
        raise DataError(
            f"{option} needs directions counted from 0 like 0,1, or none, got {inert(text)!r}"
        )
    return tuple(int(item) for item in items)


def parse_point(text: str, option: str) -> Point:
    """Return the point in ``LEARNED[:KIND][:SEED]``.

    Raises
    ------
    DataError
        If it is not of this form.
    """
    learned, *rest = text.split(":")
    kind = rest.pop(0) if rest and not _is_whole(rest[0]) else None
    seed = rest.pop(0) if rest else "0"
    if rest or not _is_whole(seed):
        raise DataError(f"{option} needs {GRAMMAR}, got {inert(text)!r}")
    if kind is not None and kind not in KINDS:
        raise DataError(f"{option} has kind {inert(kind)!r}; use one of {', '.join(KINDS)}")
    return Point(parse_learned(learned, option), kind, int(seed))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
