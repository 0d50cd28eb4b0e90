"""Strata that a start can never reach, by what the flow conserves (Spec 5.3)."""

import dataclasses
import functools
import itertools
from typing import Any

import numpy as np

from thalweg._core import EPS, Array, Result, Weights, as_weights, learned_words
from thalweg.landscape._atlas import atlas
from thalweg.landscape._construct import kinds_of
from thalweg.landscape._strings import Arc, arcs_of, covers, free_sizes, pivot_arcs
from thalweg.problem import Problem


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Exclusion(Result):
    """A set of critical points where the flow from a start cannot end.

    Attributes
    ----------
    learned, kind
        Which critical points.
    layer
        Layer ``j``, counted from 1, whose rank is too small there; ``None`` if only several
        conditions together cannot hold.
    needed, possible
        Rank of ``W_j`` that the start's invariants ask for, and the largest that occurs there.
    condition
        The violated condition.
    message
        The same as a sentence.
    """

    learned: tuple[int, ...]
    kind: str
    layer: int | None
    needed: int | None
    possible: int | None
    condition: str
    message: str


def excluded(p: Problem, w: Any, *, most: int = 4096) -> tuple[Exclusion, ...]:
    """Return the strata that the start's invariants rule out as limits.

    The limit has the same ``C_j = W_{j+1}^T W_{j+1} - W_j W_j^T`` as the start, so ``W_{j+1}`` has
    at least as many singular values there as ``C_j`` has positive eigenvalues, and ``W_j`` as many
    as it has negative ones. Where no critical point of a kind has such ranks, the flow cannot end.

    Parameters
    ----------
    p
        The problem.
    w
        The start, in the coordinates of the data.
    most
        Levels of the atlas, lowest first, that are examined.

    Returns
    -------
    tuple of Exclusion
        Empty for balanced starts. What is not listed is not thereby possible.

    Raises
    ------
    DimensionError
        If the weights do not fit the problem.

    Notes
    -----
    Status: derived (Spec 5.3); for two hidden layers, nothing learned and non-strict saddles it
    is the paper's Eqs. 24-25: ``C_2 = 0`` and ``C_1 <= 0``. Needs distinct positive singular
    values and ``d_y <= rank X``; elsewhere only ``rank W_j <= min(d_j, d_{j-1})`` is not enough to
    exclude anything, and the result is empty. Eigenvalues within rounding of zero count as zero.

    Examples
    --------
    >>> import numpy as np, thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))
    >>> start = [np.zeros((2, 3)), np.zeros((2, 2)), np.eye(2)]
    >>> out = tw.excluded(p, start)
    >>> [(item.learned, item.kind, item.condition) for item in out][-1]
    ((), 'non_strict_saddle', 'positive eigenvalues of C_2 <= rank W_3')
    """
    weights = p.reduce(as_weights(w, p.dims))
    catalogue = atlas(p)
    plain, _ = p.flow_data()
    if not catalogue.complete or plain.shape[0] > plain.shape[1] or p.depth == 1:
        return ()
    signs = _signs(weights)
    out = []
    for level in itertools.islice(catalogue, most):
        for kind in level.kinds:
            alone = len(kinds_of(p, level.learned)) == 1
            found = _violated(p.reduced.dims, len(level.learned), None if alone else kind, signs)
            if found is not None:
                out.append(_told(level.learned, kind, found, signs))
    return tuple(out)


def _signs(weights: Weights) -> tuple[tuple[int, int], ...]:
    """Return for every ``C_j`` how many eigenvalues are surely positive and surely negative."""
    out = []
    for one, two in itertools.pairwise(weights):
        values = np.linalg.eigvalsh(two.T @ two - one @ one.T)
        size = float(np.sum(one**2) + np.sum(two**2))
        noise = 32 * EPS * (len(values) + one.shape[1] + two.shape[0]) * size
        out.append((int(np.sum(values > noise)), int(np.sum(values < -noise))))
    return tuple(out)


def _needs(signs: tuple[tuple[int, int], ...], rank: int) -> list[int]:
    """Return the least rank of every free block."""
    depth = len(signs) + 1
    needs = [0] * depth
    for j, (positive, negative) in enumerate(signs):
        needs[j + 1] = max(needs[j + 1], positive - rank)
        needs[j] = max(needs[j], negative - rank)
    return needs


Violation = tuple[int | None, int | None, int | None]


