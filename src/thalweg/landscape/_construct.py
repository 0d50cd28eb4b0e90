"""Random critical points of every kind that occurs (Spec 4.6)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, RngLike, as_generator
from thalweg.landscape._canonical import canonical_point
from thalweg.landscape._learned import Target
from thalweg.landscape._strata import strata_of_kind
from thalweg.landscape._strings import (
    Arc,
    as_strings,
    covers,
    free_sizes,
    is_strict,
    pivot_arcs,
    random_strings,
)
from thalweg.problem import Problem

KINDS = ("global_minimum", "strict_saddle", "non_strict_saddle")


def kinds_of(p: Problem, learned: tuple[int, ...]) -> tuple[str, ...]:
    """Return the kinds of critical points that learned exactly these directions (Spec 4.3)."""
    rank, top = len(learned), learned == tuple(range(len(learned)))
    if p.depth == 1 and not (top and rank == p.target_rank):
        return ()
    if not top:
        return ("strict_saddle",)
    if rank == min(p.max_rank, p.target_rank):
        return ("global_minimum",)
    return ("strict_saddle", "non_strict_saddle") if p.depth >= 3 else ("strict_saddle",)


def critical_point(
    p: Problem, learned: int | Sequence[int] = (), kind: str | None = None, rng: RngLike = None
) -> list[Array]:
    """Return a random critical point that learned given directions and is of a given kind.

    Parameters
    ----------
    p
        The problem; singular values distinct and positive.
    learned
        Singular directions, counted from 0; one number is one direction.
    kind
        ``"global_minimum"``, ``"strict_saddle"`` or ``"non_strict_saddle"``; ``None`` takes the
        first that occurs.
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    list of ndarray
        Weights in the coordinates of the data; the gradient vanishes to rounding.

    Raises
    ------
    DataError
        If the directions do not exist or the kind cannot occur there (a ``ValueError``).
    """
    chosen = _directions(learned)
    count = min(p.max_rank, p.target_rank)
    if len(chosen) > count or any(not 0 <= i < p.target_rank for i in chosen):
        raise DataError(
            f"learned = {chosen} needs at most {count} different directions among "
            f"0..{p.target_rank - 1} (bottleneck {p.max_rank})"
        )
    possible = kinds_of(p, chosen)
    if not possible:
        raise DataError("without a hidden layer the loss is convex: only global minima exist")
    kind = possible[0] if kind is None else kind
    if kind not in KINDS:
        raise DataError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if kind not in possible:
        raise DataError(f"no {kind} learned {chosen}: {_why_not(p, chosen, kind)}")
    generator = as_generator(rng)
    plain, metric = p.flow_data()
    deciding = kind if len(possible) > 1 or kind == "global_minimum" else None
    arcs = random_arcs(p, len(chosen), deciding, generator)
    point = canonical_point((Target.of(plain), metric, p.reduced.dims), chosen, arcs, generator)
    frozen = [np.zeros((p.dims[j + 1], p.dims[j])) for j in range(p.depth)]
    return p.lift(point, like=frozen)


def _directions(learned: Any) -> tuple[int, ...]:
    """Return a set of directions in order."""
    given = np.atleast_1d(np.asarray(learned, dtype=object))
    if given.ndim != 1 or any(
        not isinstance(i, (int, np.integer)) or isinstance(i, bool) for i in given
    ):
        raise DataError(
            f"learned must be singular directions counted from 0, like (0, 2), got {learned!r}"
        )
    return tuple(sorted({int(i) for i in given}))


def random_arcs(p: Problem, rank: int, kind: str | None, rng: np.random.Generator) -> list[Arc]:
    """Return random strings of a kind at a rank; every rank pattern of that kind can come.

    With ``None`` any strings: the learned set alone decides the kind. Where the strata can be
    listed each is equally likely.
    """
    dims, depth = p.reduced.dims, p.depth
    nodes, linked = list(free_sizes(dims, rank)), p.target_rank - rank
    listed = strata_of_kind(dims, rank, linked, kind)
    if listed is not None:
        chosen = listed[int(rng.integers(len(listed)))]
        return [arc for arc, count in chosen for _ in range(count)]
    planted: list[Arc] = []
    forbidden: list[Arc] = []
    if 0 not in nodes[1:]:
        for _, between, around in pivot_arcs(depth):
            if kind == "non_strict_saddle":
                # One of the two products vanishes; identities and the link itself cannot.
                single = between[1] == 1
                other = around[1] == 2 or (not single and rng.random() < 0.5)
                forbidden.append(between if other else around)
        if kind == "strict_saddle" and rng.random() < 0.75:
            at = int(rng.integers(len(pivot_arcs(depth))))
            planted = list(pivot_arcs(depth)[at][1:])
            linked -= 1
            nodes = [size - 1 for size in nodes]
    free = random_strings(
        tuple(nodes),
        linked,
        lambda arc: not any(covers(arc, part, depth) for part in forbidden),
        rng,
    )
    arcs = planted + free
    if kind == "strict_saddle" and not is_strict(as_strings(arcs), depth):
        return random_arcs(p, rank, kind, rng)
    return arcs


def _why_not(p: Problem, learned: tuple[int, ...], kind: str) -> str:
    top = learned == tuple(range(len(learned)))
    if kind == "global_minimum":
        count = min(p.max_rank, p.target_rank)
        return f"a global minimum learns the {count} largest directions"
    if not top:
        return "a larger direction is unlearned, so the Hessian has a negative eigenvalue"
    if len(learned) == min(p.max_rank, p.target_rank):
        return "points that learned the largest directions possible are global minima"
    return "with one hidden layer every saddle is strict (paper §4.1)"
