"""The compiled jump onto the solutions, against Gauss-Newton with the Jacobian written out."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.integrate import engine_name, land
from thalweg.limit import _closing, close_tail

needs_core = pytest.mark.skipif(engine_name() != "native", reason="no compiled core")
SHAPES = [(3, 3), (5, 4, 3), (6, 6, 6), (10, 8, 8, 5), (4, 5, 6, 5, 3), (9, 12, 7), (13, 16, 14)]


def product(weights, metric):
    out = np.eye(len(metric))
    for weight in weights:
        out = weight @ out
    return out * metric


def jacobian(weights, metric):
    """Columns are derivatives of ``P D``, one entry of the weights after the other."""
    columns = []
    for j, weight in enumerate(weights):
        for position in np.ndindex(weight.shape):
            unit = np.zeros(weight.shape)
            unit[position] = 1.0
            columns.append(product([*weights[:j], unit, *weights[j + 1 :]], metric).ravel())
    return np.array(columns).T


def near(dims, away):
    """A point near the solutions, its target and a metric of condition 30."""
    rng = np.random.default_rng(len(dims))
    metric = np.geomspace(1.0, 30.0, dims[0])
    weights = [rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    target = product(weights, metric)
    return [w + away * rng.standard_normal(w.shape) for w in weights], target, metric


@needs_core
@pytest.mark.parametrize("dims", SHAPES)
def test_it_lands_where_least_squares_steps_do(dims):
    start, target, metric = near(dims, 1e-5)
    landed = land(start, target, metric)
    assert landed is not None
    assert np.abs(product(landed, metric) - target).max() <= 1e-12 * np.linalg.norm(target)
    flat = np.concatenate([w.ravel() for w in start])
    for _ in range(4):
        ends = np.cumsum([w.size for w in start])[:-1]
        now = [x.reshape(w.shape) for x, w in zip(np.split(flat, ends), start, strict=True)]
        error = (target - product(now, metric)).ravel()
        flat = flat + np.linalg.lstsq(jacobian(now, metric), error, rcond=None)[0]
    moved = np.concatenate([w.ravel() for w in start]) - flat
    found = np.concatenate([w.ravel() for w in landed])
    assert np.linalg.norm(found - flat) <= 1e-4 * np.linalg.norm(moved)


@needs_core
def test_a_kept_factor_changes_little(monkeypatch):
    start, target, metric = near((10, 8, 8, 5), 3e-3)
    fast = close_tail(start, target, metric, 5)
    monkeypatch.setattr(_closing, "land", lambda *_: None)
    plain = close_tail(start, target, metric, 5)
    assert fast.converged
    assert fast.length == pytest.approx(plain.length, rel=1e-4)


@needs_core
def test_no_landing_where_the_map_is_singular_or_far():
    dims = (5, 4, 3)
    _, target, metric = near(dims, 0.0)
    assert land([np.zeros((4, 5)), np.zeros((3, 4))], target, metric) is None
    narrow = [np.ones((1, 5)), np.ones((3, 1))]
    assert land(narrow, target, metric) is None


def test_what_is_not_asked_for_is_not_computed():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 3, 2))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0))
    assert run.status == "limit"
    end = run.final
    assert not {"limit", "t", "loss", "plateaus", "certificate"} & set(vars(run))
    assert "parts" not in vars(run._path)
    for one, two in zip(end, run.limit.weights, strict=True):
        assert np.array_equal(one, two)
    assert len(run.t) == len(run.loss) == len(run.gradient_norm) > run.stats["steps"]
    with pytest.raises(AttributeError):
        run.limit = None


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
def test_the_limit_is_as_exact_as_was_asked(rtol):
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(5, 4, 3))
    start = tw.init.gaussian(p, scale=0.1, rng=0)
    exact = np.concatenate([w.ravel() for w in tw.flow(p, start, rtol=1e-12).final])
    run = tw.flow(p, start, rtol=rtol)
    found = np.concatenate([w.ravel() for w in run.final])
    assert np.linalg.norm(found - exact) <= 10 * rtol * np.linalg.norm(exact)
