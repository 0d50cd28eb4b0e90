"""Starts with a wanted rate: reached, of least norm, and refused where impossible (Spec 3.6)."""

import numpy as np
import pytest

import thalweg as tw


def random_problem(rng):
    depth = int(rng.integers(2, 6))
    dims = tuple(int(n) for n in rng.integers(1, 6, size=depth + 1))
    samples = int(rng.integers(1, 9))
    X = rng.normal(size=(samples, dims[0])) * np.exp(rng.uniform(-3.0, 3.0, dims[0]))
    Y = rng.normal(size=(samples, dims[-1]))
    metric, loss = str(rng.choice(["raw", "whitened"])), str(rng.choice(["sum", "mean"]))
    return tw.Problem.from_data(X, Y, dims[1:-1], metric=metric, loss=loss)


def possible(p):
    sizes = (p.rank, *p.dims[1:])
    return any(
        list(sizes[:j]) == sorted(sizes[:j]) and list(sizes[j:]) == sorted(sizes[j:], reverse=True)
        for j in range(1, len(sizes))
    )


@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_the_rate_asked_for_is_certified_wherever_sizes_allow_it(count):
    rng = np.random.default_rng(count)
    refused = 0
    for _ in range(count):
        p, rate = random_problem(rng), float(np.exp(rng.uniform(-8.0, 8.0)))
        if not possible(p):
            refused += 1
            with pytest.raises(tw.DataError, match="rise up to some layer and fall after it"):
                tw.init.exponential(p, rate=rate, rng=rng)
            continue
        c = tw.certify(p, tw.init.exponential(p, rate=rate, rng=rng))
        assert rate <= c.rate
        if c.rule == "remark-2":
            assert c.rate <= rate * (1 + 1e-8)
    assert 0 < refused < count


def test_any_non_increasing_widths_not_below_the_outputs_will_do():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 7)), rng.normal(size=(30, 3))
    for widths in ((3,), (9, 3), (12, 5, 4), (7, 7, 7), (40,)):
        for metric in ("raw", "whitened"):
            p = tw.Problem.from_data(X, Y, widths, metric=metric)
            assert tw.certify(p, tw.init.exponential(p, rate=2.5)).rate >= 2.5


@pytest.mark.parametrize("metric", ["raw", "whitened"])
def test_the_loss_does_decay_at_that_rate(metric):
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(20, 4)) * [2.0, 1.0, 0.5, 0.3], rng.normal(size=(20, 2))
    p = tw.Problem.from_data(X, Y, (4, 3), metric=metric)
    w = tw.init.exponential(p, rate=0.8)
    run = tw.flow(p, w, t_end=6.0, rtol=1e-11)
    bound = run.reducible_loss[0] * np.exp(-2 * 0.8 * run.t)
    assert np.all(run.reducible_loss <= bound * (1 + 1e-8) + 1e-18)


def norm(w):
    return sum(float(np.sum(item**2)) for item in w)


def test_it_has_the_least_norm_of_all_certified_starts_of_its_kind():
    """No random start that one pivot certifies with the same rate is smaller."""
    p = tw.Problem.from_target(np.diag([2.0, 1.0, 0.5])[:2], dims=(3, 3, 2, 2))
    rng = np.random.default_rng(2)
    nearest = np.inf
    for _ in range(400):
        w = tw.init.gaussian(p, scale=[0.05, 1.0, 1.5], rng=rng)
        c = tw.certify(p, w)
        if c.rule != "remark-2" or c.pivot != 1:
            continue
        least = norm(tw.init.exponential(p, rate=c.rate))
        assert norm(w) >= least * (1 - 1e-6)
        nearest = min(nearest, norm(w) / least)
    assert nearest < 2.0
    # ... and the closed form: two layers of smaller side two, s^4 = rate, 2 s^2 each.
    assert norm(tw.init.exponential(p, rate=0.49)) == pytest.approx(4 * 0.7, rel=1e-8)


def test_scaling_a_layer_down_loses_the_rate():
    """Negative control: the norm is not larger than needed."""
    p = tw.Problem.from_target([2.0, 1.0], dims=(3, 3, 2))
    w = tw.init.exponential(p, rate=1.0)
    assert tw.certify(p, [w[0], 0.999 * w[1]]).rate < 1.0


@pytest.mark.parametrize("dims", [(4, 1, 3), (5, 4, 4, 5), (4, 3, 6, 3, 6, 4)])
def test_impossible_sizes_are_named_in_one_line(dims):
    p = tw.Problem.from_target(np.ones((dims[-1], dims[0])), dims=dims)
    with pytest.raises(tw.DataError, match="for example widths that never grow") as caught:
        tw.init.exponential(p, rate=1.0)
    assert "\n" not in str(caught.value)
    assert ", ".join(map(str, dims)) in str(caught.value)


def test_one_layer_has_the_rate_that_it_has():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2), D=[1.0, 0.5])
    assert tw.certify(p, tw.init.exponential(p, rate=0.25)).rate == pytest.approx(0.25)
    with pytest.raises(tw.DataError, match="without hidden layer"):
        tw.init.exponential(p, rate=0.3)


@pytest.mark.parametrize("rate", [-1.0, float("nan"), "fast", 1e200])
def test_bad_rates_are_refused(rate):
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    with pytest.raises(tw.DataError, match="rate"):
        tw.init.exponential(p, rate=rate)


def test_scales_for_each_layer():
    p = tw.Problem.from_target([2.0, 1.0], dims=(60, 60, 60))
    w = tw.init.gaussian(p, scale=[0.1, 2.0], rng=0)
    assert [float(np.std(item)) for item in w] == pytest.approx([0.1, 2.0], rel=0.05)
    with pytest.raises(tw.DimensionError, match="3 values for 2 layers"):
        tw.init.gaussian(p, scale=[0.1, 0.1, 0.1])
