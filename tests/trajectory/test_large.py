"""A flow beyond the compiled core: the same answers as within, by other means."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.limit import _closing, close_tail
from thalweg.trajectory import _judge


@pytest.fixture
def run_both(monkeypatch):
    problem = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(6, 5, 4, 3))
    start = tw.init.gaussian(problem, scale=0.2, rng=1)

    def both(**options):
        usual = tw.flow(problem, start, **options)
        monkeypatch.setattr("thalweg.integrate._solve.LARGEST", 0)
        monkeypatch.setattr("thalweg.trajectory._path.LARGEST", 0)
        monkeypatch.setattr("thalweg.trajectory._judge.LENGTHY", 0)
        return usual, tw.flow(problem, start, **options)

    return both


def test_limit_plateaus_and_series(run_both):
    usual, large = run_both(rtol=1e-8)
    assert large.stats["engine"] == "blas"
    assert large.limit.verdict.kind == usual.limit.verdict.kind == "global_minimum"
    assert large.limit.certified
    assert [p.learned for p in large.plateaus] == [p.learned for p in usual.plateaus]
    for a, b in zip(large.final, usual.final, strict=True):
        assert np.allclose(a, b, rtol=0, atol=1e-6)
    exact = np.array([np.linalg.svd(p, compute_uv=False) for p in products(large)])
    assert np.allclose(large.singular_values, exact, rtol=0, atol=1e-9)
    assert large.drift.shape == large.t.shape
    assert large.drift.max() < 1e-6  # as integrated
    assert large.layer_norms.shape == (len(large.t), 3)
    assert large.certificate.converges_to_global
    assert large.to_dict()["n_points"] == len(large.t)


def products(run):
    return [np.linalg.multi_dot([*reversed(run.weights_at(t))]) for t in run.t]


def test_weights_at_are_repaired(run_both):
    _, large = run_both(t_end=5.0, rtol=1e-5)
    first = tw.invariants(large.start)
    for t in (1.3, 5.0):
        for now, then in zip(tw.invariants(large.weights_at(t)), first, strict=True):
            assert np.linalg.norm(now - then) <= 1e-12


def test_gradient_bounds_the_distance_to_a_critical_point(run_both):
    _, large = run_both(t_end=0.5, rtol=1e-6)
    point = large._path.compressed_at(0.5)
    assert _judge._still_far(large._path, point)


def test_an_arrived_point_is_not_called_far(run_both):
    _, large = run_both(t_end=0.5, rtol=1e-6)
    problem = large.problem
    stable = [np.zeros(w.shape) for w in large.start]
    for w in stable:
        w[0, 0] = 0.5  # learns the first direction and nothing else
    arrived = tw.flow(problem, stable, t_end=40.0, rtol=1e-11)
    assert not _judge._still_far(arrived._path, arrived._path.compressed_at(40.0))
    assert arrived.limit.verdict.kind == "non_strict_saddle"


def test_tail_without_the_dense_matrix(monkeypatch):
    rng = np.random.default_rng(0)
    dims = (9, 8, 7, 4)
    target, metric = rng.standard_normal((4, 9)), np.geomspace(1.0, 100.0, 9)
    weights = [rng.standard_normal(s) for s in zip(dims[1:], dims[:-1], strict=True)]
    for _ in range(2):  # to the solutions, then a little away
        weights = [w + 1e-3 * rng.standard_normal(w.shape) for w in weights]
        for _ in range(40):
            weights = _closing._newton_step(
                weights, 0.3 * (target - np.linalg.multi_dot([*weights[::-1]]) * metric), metric
            )
    weights = [w + 1e-4 * rng.standard_normal(w.shape) for w in weights]
    dense = close_tail(weights, target, metric, 4)
    monkeypatch.setattr(_closing, "DENSE_LIMIT", 0)
    monkeypatch.setattr(_closing, "land", lambda *_: None)
    found = close_tail(weights, target, metric, 4)
    assert dense.converged and found.converged  # noqa: PT018
    for a, b in zip(found.weights, dense.weights, strict=True):
        assert np.allclose(a, b, rtol=0, atol=1e-8)
