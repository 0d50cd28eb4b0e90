"""The exact problem that a certificate speaks of: doubles, and nothing else.

If the table is known and every input direction occurs in it, the theorems are about the user's
own numbers. Otherwise (large tables, inputs that never occur or only by rounding) they are about
the reduced problem, whose target, metric and weights are rounded once and then exact.
"""

import dataclasses
import hashlib

import numpy as np
from numpy.typing import NDArray

from thalweg._core import Array, Weights
from thalweg.problem import Problem


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """Exact doubles: the loss is ``0.5 / divisor * ||Y - W_L ... W_1 X||_F**2``.

    Attributes
    ----------
    x, y
        Shapes ``(k, m)`` and ``(d_y, m)``, samples in columns.
    weights
        ``W_1`` has ``k`` columns.
    divisor
        1, or the number of samples for ``loss="mean"``.
    metric
        ``"raw"``: gradient flow of this loss in these weights. ``"whitened"``: in the weights
        with ``W_1 (X X^T)^(1/2)`` in place of ``W_1``.
    source
        ``"data"`` or ``"reduced"``: the user's numbers, or their rounded reduction.
    """

    x: Array
    y: Array
    weights: tuple[Array, ...]
    divisor: int
    metric: str
    source: str

    @property
    def dims(self) -> tuple[int, ...]:
        """Layer sizes as given."""
        return (self.x.shape[0], *(weight.shape[0] for weight in self.weights))

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which inputs occur at all: the rows of ``X`` that are not exactly zero."""
        out: NDArray[np.bool_] = np.any(self.x != 0.0, axis=1)
        return out

    def fingerprint(self) -> str:
        """SHA-256 of everything above."""
        digest = hashlib.sha256()
        for array in (self.x, self.y, *self.weights):
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        digest.update(f"{self.divisor} {self.metric} {self.source}".encode())
        return digest.hexdigest()


def exact_inputs(p: Problem, w: Weights, *, follow: bool = False) -> Inputs:
    """Choose what the theorems are about.

    Parameters
    ----------
    p, w
        Problem and weights in the coordinates of the data.
    follow
        Whether the trajectory is to be followed: in a whitened flow that needs its coordinates,
        which are not rational in the data.

    Returns
    -------
    Inputs
        The user's numbers where they are known and every input that is not constantly zero has
        its own direction; otherwise the reduction.
    """
    known = p.tables()
    if known is not None and not (follow and p.metric == "whitened"):
        rows = int(np.count_nonzero(np.any(known[0] != 0.0, axis=1)))
        if p.rank == rows:
            return Inputs(
                x=known[0],
                y=known[1],
                weights=tuple(w),
                divisor=p.n_samples if p.loss_name == "mean" else 1,
                metric=p.metric,
                source="data",
            )
    target, metric = p.flow_data()
    return Inputs(
        x=np.diag(metric),
        y=target,
        weights=tuple(p.reduce(w)),
        divisor=1,
        metric="raw",
        source="reduced",
    )
