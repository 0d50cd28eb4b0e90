"""What it takes to say that a trajectory is unbounded: a level, and an argument for it."""

import dataclasses

from thalweg._core import DataError, Result, as_scalar


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Level(Result):
    """A value below which a function has no critical point, with the reason.

    Attributes
    ----------
    value
        No point ``x`` with ``f(x) < value`` has a vanishing gradient.
    argument
        Why; it is quoted wherever the level is used. The program cannot check it, but says so
        where a run comes to rest below the level.
    """

    value: float
    argument: str

    def __post_init__(self) -> None:
        """Refuse a level without a number or a reason.

        Raises
        ------
        DataError
            If one is missing.
        """
        object.__setattr__(self, "value", as_scalar(self.value, "value"))
        words: object = self.argument  # what a user passes may be anything
        if not isinstance(words, str) or not words.strip():
            raise DataError(
                "a level needs an argument: say in a sentence why f has no critical point below it"
            )


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Evidence(Result):
    """Why a trajectory is unbounded.

    Attributes
    ----------
    level
        The certified level.
    time, loss, margin
        When the function was first seen below the level, its value there, and how far below that
        is compared with the rounding of the value.
    start_norm, end_norm
        Norms of the first and of the last computed point.
    statement
        The theorem, put together.
    """

    level: Level
    time: float
    loss: float
    margin: float
    start_norm: float
    end_norm: float
    statement: str