@functools.lru_cache(maxsize=4096)
def _violated(
    dims: tuple[int, ...], rank: int, kind: str | None, signs: tuple[tuple[int, int], ...]
) -> Violation | None:
    """Return layer, needed and possible rank if no stratum of a kind has the needed ranks."""
    needs = _needs(signs, rank)
    if not any(needs):
        return None
    nodes = free_sizes(dims, rank)
    for j, need in enumerate(needs, 1):
        possible = _largest_rank(nodes, kind, j)
        if possible is not None and need > possible:
            return j, need + rank, possible + rank
    if _solved(nodes, kind, needs) is None:
        return None, None, None
    return None


@functools.lru_cache(maxsize=4096)
def _largest_rank(nodes: tuple[int, ...], kind: str | None, layer: int) -> int | None:
    return _solved(nodes, kind, [0] * (len(nodes) - 1), layer)


def _solved(
    nodes: tuple[int, ...], kind: str | None, needs: list[int], layer: int = 1
) -> int | None:
    """Return the largest rank of a free block over all strata of a kind with the needed ranks.

    Unknowns are the multiplicities of the arcs; for non-strict saddles also, for each pivot, which
    of its two products vanishes.
    """
    depth = len(nodes) - 1
    arcs = [
        arc
        for arc in arcs_of(depth)
        if (arc[0] + arc[1] - 1) % (depth + 1) != depth and arc[1] <= depth
    ]
    pairs = [pair[1:] for pair in pivot_arcs(depth)]

    def through(part: Arc) -> Array:
        return np.array([float(covers(arc, part, depth)) for arc in arcs])

    fill = [(through((node, 1)), size, size) for node, size in enumerate(nodes)]
    ranks = [(through((j - 1, 2)), float(needs[j - 1]), np.inf) for j in range(1, depth + 1)]
    goal = through((layer - 1, 2))
    if kind == "strict_saddle":
        choices = [[(through(one), 1.0, np.inf), (through(two), 1.0, np.inf)] for one, two in pairs]
        found = [_milp(goal, fill + ranks + choice, 0) for choice in choices]
    elif kind == "non_strict_saddle":
        most, none = float(sum(nodes)), np.zeros(len(pairs))
        wide = [(np.concatenate([row, none]), low, high) for row, low, high in fill + ranks]
        for k, (one, two) in enumerate(pairs):
            pick = none.copy()
            pick[k] = most
            wide.append((np.concatenate([through(one), -pick]), -np.inf, 0.0))
            wide.append((np.concatenate([through(two), pick]), -np.inf, most))
        found = [_milp(np.concatenate([goal, none]), wide, len(pairs))]
    else:
        found = [_milp(goal, fill + ranks, 0)]
    reached = [item for item in found if item is not None]
    return max(reached) if reached else None


def _milp(goal: Array, rows: list[tuple[Array, float, float]], binary: int) -> int | None:
    # Here and not above: a tenth of a second that only this function needs.
    from scipy.optimize import Bounds, LinearConstraint, milp

    matrix = np.array([row for row, _, _ in rows])
    low, high = (np.array([row[k] for row in rows], float) for k in (1, 2))
    upper = np.full(len(goal), np.inf)
    upper[len(goal) - binary :] = 1.0

    answer = milp(
        -goal,
        constraints=LinearConstraint(matrix, low, high),
        integrality=np.ones(len(goal)),
        bounds=Bounds(0.0, upper),
    )
    return round(-answer.fun) if answer.status == 0 else None


def _told(
    learned: tuple[int, ...],
    kind: str,
    found: Violation,
    signs: tuple[tuple[int, int], ...],
) -> Exclusion:
    layer, needed, possible = found
    where = f"{kind.replace('_', ' ')} with {learned_words(learned)}"
    if layer is None:
        condition = "positive eigenvalues of C_j <= rank W_{j+1} and negative <= rank W_j, all j"
        text = f"no {where} has the ranks that the signs of all C_j together need"
    else:
        below = layer >= 2 and signs[layer - 2][0] == needed
        sign, number = "positive" if below else "negative", layer - below
        condition = f"{sign} eigenvalues of C_{number} <= rank W_{layer}"
        text = (
            f"W_{layer} has rank >= {needed} for ever, as C_{number} has {needed} {sign} "
            f"eigenvalue{'s' if needed != 1 else ''}; at a {where} its rank is <= {possible}"
        )
    return Exclusion(
        learned=learned,
        kind=kind,
        layer=layer,
        needed=needed,
        possible=possible,
        condition=condition,
        message=text,
    )
