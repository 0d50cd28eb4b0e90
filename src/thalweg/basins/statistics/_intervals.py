"""Intervals for fractions and for quantiles; all of them from beta functions."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Interval = tuple[float, float]
PRIOR = 0.5
"""Parameters of the beta distribution that the anytime interval mixes over."""


def clopper_pearson(count: int, n: int, level: float = 0.95) -> Interval:
    """Return the interval that covers a fraction with at least the given probability.

    Parameters
    ----------
    count, n
        Successes among so many independent trials; ``n`` planned, not chosen by looking.
    level
        Confidence level.

    Returns
    -------
    tuple of float
        Lower and upper end; (0, 1) without trials.

    Notes
    -----
    Status: theorem (Clopper and Pearson 1934): coverage is at least `level` for every fraction.
    """
    from scipy.special import betaincinv  # slow to import

    tail = 0.5 * (1.0 - level)
    low = float(betaincinv(count, n - count + 1, tail)) if count > 0 else 0.0
    high = float(betaincinv(count + 1, n - count, 1.0 - tail)) if count < n else 1.0
    return low, high


def anytime_interval(count: int, n: int, level: float = 0.95) -> Interval:
    """Return an interval that holds at all times at once, however the sample ends.

    For a true fraction ``p`` the ratio of the beta mixture of likelihoods to the likelihood of
    ``p`` is a martingale with mean one; it passes ``1 / (1 - level)`` with probability at most
    ``1 - level`` (Ville). The interval holds all ``p`` for which it has not.

    Parameters
    ----------
    count, n, level
        As for `clopper_pearson`, but looking as often as one likes is allowed.

    Returns
    -------
    tuple of float
        Lower and upper end.

    Notes
    -----
    Status: theorem (Robbins 1970; Ville 1939), mixture Beta(1/2, 1/2).
    """
    from scipy.special import betaln

    if n == 0:
        return 0.0, 1.0
    goal = float(betaln(count + PRIOR, n - count + PRIOR) - betaln(PRIOR, PRIOR))
    goal += math.log(1.0 - level)

    def inside(p: float) -> bool:
        one = count * math.log(p) if count else 0.0
        two = (n - count) * math.log1p(-p) if n > count else 0.0
        return one + two > goal

    best = count / n
    low = 0.0 if count == 0 else _edge(inside, min(best, 1.0 - 1e-16), 0.0)
    high = 1.0 if count == n else _edge(inside, max(best, 1e-300), 1.0)
    return low, high


def _edge(inside: Callable[[float], bool], within: float, beyond: float) -> float:
    """Bisect between a point of the interval and its complement; return the outer end."""
    for _ in range(200):
        middle = 0.5 * (within + beyond)
        if middle in {within, beyond}:
            break
        if inside(middle):
            within = middle
        else:
            beyond = middle
    return beyond


def quantile_interval(
    values: npt.NDArray[np.float64], q: float, level: float = 0.95
) -> tuple[float, float, float]:
    """Return a quantile with an interval between two order statistics.

    Parameters
    ----------
    values
        Independent draws from one distribution; infinite ones (censored) count as large.
    q
        Between 0 and 1.
    level
        Confidence level.

    Returns
    -------
    tuple of float
        Estimate, lower and upper end; an end is infinite where no order statistic has the
        level.

    Notes
    -----
    Status: theorem for any distribution: the number of draws below its quantile is binomial.
    """
    from scipy.special import bdtr

    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    if n == 0:
        return math.nan, -math.inf, math.inf
    tail = 0.5 * (1.0 - level)
    numbers = np.arange(n)
    below = bdtr(numbers, n, q)  # P(at most so many draws lie below the quantile)
    # X_(j) <= quantile unless fewer than j draws lie below it.
    lower = int(np.sum(below <= tail))
    upper = int(np.searchsorted(below, 1.0 - tail))
    low = float(ordered[lower - 1]) if lower >= 1 else -math.inf
    high = float(ordered[upper]) if upper < n else math.inf
    place = min(n - 1, max(0, math.ceil(q * n) - 1))
    return float(ordered[place]), low, high
