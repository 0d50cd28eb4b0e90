"""Coverage of the intervals, by exact summation and by simulation."""

import numpy as np
import pytest

from thalweg.basins import anytime_interval, clopper_pearson, quantile_interval


def binomial(n, p):
    """Probabilities of all counts, by the recurrence of the binomial distribution."""
    logs = np.zeros(n + 1)
    for k in range(n):
        logs[k + 1] = logs[k] + np.log((n - k) / (k + 1) * p / (1 - p))
    return np.exp(logs + n * np.log1p(-p))


@pytest.mark.parametrize("n", [1, 5, 20, 100])
def test_clopper_pearson_covers_every_fraction(n):
    spans = [clopper_pearson(k, n) for k in range(n + 1)]
    for p in np.concatenate([np.linspace(0.001, 0.999, 333), [1e-6, 1 - 1e-6]]):
        inside = np.array([low <= p <= high for low, high in spans])
        assert binomial(n, p) @ inside >= 0.95 - 1e-12


def test_ends_of_clopper_pearson():
    assert clopper_pearson(0, 10)[0] == 0.0
    assert clopper_pearson(10, 10) == pytest.approx((0.025 ** (1 / 10), 1.0))
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    # A published example: 4 of 20.
    assert clopper_pearson(4, 20) == pytest.approx((0.0573, 0.4366), abs=5e-5)


def test_a_normal_interval_does_not_cover():
    """Negative control: the test of coverage finds an interval that is too short."""
    n, p = 20, 0.02
    inside = [abs(k / n - p) <= 1.96 * np.sqrt(k / n * (1 - k / n) / n) for k in range(n + 1)]
    assert binomial(n, p) @ np.array(inside) < 0.6


@pytest.mark.parametrize("p", [0.5, 0.3, 0.02])
def test_the_anytime_interval_survives_looking_all_the_time(p):
    n, repeats = 400, 600
    spans = {}
    draws = np.random.default_rng(3).random((repeats, n)) < p
    counts = np.cumsum(draws, axis=1)
    wrong = wrong_fixed = 0
    for row in counts:
        missed = fixed = False
        for look in range(10, n + 1, 10):
            key = (int(row[look - 1]), look)
            if key not in spans:
                spans[key] = anytime_interval(*key), clopper_pearson(*key)
            (low, high), (low_cp, high_cp) = spans[key]
            missed |= not low <= p <= high
            fixed |= not low_cp <= p <= high_cp
        wrong += missed
        wrong_fixed += fixed
    assert wrong / repeats <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)
    # Negative control: intervals for a planned number do not survive it.
    assert wrong_fixed / repeats > 0.08


def test_the_anytime_interval_is_wider_than_the_planned_one():
    for k, n in ((0, 50), (25, 50), (50, 50), (3, 1000)):
        low, high = anytime_interval(k, n)
        low_cp, high_cp = clopper_pearson(k, n)
        assert low <= low_cp
        assert high >= high_cp
        assert 0.0 <= low <= k / n <= high <= 1.0


@pytest.mark.parametrize(("q", "n"), [(0.5, 30), (0.05, 200), (0.95, 50), (0.5, 5)])
def test_quantile_intervals_cover(q, n):
    rng, hits, repeats = np.random.default_rng(1), 0, 2000
    for _ in range(repeats):
        _, low, high = quantile_interval(rng.random(n), q)
        hits += low <= q <= high
    assert hits / repeats >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / repeats)


def test_quantiles_of_censored_times():
    times = np.array([1.0, 2.0, 3.0, np.inf, np.inf])
    value, low, high = quantile_interval(times, 0.5)
    assert (value, low, high) == (3.0, -np.inf, np.inf)
    assert quantile_interval(np.arange(1.0, 101.0), 0.5)[0] == 50.0
