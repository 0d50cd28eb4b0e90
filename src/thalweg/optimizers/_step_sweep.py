"""Drift against step size at one flow time, with the slope that the flow predicts (Spec 8.1)."""

import dataclasses
import itertools
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Result, Weights, as_scalar, as_weights
from thalweg.conserved import drift_scales, imbalance
from thalweg.optimizers._comparison import relative_distance
from thalweg.optimizers._descend import descend
from thalweg.optimizers._settings import checked
from thalweg.problem import Problem
from thalweg.trajectory import Trajectory, flow

METHODS = ("gd", "momentum", "nesterov")
"""Methods whose drift is of first order in the step with a known slope."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class DriftCurve(Result):
    """How much of the law a step size costs.

    Attributes
    ----------
    method, momentum, t_end
        What was done.
    lr : ndarray, shape (K,)
        Step sizes, largest first, each such that a whole number of steps ends at `t_end`.
    steps : ndarray, shape (K,)
        How many.
    drift, predicted_drift : ndarray, shape (K,)
        Relative drift of the conserved matrices at `t_end`, measured, and from the identities of
        all steps. NaN where the steps diverged.
    slope : float
        ``lim drift / lr`` for small steps: a multiple of the norm of the integral of
        ``G_{j+1}^T G_{j+1} - G_j G_j^T`` along the flow.
    distance : ndarray, shape (K,)
        Relative distance of the weights from the flow at `t_end`.
    """

    method: str
    momentum: float
    t_end: float
    lr: Array
    steps: Array
    drift: Array
    predicted_drift: Array
    slope: float
    distance: Array

    @property
    def orders(self) -> Array:
        """Order in `lr` between neighbours: of the drift and of the distance, shape (2, K - 1)."""
        ratios = np.log(self.lr[:-1] / self.lr[1:])
        both = np.stack([self.drift, self.distance])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(both[:, :-1] / both[:, 1:]) / ratios, dtype=np.float64)

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        how = f"{self.method}, momentum {self.momentum:g}" if self.momentum else self.method
        rows = [
            ("method", f"{how}, until flow time {self.t_end:.6g}"),
            ("slope", f"{self.slope:.6g}: drift per step size, from the flow"),
        ]
        return rows + [
            (
                f"lr {lr:.4g}",
                f"drift {drift:.4g}, slope x lr {self.slope * lr:.4g}, "
                f"distance from the flow {gap:.4g}",
            )
            for lr, drift, gap in zip(self.lr, self.drift, self.distance, strict=True)
        ]


def drift_against_step(
    p: Problem,
    w0: Any,
    lrs: Any,
    t_end: float,
    *,
    method: str = "gd",
    momentum: float | None = None,
) -> DriftCurve:
    r"""Train until one flow time with several step sizes and compare the drift with its slope.

    Parameters
    ----------
    p
        The problem.
    w0
        Start, in the coordinates of the data.
    lrs
        Step sizes; each is lowered until a whole number of steps ends at `t_end`.
    t_end
        Flow time.
    method, momentum
        ``"gd"``, ``"momentum"`` or ``"nesterov"``.

    Returns
    -------
    DriftCurve
        Drift, its slope, and the distance from the flow.

    Raises
    ------
    DataError
        If the method has no known slope, or there is no step size.
    DimensionError
        If `w0` does not fit.

    Notes
    -----
    Status: derived (Spec 8.1; docs/optimizers.md). At fixed time the drift of gradient descent is
    :math:`\eta \|\int_0^t (G_{j+1}^T G_{j+1} - G_j G_j^T)\,ds\| + O(\eta^2)`. Heavy ball multiplies
    this by :math:`(1+\beta)/(1-\beta)^2`, Nesterov by :math:`(1-\beta+2\beta^2)/(1-\beta)^2`. The
    integral is taken along `tw.flow` by Simpson's rule on its own steps.
    """
    if method not in METHODS:
        raise DataError(
            f"method must be one of {', '.join(METHODS)}, got {method!r}; no slope is known for "
            "the others"
        )
    start = as_weights(w0, p.dims, "w0")
    rates = np.sort(np.atleast_1d(np.asarray(lrs, dtype=np.float64)))[::-1]
    if rates.size == 0 or not np.all(rates > 0.0):
        raise DataError(f"lrs must be positive step sizes, got {lrs!r}")
    end = as_scalar(t_end, "t_end", low=0.0)
    asked = checked(
        method,
        lr=float(rates[0]),
        steps=1,
        momentum=momentum,
        weight_decay=0.0,
        decay=None,
        betas=(0.0, 0.0),
        eps=0.0,
        batch_size=None,
        n_samples=p.n_samples,
    )
    beta = asked.momentum
    counts = np.maximum(np.ceil(end * (1.0 - beta) / rates * (1.0 - 1e-12)), 1.0).astype(int)
    exact = end * (1.0 - beta) / counts
    run = flow(p, start, end)
    there = run.weights_at(end)
    rows = []
    for lr, count in zip(exact, counts, strict=True):
        d = descend(
            p,
            start,
            method=method,
            lr=float(lr),
            steps=int(count),
            momentum=beta or None,
            every=int(count),
        )
        fine = d.status == "done"
        rows.append(
            (d.drift[-1], d.predicted_drift[-1], relative_distance(p, d.weights, there))
            if fine
            else (np.nan, np.nan, np.nan)
        )
    drift, predicted, distance = np.array(rows).T.copy()
    return DriftCurve(
        method=method,
        momentum=beta,
        t_end=end,
        lr=exact,
        steps=counts.astype(np.float64),
        drift=drift,
        predicted_drift=predicted,
        slope=_factor(method, beta) * slope_along(run, end),
        distance=distance,
    )


def _factor(method: str, beta: float) -> float:
    """Return the slope of a method relative to that of gradient descent at equal `lr`."""
    if method == "nesterov":
        return (1.0 - beta + 2.0 * beta**2) / (1.0 - beta) ** 2
    return (1.0 + beta) / (1.0 - beta) ** 2


def slope_along(run: Trajectory, t_end: float) -> float:
    """Return the largest relative norm of the integral of the gradients' own conserved form."""
    p = run.problem
    raw = p.metric == "raw"
    problem = p if raw else p.reduced
    times = np.unique(np.append(run.t[run.t < t_end], t_end))

    def place(t: float) -> Weights:
        return run.weights_at(t) if raw else p.reduce(run.weights_at(t))

    def form(t: float) -> list[Array]:
        return imbalance(problem.gradient(place(t)))

    start = place(0.0)
    total = [np.zeros_like(item) for item in imbalance(start)]
    left = form(float(times[0]))
    for begin, end in itertools.pairwise(times):
        middle, right = form(0.5 * float(begin + end)), form(float(end))
        weight = float(end - begin) / 6.0
        for j, item in enumerate(total):
            item += weight * (left[j] + 4.0 * middle[j] + right[j])
        left = right
    scales = drift_scales(start)
    norms = [float(np.linalg.norm(item, 2)) for item in total]
    return max(
        (norm / (scale or 1.0) for norm, scale in zip(norms, scales, strict=True)), default=0.0
    )
