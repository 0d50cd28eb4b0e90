"""The result: theorems about the flow from one computed point (Spec 3)."""

import dataclasses
import math
from typing import Any

import numpy as np

from thalweg._core import Array, Result
from thalweg.certificate._hypothesis import Hypothesis

WORDS = {True: "holds", False: "fails", None: "undecided"}


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Certificate(Result):
    """Theorems about the flow restarted at one computed point.

    Attributes
    ----------
    time : float
        Flow time of the point.
    rule : str
        Which theorem gives `rate`: ``"remark-2"`` (from the conserved matrices alone, around any
        pivot layer), ``"anytime"`` (from the loss at the point; with a bottleneck near the best
        value that it allows) or ``"none"``.
    rate : float
        Provable exponent: the reducible loss minus `least_loss` decays at least like
        ``exp(-2 rate (t - time))``. 0.0 if none.
    pivot : int or None
        The layer ``W_j`` (counted from 1) that carries most of a ``"remark-2"`` rate.
    reducible_loss, least_loss : float
        The loss at the point, and what it decays to under `rate`.
    norm_bounds : ndarray, shape (L,)
        For each layer a bound on ``||W_j(t)||_2`` for all ``t >= time``, in the coordinates of
        the data: those in which ``tw.flow`` reports weights.
    flow_norm_bounds : ndarray, shape (L,)
        The same in the coordinates of the flow, ``problem.reduce(w)``: without the part of
        ``W_1`` that never moves, and after whitening if the metric is whitened.
    path_bound : float
        Bound on the remaining length of the trajectory, in the coordinates of the flow; infinite
        if there is no rate.
    converges_to_global : True or None
        ``True`` if it is proved that the limit is a global minimum, else ``None``.
    guaranteed : tuple of int
        Directions, counted from 0, proved to be learned in the limit.
    hypotheses : tuple of Hypothesis
        Every condition with its number.
    safe_step : float
        Gradient descent from this point, in the coordinates of the flow and with any step sizes
        between 0 and this one, never increases the loss (Spec 8.3); 0.0 if nothing is claimed.
    lojasiewicz_log10 : float
        Decimal logarithm of `lojasiewicz_exponent`.
    arithmetic : str
        ``"float"`` (checked with margins) or ``"ball"`` (proved from the exact doubles).
    message : str
        The whole in a sentence.
    """

    time: float
    rule: str
    rate: float
    pivot: int | None = None
    reducible_loss: float
    least_loss: float = 0.0
    norm_bounds: Array
    flow_norm_bounds: Array
    path_bound: float
    converges_to_global: bool | None
    guaranteed: tuple[int, ...]
    hypotheses: tuple[Hypothesis, ...]
    safe_step: float = 0.0
    lojasiewicz_log10: float = -math.inf
    arithmetic: str = "float"
    message: str

    @property
    def certified(self) -> bool:
        """Whether more than boundedness and convergence is proved."""
        return self.rate > 0.0 or bool(self.converges_to_global) or len(self.guaranteed) > 0

    @property
    def lojasiewicz_exponent(self) -> float:
        """Worst-case exponent ``1 / (p (3p - 3)**(N - 1))`` of any trajectory (Spec 2.4).

        ``p = 2L`` is the degree of the loss and ``N`` the number of weights; 0.0 where it is
        smaller than the smallest double. For information: no rate follows from it in practice.
        """
        return float(10.0**self.lojasiewicz_log10)

    @property
    def failing(self) -> tuple[Hypothesis, ...]:
        """Conditions that do not hold or are not decided."""
        return tuple(item for item in self.hypotheses if item.holds is not True)

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """One row per statement, then one per hypothesis."""
        step = f"{self.safe_step:.4g}" if math.isfinite(self.safe_step) else "any"
        path = f"at most {self.path_bound:.4g}" if self.rate > 0.0 else "no bound without a rate"
        return [
            ("proved", self.message.removeprefix("proved: ")),
            ("at time", f"{self.time:.6g} (reducible loss {self.reducible_loss:.6g})"),
            ("layer norms", "at most " + ", ".join(f"{value:.4g}" for value in self.norm_bounds)),
            ("remaining path", path),
            ("safe step size", f"{step} (gradient descent from here)"),
            *((item.name, f"{WORDS[item.holds]}: {item.message}") for item in self.hypotheses),
        ]

    def loss_bound(self, t: Any) -> Any:
        """Return a bound on the reducible loss at times ``t >= time`` (scalar or array).

        Before `time` nothing is claimed and the bound is NaN.
        """
        elapsed = np.asarray(t, dtype=np.float64) - self.time
        decay = np.exp(-2.0 * self.rate * np.maximum(elapsed, 0.0))
        bound = self.least_loss + (self.reducible_loss - self.least_loss) * decay
        bound = np.where(elapsed >= 0, np.minimum(bound, self.reducible_loss), np.nan)
        return float(bound) if np.ndim(t) == 0 else bound

    def time_to_reach(self, reducible_loss: float) -> float:
        """Return a time at which the reducible loss is provably not above the given value."""
        if reducible_loss >= self.reducible_loss:
            return self.time
        if self.rate == 0.0 or reducible_loss <= self.least_loss:
            return math.inf
        excess = self.reducible_loss - self.least_loss
        return self.time + math.log(excess / (reducible_loss - self.least_loss)) / (2 * self.rate)
