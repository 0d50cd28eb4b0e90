"""The part of a sweep that one of several independent commands computes."""

import dataclasses
import math

from thalweg._core import DataError


@dataclasses.dataclass(frozen=True)
class Shard:
    """Every `of`-th chunk from number `part` on: the command ``--chunk part --of of``.

    Parameters
    ----------
    part, of
        Part number, from 0, and how many parts there are.

    Raises
    ------
    DataError
        If there is no such part.
    """

    part: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.part < self.of:
            raise DataError(
                f"part {self.part} of {self.of} does not exist; "
                f"parts are counted from 0, so the last one is {self.of - 1}"
            )

    def ids(self, chunks: int) -> range:
        """Return the numbers of its chunks."""
        return range(self.part, chunks, self.of)

    def meets(self, other: "Shard") -> bool:
        """Say whether two parts, also of different divisions, can share a chunk."""
        return (self.part - other.part) % math.gcd(self.of, other.of) == 0

    def __str__(self) -> str:
        return "all chunks" if self.of == 1 else f"part {self.part} of {self.of}"


WHOLE = Shard(0, 1)
