"""Put the conserved matrices of computed weights right without touching the end-to-end map.

The least change of the weights that repairs ``C_j`` is ``dW_j = W_j S_{j-1} - S_j W_j`` with
symmetric ``S_j``, a change of hidden coordinates. It is therefore applied as one, exactly:
``W_j <- G_j W_j``, ``W_{j+1} <- W_{j+1} G_j^{-1}``. The product, the loss and the modes stay.
"""

from collections.abc import Callable

import numpy as np

from thalweg._core import Array
from thalweg.integrate._gauge import repair
from thalweg.network import unpack

CHUNK = 2**22  # doubles that are worked on at once
ROUNDS = 4
GOOD = 1e-16  # relative error of C_j that needs no repair
SLACK = 4.0  # times what is good enough: rounding may leave as much
ITERATIONS = 40
ENOUGH = 1e-10  # of the first residual, squared: further Newton rounds do the rest
Stack = list[Array]


def project(
    rows: Array,
    dims: tuple[int, ...],
    conserved: Stack,
    enough: float = 0.0,
    *,
    overwrite: bool = False,
) -> Array:
    """Return `rows` ``(K, n)`` of packed weights with ``C_1, ..., C_H`` as prescribed (Spec 2.2).

    Parameters
    ----------
    rows
        Packed weights, one set in each row.
    dims
        Layer sizes.
    conserved
        Matrices ``C_j = W_{j+1}^T W_{j+1} - W_j W_j^T`` to restore, ``(d_j, d_j)``.
    enough
        Error of any ``C_j`` that may remain, in Frobenius norm; rounding remains in any case.
    overwrite
        Whether the result may take the place of `rows`.
    """
    done = repair(rows, dims, conserved, enough, overwrite=overwrite)
    if done is None:
        return project_numpy(rows, dims, conserved, enough)
    out, (_, after, good) = done
    left = np.flatnonzero(after > SLACK * good)
    if left.size:  # further off than first order reaches, or a singular system
        out[left] = project_numpy(out[left], dims, conserved, enough)
    return out


