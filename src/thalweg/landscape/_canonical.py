"""Random critical points in canonical form (Spec 4.6)."""

import itertools
from collections.abc import Sequence

import numpy as np

from thalweg._core import Array
from thalweg.landscape._learned import Target
from thalweg.landscape._strings import Arc, covers


def canonical_point(
    problem: tuple[Target, Array, tuple[int, ...]],
    learned: Sequence[int],
    arcs: Sequence[Arc],
    rng: np.random.Generator,
) -> list[Array]:
    """Return a random point with ``P D = T_S`` whose free blocks have the given strings.

    In suitable hidden coordinates ``W_j = diag(I_r, Z_j)``, ``W_1 D = [U_S^T T; Z_1 V_rest^T]``,
    ``W_L = [U_S, U_rest Z_L]``, where each ``Z_j`` hands the strings on in random bases. Node
    ``L``'s basis fixes a part of node 0's, because ``N`` is given by the data.

    Parameters
    ----------
    problem
        Target, metric and layer sizes in reduced coordinates.
    learned
        Directions ``S``.
    arcs
        Strings; those through nodes ``L`` and 0 as many as ``N`` has rank.
    rng
        Source of the bases and of the hidden coordinates.
    """
    target, metric, dims = problem
    depth, rank, keep = len(dims) - 1, len(learned), list(learned)
    left, right, values = _split(target, keep)
    nodes = tuple(size - rank for size in dims)
    maps = _maps(arcs, nodes)
    bases = [_gauge(size, rng) for size in nodes]
    top = values.size
    bases[-1][:top] = np.hstack([_gauge(top, rng), np.zeros((top, nodes[-1] - top))])
    bases[-1][top:, top:] = _gauge(nodes[-1] - top, rng)
    bases[0][:top, :top] = values[:, np.newaxis] * bases[-1][:top, :top]
    bases[0][top:] = np.hstack([np.zeros((nodes[0] - top, top)), _gauge(nodes[0] - top, rng)])
    frames = [_gauge(size, rng) for size in dims[1:-1]]
    out = []
    for j in range(1, depth + 1):
        block = bases[j] @ np.linalg.solve(bases[j - 1].T, maps[j - 1].T).T
        block *= rng.uniform(0.5, 1.5) / max(float(np.linalg.norm(block)), 1e-300)
        core: Array = np.zeros((dims[j], dims[j - 1]))
        core[:rank, :rank] = np.diag(target.sigma[keep]) if j == 1 else np.eye(rank)
        core[rank:, rank:] = block
        inner = right if j == 1 else np.linalg.inv(frames[j - 2]).T
        core = core @ inner.T
        out.append((left if j == depth else frames[j - 1]) @ core)
    out[0] = out[0] / metric
    return out


def _split(target: Target, keep: list[int]) -> tuple[Array, Array, Array]:
    """Return orthonormal bases of outputs and inputs, learned first, and the other values."""
    left, values, right = np.linalg.svd(target.matrix)
    rest = [i for i in range(len(values)) if i not in keep and values[i] > 1e-12 * values[0]]
    outer = [i for i in range(len(left)) if i not in keep and i not in rest]
    inner = [i for i in range(len(right)) if i not in keep and i not in rest]
    return left[:, keep + rest + outer], right[keep + rest + inner].T, values[rest]


def _maps(arcs: Sequence[Arc], nodes: tuple[int, ...]) -> list[Array]:
    """Give every string one basis vector of each node that it visits; return the maps between."""
    size = len(nodes)
    used = [0] * size
    maps = [np.zeros((nodes[j], nodes[j - 1])) for j in range(1, size)]
    # Strings through the link come first, to have the same index at both of its ends.
    for arc in sorted(arcs, key=lambda arc: not covers(arc, (size - 1, 2), size - 1)):
        visit = [(arc[0] + step) % size for step in range(arc[1])]
        for here, there in itertools.pairwise(visit):
            if there:
                maps[there - 1][used[there], used[here]] = 1.0
        for node in visit:
            used[node] += 1
    return maps


def _gauge(size: int, rng: np.random.Generator) -> Array:
    """Return a random change of coordinates of condition at most four."""
    one, two = (np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(2))
    out: Array = one * rng.uniform(0.5, 2.0, size) @ two
    return out
