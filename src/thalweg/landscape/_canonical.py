"""Projectors off the learned signal, and critical points in canonical form (Spec 4.5, 4.6)."""

from collections.abc import Sequence

import numpy as np

from thalweg._core import Array, Weights
from thalweg.landscape._learned import Target
from thalweg.network import prefix_products, suffix_products


def off_signal(
    weights: Weights, metric: Array, target: Target, learned: Sequence[int]
) -> list[Array]:
    """Return ``Q_0, ..., Q_L``: projectors of each layer's space along what carries the signal.

    ``Q_j = I - A_j V_S Sigma_S^-1 U_S^T B_j``, ``A_j = W_j ... W_1 D``, ``B_j = W_L ... W_{j+1}``.
    """
    keep = list(learned)
    left, right = target.left[:, keep], target.right[keep].T / target.sigma[keep]
    after, before = suffix_products(weights), prefix_products(weights)
    out = []
    for back, front in zip(after, before, strict=True):
        carried = np.diag(metric) if front is None else front * metric
        received = left.T if back is None else left.T @ back
        out.append(np.eye(len(carried)) - carried @ right @ received)
    return out


def canonical_point(
    problem: tuple[Target, Array, tuple[int, ...]],
    learned: Sequence[int],
    zero: Sequence[int],
    rng: np.random.Generator,
) -> list[Array]:
    """Return a random point with ``P D = T_S`` whose free blocks vanish in the given layers.

    In suitable hidden coordinates ``W_j = diag(I_r, Z_j)``, ``W_1 = [U_S^T T; Z_1]``,
    ``W_L = [U_S, U_rest Z_L]``. With two vanishing blocks every gradient has one as a factor.

    Parameters
    ----------
    problem
        Target, metric and layer sizes in reduced coordinates.
    learned
        Directions ``S``.
    zero
        Layers, counted from 0, with ``Z_j = 0``.
    rng
        Source of the free blocks and of the hidden coordinates.
    """
    target, metric, dims = problem
    depth, rank = len(dims) - 1, len(learned)
    keep = list(learned)
    whole = np.linalg.svd(target.matrix)[0]
    rest = [i for i in range(dims[-1]) if i not in keep]
    left = np.column_stack([target.left[:, keep], whole[:, rest]])
    left = np.linalg.qr(left)[0] * np.sign(np.sum(np.linalg.qr(left)[0] * left, axis=0))
    frames = [np.eye(dims[0]), *(_gauge(d, rng) for d in dims[1:-1]), np.eye(dims[-1])]
    out = []
    for j in range(depth):
        columns = dims[0] if j == 0 else dims[j] - rank
        block = rng.normal(size=(dims[j + 1] - rank, columns))
        if j in zero:
            block[:] = 0.0
        core = np.zeros((dims[j + 1], dims[j]))
        if j == 0:
            core[:rank] = left[:, :rank].T @ target.matrix
            core[rank:] = block
        else:
            core[:rank, :rank] = np.eye(rank)
            core[rank:, rank:] = block
        if j == depth - 1:
            core = left @ core
        out.append(frames[j + 1] @ np.linalg.solve(frames[j].T, core.T).T)
    out[0] = out[0] / metric
    return out


def _gauge(size: int, rng: np.random.Generator) -> Array:
    """Return a random change of coordinates of condition at most four."""
    one, two = (np.linalg.qr(rng.normal(size=(size, size)))[0] for _ in range(2))
    out: Array = one * rng.uniform(0.5, 2.0, size) @ two
    return out
