"""The flow problems that are timed: P1, P2, P3, P7 and the digits data with two networks.

A problem is ``dW_j/dt = R_j^T M D A_{j-1}^T`` with ``M = T - W_L ... W_1 D`` (theory 2.1), given
by the target ``T``, the diagonal of ``D``, the starting weights and the end time. Starts are
Gaussian from a fixed seed, so every machine times the same trajectories.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SEED = 0


@dataclass(frozen=True)
class FlowProblem:
    """One initial value problem in reduced coordinates."""

    name: str
    title: str
    target: np.ndarray
    metric: np.ndarray
    weights: tuple[np.ndarray, ...]
    t_end: float

    @property
    def dims(self) -> tuple[int, ...]:
        """Layer sizes from input to output."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return sum(w.size for w in self.weights)

    @property
    def start(self) -> np.ndarray:
        """Starting weights packed row by row, ``W_1`` first."""
        return np.concatenate([w.ravel() for w in self.weights])


def _gaussian(dims: tuple[int, ...], scale: float) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(SEED)
    return tuple(scale * rng.standard_normal((high, low)) for low, high in itertools.pairwise(dims))


def _diagonal(
    name: str, dims: tuple[int, ...], sigma: tuple[float, ...], scale: float, t_end: float
) -> FlowProblem:
    target = np.zeros((dims[-1], dims[0]))
    np.fill_diagonal(target, sigma)
    shape = "-".join(str(d) for d in dims)
    title = f"{shape}, σ = ({', '.join(f'{s:g}' for s in sigma)}), start {scale:g}·N(0,1)"
    return FlowProblem(name, title, target, np.ones(dims[0]), _gaussian(dims, scale), t_end)


def _digits(name: str, widths: tuple[int, ...], t_end: float) -> FlowProblem:
    """UCI digits as given, mean loss, by the isometric reduction ``X^T = U D V^T``.

    A Gaussian start is invariant under the rotation ``W_1 -> W_1 U``, so it is drawn here.
    """
    from thalweg import datasets

    data = datasets.load("digits")
    inputs, outputs = np.asarray(data.X, float), np.asarray(data.Y, float)
    left, values, _ = np.linalg.svd(inputs, full_matrices=False)
    keep = values > 1e-10 * values[0]
    root = np.sqrt(len(inputs))
    dims = (int(keep.sum()), *widths, outputs.shape[1])
    shape = "-".join(str(d) for d in dims)
    return FlowProblem(
        name,
        f"digits raw, mean loss, {shape}, start 0.1·N(0,1)",
        outputs.T @ left[:, keep] / root,
        values[keep] / root,
        _gaussian(dims, 0.1),
        t_end,
    )


PROBLEMS: dict[str, Callable[[], FlowProblem]] = {
    "P1": lambda: _diagonal("P1", (5, 5, 5), (4, 3, 2.2, 1.5, 1), 0.1, 60.0),
    "P2": lambda: _diagonal("P2", (10, 8, 8, 5), (5, 3.5, 2.5, 1.5, 0.7), 1e-2, 400.0),
    "P3": lambda: _diagonal("P3", (6,) * 6, (4, 3, 2.2, 1.6, 1.2, 0.8), 0.3, 2000.0),
    "P7": lambda: _diagonal("P7", (6, 6, 6), (1, 0.3, 0.1, 0.03, 0.01, 0.001), 0.1, 20000.0),
    "D32": lambda: _digits("D32", (32,), 10.0),
    "D32x32": lambda: _digits("D32x32", (32, 32), 10.0),
}
