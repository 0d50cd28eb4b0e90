"""As `_project.py` for one set of wide layers, in few products and little memory.

In the eigenvectors of ``K_j = W_{j+1}^T W_{j+1} + W_j W_j^T`` the equation for the gauge is a
division, except for the coupling of neighbouring layers: four products in an iteration instead of
fourteen, none with one hidden layer. The equation is solved in single precision, which is exact
enough for a correction; the weights are changed in double precision.
"""

import itertools
from typing import Any

import numpy as np

from thalweg._core import Array
from thalweg.network import unpack

ROUNDS = 6
ITERATIONS = 30
INNER = 1e-4  # of the error that a round may leave; single precision reaches no less than 1e-6
GOOD = 1e-14  # relative error of C_j that needs no repair
Matrices = list[Array]
Single = list[np.ndarray[Any, np.dtype[np.float32]]]


def project_large(y: Array, dims: tuple[int, ...], conserved: Matrices, enough: float) -> Array:
    """Return packed weights with ``C_1, ..., C_H`` as prescribed (Spec 2.2), as `project`.

    Parameters
    ----------
    y
        Packed weights, shape ``(n,)``; not changed.
    dims
        Layer sizes.
    conserved
        The matrices to restore, ``(d_j, d_j)``.
    enough
        Error of any ``C_j`` that may remain, in Frobenius norm.
    """
    best = y
    error, size = _error(unpack(best, dims), conserved)
    if not np.isfinite(size):
        return best
    for _ in range(ROUNDS):
        if size <= enough:
            break
        trial = best.copy()
        _apply(unpack(trial, dims), _gauge(unpack(best, dims), error))
        error, fresh = _error(unpack(trial, dims), conserved)
        if not fresh < size:
            break
        best, slow, size = trial, fresh > 0.5 * size, fresh
        if slow:
            break
    return best


def _error(layers: Matrices, conserved: Matrices) -> tuple[Single, float]:
    """Return the errors of ``C_j`` in single precision and the largest norm, computed in double."""
    out: Single = []
    worst = 0.0
    for (below, above), wanted in zip(itertools.pairwise(layers), conserved, strict=True):
        error = above.T @ above
        error -= below @ below.T
        error -= wanted
        worst = max(worst, float(np.linalg.norm(error)))
        out.append(error.astype(np.float32))
    return out, worst


def _gauge(layers: Matrices, error: Single) -> Matrices:
    """Return the symmetric ``S_j``, by conjugate gradients in the eigenvectors of ``K_j``."""
    scale = max(float(np.abs(item).max()) for item in error) or 1.0
    frames, inverses = [], []
    for below, above in itertools.pairwise(layers):
        total = above.T @ above
        total += below @ below.T
        values, vectors = np.linalg.eigh(total)
        del total
        frames.append(vectors.astype(np.float32))
        del vectors
        values = values.astype(np.float32)
        pairs = values[:, None] + values[None, :]
        tiny = pairs <= max(np.finfo(np.float32).eps * values[-1], np.finfo(np.float32).tiny)
        pairs[tiny] = np.inf
        inverses.append(np.reciprocal(pairs, out=pairs))
    between = [
        after.T @ layer.astype(np.float32) @ before
        for before, after, layer in zip(frames, frames[1:], layers[1:], strict=False)
    ]
    rest = [f.T @ (item / np.float32(-scale)) @ f for f, item in zip(frames, error, strict=True)]
    error.clear()
    answer = [np.zeros_like(item) for item in rest]
    way = [a * b for a, b in zip(inverses, rest, strict=True)]
    power = _dot(rest, way)
    goal = INNER**2 * power
    for _ in range(ITERATIONS if power > 0 else 0):
        image = _couple(way, inverses, between)
        curve = _dot(way, image)
        if not curve > 0:
            break
        step = np.float32(power / curve)
        for k, (one, two) in enumerate(zip(way, image, strict=True)):
            answer[k] += step * one
            rest[k] -= step * two
        better = [a * b for a, b in zip(inverses, rest, strict=True)]
        power, before = _dot(rest, better), power
        if power <= goal:
            break
        grow = np.float32(power / before)
        way = [a + grow * b for a, b in zip(better, way, strict=True)]
    return [
        (f @ item @ f.T).astype(np.float64) * scale for f, item in zip(frames, answer, strict=True)
    ]


def _couple(s: Single, inverses: Single, between: Single) -> Single:
    """Return ``K S + S K`` less what neighbouring layers take back, in the eigenvectors."""
    out = [
        np.divide(a, b, out=np.zeros_like(a), where=b > 0) for a, b in zip(s, inverses, strict=True)
    ]
    for j, layer in enumerate(between):
        out[j] -= 2 * (layer.T @ s[j + 1] @ layer)
        out[j + 1] -= 2 * (layer @ s[j] @ layer.T)
    return out


def _apply(layers: Matrices, gauge: Matrices) -> None:
    """Change hidden coordinates in place: ``W_j <- (I - S_j) W_j``, ``W_{j+1} (I - S_j)^{-1}``."""
    for j, item in enumerate(gauge):
        inverse = np.linalg.solve(np.eye(len(item)) - item, item)  # (I - S)^-1 - I
        layers[j] -= item @ layers[j]
        layers[j + 1] += layers[j + 1] @ inverse


def _dot(one: Single, two: Single) -> float:
    return sum(float(np.vdot(a, b)) for a, b in zip(one, two, strict=True))
