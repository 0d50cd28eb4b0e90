"""The order-eight method, the bound of the way that is left, and runs that come to rest."""

import itertools

import numpy as np
import pytest

from thalweg.integrate import available_engines, solve
from thalweg.integrate._dop853 import dop853_step, table
from thalweg.integrate._field import Field
from thalweg.integrate._rest import path_left
from thalweg.integrate._solution import REST
from thalweg.network import pack


def make(dims, values, scale, seed=0):
    rng = np.random.default_rng(seed)
    target = np.zeros((dims[-1], dims[0]))
    np.fill_diagonal(target, values)
    weights = [scale * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    return target, np.geomspace(1.5, 0.7, dims[0]), weights


def test_table_satisfies_the_simplest_order_conditions():
    rows, weights, five, three = table()
    nodes = np.array([0.0, *(row.sum() for row in rows)])
    for power in range(8):
        assert weights @ nodes**power == pytest.approx(1 / (power + 1), abs=1e-13)
    assert abs(five.sum()) < 1e-14
    assert abs(three.sum()) < 1e-14


def test_step_is_of_order_eight():
    target, metric, weights = make((4, 4, 4), (2, 1.5, 1, 0.5), 0.7)
    field, y = Field(target, metric, (4, 4, 4)), pack(weights)
    exact = solve(target, metric, weights, t_end=0.4, rtol=1e-13, engine="numpy").y[-1]
    errors = []
    for count in (1, 2):
        now = y
        for _ in range(count):
            now = dop853_step(field, now, field.rhs(now)[1], 0.4 / count)[0]
        errors.append(np.linalg.norm(now - exact))
    assert errors[0] > 120 * errors[1]


@pytest.mark.parametrize("dims", [(4, 3), (5, 4, 3), (4, 6, 4, 3), (3, 3, 3, 3, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_the_way_left_is_bounded(dims, seed):
    """The path of a run, as a sum of chords, stays below every bound along it."""
    target, metric, weights = make(dims, (1.5, 1, 0.6), 0.6, seed)
    run = solve(target, metric, weights, t_end=400.0, rtol=1e-10, method="rock4")
    field = Field(target, metric, dims)
    chords = np.linalg.norm(np.diff(run.y, axis=0), axis=1)
    left = np.append(np.cumsum(chords[::-1])[::-1], 0.0)
    bounds = np.array([path_left(field, y, loss) for y, loss in zip(run.y, run.loss, strict=True)])
    known = np.isfinite(bounds) & (run.loss > 1e-16)
    assert known.sum() > 10
    assert np.all(left[known] <= bounds[known])


@pytest.mark.parametrize("engine", available_engines())
def test_at_rest_time_passes_in_one_step(engine):
    target, metric, weights = make((4, 4, 4), (2, 1.5, 1, 0.5), 0.3)
    options = {"rtol": 1e-8, "engine": engine}
    run = solve(target, metric, weights, t_end=1e6, **options)
    assert run.t[-1] == 1e6
    assert run.t[-2] < 200
    assert np.array_equal(run.y[-1], run.y[-2])
    assert np.array_equal(pack(run.at(5e5)), run.y[-1])
    full = solve(target, metric, weights, t_end=300.0, rtol=1e-11, engine=engine, method="rock4")
    assert np.linalg.norm(run.y[-1] - full.y[-1]) <= 1e-8 * np.linalg.norm(full.y[-1])
    later = solve(target, metric, weights, t_end=2e6, state=run.state, **options)
    assert later.t[-1] == 2e6
    assert len(later.t) == 2
    watched = solve(target, metric, weights, t_end=500.0, gradient_stop=1e-30, **options)
    assert not np.any(watched._steps["kind"] == REST)


def test_nothing_is_known_where_the_target_is_out_of_reach():
    target, metric, weights = make((3, 1, 3), (2, 1, 0.5), 0.3)
    run = solve(target, metric, weights, t_end=100.0, rtol=1e-6)
    assert path_left(Field(target, metric, (3, 1, 3)), run.y[-1], float(run.loss[-1])) == np.inf


@pytest.mark.parametrize("engine", available_engines())
def test_long_steps_are_recorded_with_points_inside(engine):
    target, metric, weights = make((4, 4, 4), (2, 1.5, 1, 0.5), 0.1)
    run = solve(target, metric, weights, t_end=20.0, rtol=1e-8, engine=engine)
    fine = run.refined(300)
    assert 200 < len(fine.t) < 600
    assert np.all(np.diff(fine.t) > 0)
    assert np.all(np.diff(fine.loss) <= 1e-13 * fine.loss[0])
    assert np.isin(run.t, fine.t).all()
    exact = solve(target, metric, weights, t_end=20.0, rtol=1e-12, method="rock4")
    for k in range(0, len(fine.t), 17):
        assert np.linalg.norm(fine.y[k] - pack(exact.at(float(fine.t[k])))) <= 1e-7
        field = Field(target, metric, (4, 4, 4))
        assert fine.loss[k] == pytest.approx(field.rhs(fine.y[k])[0], rel=1e-9, abs=1e-20)
    t = 0.5 * float(fine.t[40] + fine.t[41])
    assert np.linalg.norm(pack(fine.at(t)) - pack(run.at(t))) <= 1e-9
    assert run.refined(10) is run
