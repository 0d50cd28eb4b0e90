"""Small steps follow the flow of the same data, and the drift has the slope that it predicts."""

import numpy as np
import pytest

import thalweg as tw


@pytest.fixture(scope="module")
def raw():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 0.8, 0.3], [0.0, 0.0, 0.3]])
    return X, rng.normal(size=(12, 2))


def test_gradient_descent_converges_to_the_flow_with_order_one(raw):
    p = tw.Problem.from_data(*raw, (4, 3), loss="mean")
    w = tw.init.gaussian(p, scale=0.6, rng=1)
    c = tw.optimizers.drift_against_step(p, w, [0.02, 0.01, 0.005, 0.0025], 3.0)
    ratios = c.distance[:-1] / c.distance[1:]
    assert np.all(np.abs(ratios - 2.0) < 0.1)
    np.testing.assert_allclose(c.orders[1], 1.0, atol=0.07)
    np.testing.assert_array_equal(c.steps, [150, 300, 600, 1200])


def test_not_to_the_flow_of_whitened_data(raw):
    p = tw.Problem.from_data(*raw, (4, 3), loss="mean")
    q = tw.Problem.from_data(*raw, (4, 3), loss="mean", metric="whitened")
    w = tw.init.gaussian(p, scale=0.6, rng=1)
    other = tw.flow(q, w, 3.0).weights_at(3.0)
    ends = [tw.descend(p, w, lr=3.0 / n, steps=n).weights for n in (600, 1200)]
    gaps = [
        np.linalg.norm(np.concatenate([(a - b).ravel() for a, b in zip(e, other, strict=True)]))
        for e in ends
    ]
    assert gaps[0] / gaps[1] == pytest.approx(1.0, abs=0.05)
    assert gaps[1] > 0.05


def test_whitened_problems_are_trained_in_whitened_coordinates(raw):
    q = tw.Problem.from_data(*raw, (4,), metric="whitened")
    w = tw.init.gaussian(q, scale=0.4, rng=1)
    d = tw.descend(q, w, lr=0.01, steps=200)
    inner = tw.descend(q.reduced, q.reduce(w), lr=0.01, steps=200)
    for one, two in zip(q.reduce(d.weights), inner.weights, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-12)
    assert d.residual.max() < 1e-14
    ratios = [d2.compare().distance[-1] for d2 in (d, tw.descend(q, w, lr=0.005, steps=400))]
    assert ratios[0] / ratios[1] == pytest.approx(2.0, abs=0.1)
    with pytest.raises(tw.DataError, match="whiten X yourself"):
        tw.descend(q, w, method="sgd")


@pytest.mark.parametrize(("method", "beta"), [("gd", 0.0), ("momentum", 0.8), ("nesterov", 0.8)])
def test_drift_has_the_predicted_slope(raw, method, beta):
    p = tw.Problem.from_data(*raw, (4, 3), loss="mean")
    w = tw.init.gaussian(p, scale=0.6, rng=1)
    rates = (1.0 - beta) ** 2 * np.array([0.02, 0.01, 0.005, 0.0025])
    c = tw.optimizers.drift_against_step(p, w, rates, 3.0, method=method, momentum=beta or None)
    errors = np.abs(c.drift / (c.slope * c.lr) - 1.0)
    assert errors[-1] < 0.03
    assert np.all(np.abs(errors[:-1] / errors[1:] - 2.0) < 0.35)
    np.testing.assert_allclose(c.predicted_drift, c.drift, rtol=1e-8)


def test_momentum_is_not_gradient_descent_at_equal_time(raw):
    """Negative control of the factor: without it the slope is wrong by far."""
    p = tw.Problem.from_data(*raw, (4, 3), loss="mean")
    w = tw.init.gaussian(p, scale=0.6, rng=1)
    plain, heavy = (
        tw.optimizers.drift_against_step(p, w, [1e-4], 3.0, method=method)
        for method in ("gd", "momentum")
    )
    # (1 + beta) / (1 - beta)^2 = 190 at equal lr; 19 at equal lr / (1 - beta).
    assert heavy.slope / plain.slope == pytest.approx(190.0)
    assert heavy.drift[0] / plain.drift[0] == pytest.approx(190.0, rel=0.05)


def test_the_clock_is_the_problems_own(raw):
    p = tw.Problem.from_data(*raw, (4,), loss="mean")
    w = tw.init.gaussian(p, scale=0.4, rng=1)
    d = tw.descend(p, w, lr=0.01, steps=10)
    assert d.t[-1] == pytest.approx(p.flow_time(0.01, 10, "mean"))
    heavy = tw.descend(p, w, method="momentum", momentum=0.5, lr=0.01, steps=10)
    assert heavy.t[-1] == pytest.approx(0.2)


def test_comparison_at_snapshots(raw):
    p = tw.Problem.from_data(*raw, (4,), loss="mean")
    w = tw.init.gaussian(p, scale=0.4, rng=1)
    d = tw.descend(p, w, lr=0.01, steps=100, snapshots=4)
    c = d.compare()
    np.testing.assert_array_equal(c.step, [0, 20, 40, 60, 80, 100])
    assert c.distance[0] < 1e-14
    assert np.all(np.diff(c.flow_loss) < 0)
    run = tw.flow(p, w)
    again = d.compare(run)
    np.testing.assert_allclose(again.flow_loss, c.flow_loss, rtol=1e-6)
    np.testing.assert_allclose(c.loss, d.loss[c.step.astype(int)], rtol=1e-12)
    other = tw.flow(p, tw.init.gaussian(p, scale=0.4, rng=2), 1.0)
    with pytest.raises(tw.DataError, match="another start"):
        d.compare(other)
    with pytest.raises(tw.DataError, match="ends at time"):
        d.compare(tw.flow(p, w, 0.5))
    with pytest.raises(tw.DataError, match="no equal time"):
        tw.descend(p, w, method="adam", steps=2).compare()


def test_a_slope_is_only_given_where_it_is_known(raw):
    p = tw.Problem.from_data(*raw, (4,))
    w = tw.init.gaussian(p, scale=0.4, rng=1)
    with pytest.raises(tw.DataError, match="no slope is known"):
        tw.optimizers.drift_against_step(p, w, [0.1], 1.0, method="adam")
    with pytest.raises(tw.DataError, match="positive step sizes"):
        tw.optimizers.drift_against_step(p, w, [], 1.0)
