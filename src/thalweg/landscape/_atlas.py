"""The atlas: every critical value with its learned set (Spec 4.2)."""

import dataclasses
import functools
import heapq
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._core import Result, jsonable, learned_words
from thalweg.landscape._construct import kinds_of
from thalweg.landscape._strata import StratumCount, count_strata
from thalweg.problem import Problem

SHOWN = 64
"""Levels in `Atlas.to_dict`; all levels may be 2^40."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Level(Result):
    """One learned set.

    Attributes
    ----------
    learned, loss
        Directions, and the reducible loss that is left.
    kinds
        Kinds of critical points that occur there.
    contained_in
        The sets with one direction more.
    """

    learned: tuple[int, ...]
    loss: float
    kinds: tuple[str, ...]
    contained_in: tuple[tuple[int, ...], ...]
    _dims: tuple[int, ...]
    _linked: int
    _frozen: int

    @functools.cached_property
    def strata(self) -> tuple[StratumCount, ...]:
        """For each kind the number of strata and the dimension of the largest.

        A stratum holds the critical points with one pattern of the ranks of all products of
        layers. Unknown where there are more than can be listed, or the general rule does not hold.
        """
        return count_strata(self._dims, len(self.learned), self._linked, self.kinds, self._frozen)

    @property
    def n_strata(self) -> tuple[int | None, ...]:
        """Number of strata of each kind."""
        return tuple(item.number for item in self.strata)

    @property
    def dimensions(self) -> tuple[int | None, ...]:
        """Dimension of the largest stratum of each kind."""
        return tuple(item.dimension for item in self.strata)

    def to_dict(self) -> dict[str, Any]:
        """Return the level as JSON types, strata included."""
        counts = {"n_strata": list(self.n_strata), "dimensions": list(self.dimensions)}
        return {**Result.to_dict(self), **counts}


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Atlas(Result):
    """All critical values, lowest first; iterating costs only as far as one goes.

    Attributes
    ----------
    n_levels
        Number of learned sets.
    complete
        False if singular values are tied or zero: then other maps share these values, and kinds
        are those of the general rule only.
    """

    n_levels: int
    complete: bool
    _problem: Problem

    def __iter__(self) -> Iterator[Level]:
        """Run through the levels by increasing loss."""
        p = self._problem
        count, most = p.target_rank, min(p.max_rank, p.target_rank)
        start = tuple(range(most))
        heap = [(p.critical_value(start), start)]
        seen = {start}
        while heap:
            loss, learned = heapq.heappop(heap)
            kinds = kinds_of(p, learned)
            if not kinds:
                return
            yield Level(
                learned=learned,
                loss=loss,
                kinds=kinds,
                contained_in=tuple(
                    tuple(sorted({*learned, i}))
                    for i in range(count)
                    if i not in learned and len(learned) < most
                ),
                _dims=p.reduced.dims,
                _linked=p.target_rank - len(learned) if self.complete else -1,
                _frozen=p.n_parameters - p.reduced.n_parameters,
            )
            for follower in _followers(learned, count):
                if follower not in seen:
                    seen.add(follower)
                    heapq.heappush(heap, (p.critical_value(follower), follower))

    def lowest(self, count: int) -> list[Level]:
        """Return the levels of least loss."""
        return list(itertools.islice(self, count))

    def to_dict(self) -> dict[str, Any]:
        """Return the lowest levels as JSON types."""
        return {
            "type": "Atlas",
            "n_levels": self.n_levels,
            "complete": self.complete,
            "levels": jsonable(self.lowest(SHOWN)),
        }

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: the lowest levels."""
        rows = [("levels", str(self.n_levels))]
        return rows + [
            (f"{item.loss:.6g}", f"{learned_words(item.learned)}: {', '.join(item.kinds)}")
            for item in self.lowest(12)
        ]


def _followers(learned: tuple[int, ...], count: int) -> Iterator[tuple[int, ...]]:
    """Yield sets that lose the least from a set: drop its last, or shift one to the next free."""
    if learned:
        yield learned[:-1]
    for place, index in enumerate(learned):
        if index + 1 < count and index + 1 not in learned:
            yield (*learned[:place], index + 1, *learned[place + 1 :])


def atlas(p: Problem) -> Atlas:
    """Return every critical value of a problem with the directions learned there.

    Parameters
    ----------
    p
        The problem.

    Returns
    -------
    Atlas
        Iterable, lowest first; ``lowest(10)`` does not enumerate the rest.

    Notes
    -----
    Status: theorem (Spec 4.2, 4.3; paper Lemma 2, Prop. 3).

    Examples
    --------
    >>> import thalweg as tw
    >>> [level.loss for level in tw.atlas(tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2)))]
    [0.0, 0.5, 4.5, 5.0]
    """
    count, most = p.target_rank, min(p.max_rank, p.target_rank)
    sigma = np.asarray(p.singular_values)
    gaps = -np.diff(sigma) if len(sigma) > 1 else np.ones(1)
    apart = len(sigma) < 2 or float(gaps.min()) > p.tolerance.gap * float(sigma[0])
    distinct = bool(count == p.dims[-1] and apart)
    return Atlas(
        n_levels=1 if p.depth == 1 else sum(math.comb(count, size) for size in range(most + 1)),
        complete=distinct,
        _problem=p,
    )