def project_numpy(
    rows: Array, dims: tuple[int, ...], conserved: Stack, enough: float = 0.0
) -> Array:
    """Do what `project` does, without the compiled core."""
    out = rows.copy()
    length = max(1, CHUNK // max(rows.shape[1], 1))
    for begin in range(0, len(rows), length):
        part = out[begin : begin + length]
        repaired = _repair(unpack(part, dims), conserved, enough)
        part[:] = np.concatenate([item.reshape(len(part), -1) for item in repaired], axis=1)
    return out


def _repair(layers: Stack, conserved: Stack, enough: float) -> Stack:
    """Take Newton steps with those sets of weights that still get better by them."""
    layers = [item.copy() for item in layers]
    before, good = _sizes(layers, conserved, enough)
    if not np.all(np.isfinite(before)):
        return layers
    rows = np.flatnonzero(before > good)
    for _ in range(ROUNDS):
        if rows.size == 0:
            break
        part = [item[rows] for item in layers]
        moved = _move(part, _solve_gauge(part, _error(part, conserved)[0], enough))
        after, good = _sizes(moved, conserved, enough)
        better = after < before[rows]
        for item, new in zip(layers, moved, strict=True):
            item[rows[better]] = new[better]
        going = (after < 0.5 * before[rows]) & (after > good)
        before[rows] = np.where(better, after, before[rows])
        rows = rows[going]
    return layers


def _sizes(layers: Stack, conserved: Stack, enough: float) -> tuple[Array, Array]:
    """Return the largest error of any ``C_j``, and what is good enough, for each set."""
    error, size = _error(layers, conserved)
    largest: Array = np.max([np.linalg.norm(item, axis=(1, 2)) for item in error], axis=0)
    return largest, np.maximum(enough, GOOD * size)


def _gram(layers: Stack, j: int) -> tuple[Array, Array]:
    above, below = layers[j + 1], layers[j]
    return above.swapaxes(1, 2) @ above, below @ below.swapaxes(1, 2)


def _error(layers: Stack, conserved: Stack) -> tuple[Stack, Array]:
    out, size = [], np.zeros(len(layers[0]))
    for j, wanted in enumerate(conserved):
        above, below = _gram(layers, j)
        out.append(above - below - wanted)
        size = np.maximum(size, np.linalg.norm(above, axis=(1, 2)))
        size = np.maximum(size, np.linalg.norm(below, axis=(1, 2)))
    return out, size


def _solve_gauge(layers: Stack, error: Stack, enough: float) -> Stack:
    """Solve the symmetric semidefinite system for all ``S_j`` by conjugate gradients."""
    sums = [np.add(*_gram(layers, j)) for j in range(len(error))]

    def apply(s: Stack) -> Stack:
        out = []
        for j, total in enumerate(sums):
            image = total @ s[j] + s[j] @ total
            if j + 1 < len(s):
                above = layers[j + 1]
                image = image - 2 * above.swapaxes(1, 2) @ s[j + 1] @ above
            if j > 0:
                below = layers[j]
                image = image - 2 * below @ s[j - 1] @ below.swapaxes(1, 2)
            out.append(image)
        return out

    precondition = _block_inverse(sums)
    s = [np.zeros_like(item) for item in error]
    rest = [-item for item in error]
    way = precondition(rest)
    power = _dot(rest, way)
    begin = power
    first = np.max([np.linalg.norm(item, axis=(1, 2)) for item in error], axis=0)
    goal = np.clip((0.2 * enough / np.where(first > 0, first, 1.0)) ** 2, ENOUGH, 1e-2)
    for _ in range(ITERATIONS):
        image = apply(way)
        step = _ratio(power, _dot(way, image))
        s = [one + step * two for one, two in zip(s, way, strict=True)]
        rest = [one - step * two for one, two in zip(rest, image, strict=True)]
        better = precondition(rest)
        now = _dot(rest, better)
        if np.all(now <= goal * begin):
            break
        grow = _ratio(now, power)
        way = [one + grow * two for one, two in zip(better, way, strict=True)]
        power = now
    return s


def _block_inverse(sums: Stack) -> Callable[[Stack], Stack]:
    """Return the inverse of ``S -> K S + S K`` in each block, from the eigenvectors of ``K``."""
    blocks = []
    for total in sums:
        values, vectors = np.linalg.eigh(total)
        pairs = values[:, :, None] + values[:, None, :]
        least = np.maximum(np.finfo(float).eps * values[:, -1:, None], np.finfo(float).tiny)
        blocks.append((vectors, np.where(pairs > least, 1.0 / np.maximum(pairs, least), 0.0)))

    def apply(s: Stack) -> Stack:
        out = []
        for item, (vectors, inverse) in zip(s, blocks, strict=True):
            inside = vectors.swapaxes(1, 2) @ item @ vectors * inverse
            out.append(vectors @ inside @ vectors.swapaxes(1, 2))
        return out

    return apply


def _ratio(one: Array, two: Array) -> Array:
    """Return ``one / two`` where `two` is positive, else 0, shaped to scale matrices."""
    positive = two > 0
    return np.where(positive, one / np.where(positive, two, 1.0), 0.0)[:, None, None]


def _dot(one: Stack, two: Stack) -> Array:
    total = np.zeros(len(one[0]))
    for a, b in zip(one, two, strict=True):
        total = total + np.einsum("kij,kij->k", a, b)
    return total


def _move(layers: Stack, s: Stack) -> Stack:
    out = list(layers)
    for j, item in enumerate(s):
        # As a correction, so that only the last addition rounds.
        gauge = np.eye(item.shape[1]) - item
        inverse = np.linalg.solve(gauge, item)  # (I - S)^-1 = I + (I - S)^-1 S
        out[j] = out[j] - item @ out[j]
        out[j + 1] = out[j + 1] + out[j + 1] @ inverse
    return out
