"""Systems of implicit steps: the matrix-free solver against dense linear algebra."""

import functools
import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.integrate import _curvature, solve
from thalweg.integrate._curvature import DenseCurvature, KrylovCurvature
from thalweg.integrate._field import Field


def field_and_point(dims, near):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]
    metric = np.geomspace(3.0, 0.05, dims[0])
    product = functools.reduce(lambda total, w: w @ total, weights) * metric
    target = product + near * rng.normal(size=product.shape)
    return Field(target, metric, dims), np.concatenate([item.ravel() for item in weights])


@pytest.mark.parametrize("dims", [(6, 5, 3), (4, 5, 4, 3), (5, 3)])
@pytest.mark.parametrize("shift", [50.0, 1e-2, 1e-5])
def test_matrix_free_solution_is_the_dense_one(dims, shift):
    field, y = field_and_point(dims, near=1e-8)
    b = np.random.default_rng(1).normal(size=field.size)
    system = field.hessian(y) + shift * np.eye(field.size)
    exact = np.linalg.solve(system, b)
    for kind in (DenseCurvature, KrylovCurvature):
        x = kind(field, y).shifted(shift)(b)
        np.testing.assert_allclose(x, exact, rtol=0, atol=1e-7 * np.abs(exact).max())


def test_indefinite_systems_are_refused():
    p = tw.Problem.from_target([4.0, 2.0], dims=(3, 4, 2))
    target, metric = p.flow_data()
    field = Field(target, metric, (len(metric), 4, 2))
    y = 1e-3 * np.random.default_rng(2).normal(size=field.size)
    least = np.linalg.eigvalsh(field.hessian(y))[0]
    assert least < -3.9
    b = np.random.default_rng(3).normal(size=field.size)
    assert DenseCurvature(field, y).shifted(1.0) is None
    assert KrylovCurvature(field, y).shifted(1.0)(b) is None
    assert KrylovCurvature(field, y).shifted(10.0)(b) is not None


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_stiff_run_is_the_same_whichever_way_systems_are_solved(monkeypatch, engine):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(50, 6)) * np.geomspace(30.0, 0.1, 6)
    p = tw.Problem.from_data(X, X @ rng.normal(size=(6, 2)), widths=(5,))
    target, metric = p.flow_data()
    w = p.reduce(tw.init.gaussian(p, scale=0.3, rng=0))
    options = {"t_end": 50.0, "rtol": 1e-8, "engine": engine, "method": "rodas4"}
    dense = solve(target, metric, w, **options)
    monkeypatch.setattr(_curvature, "LARGEST_DENSE", 0)
    monkeypatch.setattr("thalweg.integrate._slices.LARGEST_DENSE", 0, raising=False)
    free = solve(target, metric, w, **options)
    assert dense.stats["implicit_steps"] > 10
    assert free.stats["implicit_steps"] > 10
    np.testing.assert_allclose(free.y[-1], dense.y[-1], atol=3e-8)
    # Explicit steps alone cannot follow: the spectral radius times the time is too large.
    assert dense.state.radius * 50.0 > 1e4
