"""Bounds on the layers: attained, and valid for the weights that the user sees (Spec 3.1)."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import thalweg as tw


def dependent_inputs(metric, loss="sum"):
    """Four features of rank two: half of W_1 never moves."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 4)) * [0.3, 1.0, 0.5, 0.2]
    Y = rng.normal(size=(12, 2))
    return X, Y, tw.Problem.from_data(X, Y, (3,), metric=metric, loss=loss)


@pytest.mark.parametrize("metric", ["raw", "whitened"])
@pytest.mark.parametrize("scale", [0.3, 1.5])
def test_bounds_are_about_the_weights_of_the_data(metric, scale):
    _, _, p = dependent_inputs(metric)
    w = tw.init.gaussian(p, scale=scale, rng=0)
    if metric == "whitened":
        w[0] = w[0] + scale * np.random.default_rng(1).normal(size=w[0].shape)
    c = tw.certify(p, w)
    run = tw.flow(p, w, t_end=20.0, rtol=1e-10)
    for t in np.linspace(0.0, 20.0, 60):
        for item, bound in zip(run.weights_at(float(t)), c.norm_bounds, strict=True):
            assert np.linalg.norm(item, 2) <= bound * (1 + 1e-9)


def test_the_frozen_part_counts():
    _, _, p = dependent_inputs("raw")
    w = tw.init.gaussian(p, scale=0.3, rng=0)
    unseen = w[0] - p.lift(p.reduce(w))[0]
    assert np.linalg.norm(unseen, 2) > 0.1
    large = [w[0] + 100.0 * unseen, w[1]]
    size = np.linalg.norm(large[0], 2)
    c = tw.certify(p, large)
    assert c.norm_bounds[0] >= size
    assert c.flow_norm_bounds[0] < 0.5 * size
    np.testing.assert_allclose(c.flow_norm_bounds, tw.certify(p, w).flow_norm_bounds, rtol=1e-12)


def test_whitening_stretches_the_first_layer():
    """Without frozen part, the bound in data coordinates is that of the flow over the least D."""
    p = tw.Problem.from_data(
        np.diag([4.0, 0.25]), np.diag([4.0, 0.25]) @ np.diag([1.0, 8.0]), (2,), metric="whitened"
    )
    w = p.lift([0.1 * np.eye(2), 0.1 * np.eye(2)])
    c = tw.certify(p, w)
    assert c.norm_bounds[0] == pytest.approx(4.0 * c.flow_norm_bounds[0], rel=1e-9)
    assert c.norm_bounds[1] == pytest.approx(c.flow_norm_bounds[1], rel=1e-9)
    end = tw.flow(p, w).final
    assert np.linalg.norm(end[0], 2) > c.flow_norm_bounds[0]


@pytest.mark.parametrize("loss", ["sum", "mean"])
def test_bounds_against_another_integrator_on_the_table_itself(loss):
    X, Y, p = dependent_inputs("raw", loss)
    w = tw.init.gaussian(p, scale=0.8, rng=2)
    part = 1.0 if loss == "sum" else 1.0 / len(X)

    def slope(_, flat):
        w_1, w_2 = flat[:12].reshape(3, 4), flat[12:].reshape(2, 3)
        error = part * (w_2 @ w_1 @ X.T - Y.T)
        return -np.concatenate([(w_2.T @ error @ X).ravel(), (error @ X @ w_1.T).ravel()])

    flat = np.concatenate([item.ravel() for item in w])
    path = solve_ivp(slope, (0, 20), flat, method="LSODA", rtol=1e-10, atol=1e-12).y
    first = max(np.linalg.norm(column[:12].reshape(3, 4), 2) for column in path.T)
    second = max(np.linalg.norm(column[12:].reshape(2, 3), 2) for column in path.T)
    c = tw.certify(p, w)
    assert first <= c.norm_bounds[0] * (1 + 1e-8)
    assert second <= c.norm_bounds[1] * (1 + 1e-8)


def test_balanced_scalar_chain_attains_its_bound():
    # C = 0 and ||P|| <= |T| + |M(0)| = 2 |T| for a tiny start; from above it is attained at once.
    p = tw.Problem.from_target([1.0], dims=(1, 1, 1))
    w = [np.array([[3.0]]), np.array([[3.0]])]
    c = tw.certify(p, w)
    np.testing.assert_allclose(c.norm_bounds, 3.0, rtol=1e-9)


def test_norms_follow_from_the_length_of_the_way():
    p = tw.Problem.from_target([1.0], dims=(1, 1, 1))
    w = [np.array([[0.99]]), np.array([[1.0]])]
    c = tw.certify(p, w)
    assert c.rule == "anytime"
    assert np.all(c.norm_bounds <= np.array([0.99, 1.0]) + c.path_bound * (1 + 1e-9))
    assert c.path_bound < 0.02


def test_a_small_metric_allows_large_layers():
    # The fit needs P = T / D = 40: no bound below sqrt(40) can be right.
    p = tw.Problem.from_target([[2.0]], dims=(1, 1, 1), D=[0.05])
    w = [np.array([[1.0]]), np.array([[1.0]])]
    end = tw.flow(p, w).final
    assert float(end[0][0, 0]) == pytest.approx(np.sqrt(40.0), rel=1e-3)
    assert np.all(tw.certify(p, w).norm_bounds >= np.sqrt(40.0))
