"""The multistep method: its systems, order, memory and dense output; drift at outputs."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.integrate import available_engines, solve
from thalweg.integrate._bdf import Bdf, lagrange
from thalweg.integrate._field import Field
from thalweg.integrate._gauss_newton import GaussNewton
from thalweg.integrate._solution import BDF
from thalweg.network import pack, unpack

ENGINES = available_engines()


def make(dims, values=(2, 1.5, 1, 0.5), scale=0.4, low=0.7, seed=0):
    rng = np.random.default_rng(seed)
    target = np.zeros((dims[-1], dims[0]))
    np.fill_diagonal(target, values)
    weights = [scale * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    return target, np.geomspace(1.5, low, dims[0]), weights


def jacobian(dims, metric, y):
    """``vec M`` differentiated by central differences of the product itself."""
    rows = []
    for i in range(y.size):
        change = np.zeros(y.size)
        change[i] = 1e-4
        maps = []
        for sign in (1, -1):
            total = np.eye(dims[0])
            for weight in unpack(y + sign * change, dims):
                total = weight @ total
            maps.append((total * metric).ravel())
        rows.append((maps[0] - maps[1]) / 2e-4)
    return np.array(rows).T


@pytest.mark.parametrize(
    "dims", [(5, 3), (5, 4, 3), (6, 3, 5), (4, 5, 4, 3), (9, 8, 9, 8), (3,) * 6]
)
@pytest.mark.parametrize("shift", [0.03, 1.0, 300.0])
def test_systems_are_those_of_the_gauss_newton_part(dims, shift):
    target, metric, weights = make(dims)
    y = pack(weights)
    field, b = Field(target, metric, dims), np.random.default_rng(1).standard_normal(y.size)
    j = jacobian(dims, metric, y)
    exact = np.linalg.solve(j.T @ j + shift * np.eye(y.size), b)
    everything = GaussNewton(field, y).factorized(shift, 1e9)
    assert np.linalg.norm(everything.solve(b) - exact) <= 0.02 * np.linalg.norm(exact)
    if len(dims) <= 3:
        np.testing.assert_allclose(everything.solve(b), exact, atol=1e-5 * np.abs(exact).max())
    nothing = GaussNewton(field, y).factorized(shift, 0.0)
    np.testing.assert_array_equal(nothing.solve(b), b / shift)


def test_stiff_directions_are_exact_to_their_own_size():
    """Errors of the inner solution, a share of ``b``, come back divided by the small shift."""
    dims, shift = (12, 9, 8, 9, 8), 1e-5
    target, metric, weights = make(dims)
    y = pack(weights)
    field, b = Field(target, metric, dims), np.random.default_rng(1).standard_normal(y.size)
    j = jacobian(dims, metric, y)
    values, basis = np.linalg.eigh(j.T @ j)
    got = basis.T @ GaussNewton(field, y).factorized(shift, values[-1]).solve(b)
    wanted = (basis.T @ b) / (values + shift)
    stiff = values > 0.01 * values[-1]
    assert np.linalg.norm((got - wanted)[stiff]) <= 0.5 * np.linalg.norm(wanted[stiff])


def test_columns_that_are_not_stiff_are_left_out():
    dims = (5, 4, 3)
    target, metric, weights = make(dims, low=1e-3)
    field, y = Field(target, metric, dims), pack(weights)
    b = np.random.default_rng(1).standard_normal(y.size)
    part = GaussNewton(field, y).factorized(1.0, 4.0)
    whole = GaussNewton(field, y).factorized(1.0, 1e9)
    assert 0 < part._cols < whole._cols == 5
    assert np.linalg.norm(part.solve(b) - whole.solve(b)) <= 0.2 * np.linalg.norm(b)


def test_weights_of_the_interpolation_reproduce_polynomials():
    times = (3.0, 2.5, 1.0, 0.2)
    weights = np.array(lagrange(3.7, times))
    for power in range(4):
        assert weights @ np.array(times) ** power == pytest.approx(3.7**power, rel=1e-13)
    assert abs(weights @ np.array(times) ** 4 - 3.7**4) > 0.1


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_steps_are_of_their_order(order):
    dims = (4, 4, 4)
    target, metric, weights = make(dims)
    field = Field(target, metric, dims)
    run = solve(target, metric, weights, t_end=2.0, rtol=1e-13, method="dop853", engine="numpy")
    errors = []
    for h in (0.08, 0.04):
        memory = Bdf(order=order, krylov=1)
        for k in range(order, -1, -1):
            at = 1.2 - h * (1 + k * (1 + 0.1 * k))
            memory.push(at, pack(run.at(at)))
        slope = field.rhs(memory.points[0])[1]
        found = memory.step(field, slope, h, 10.0, 1e-8)
        assert found is not None
        errors.append(np.linalg.norm(found[0] - pack(run.at(1.2))))
    rate = np.log2(errors[0] / errors[1])
    assert order + 0.5 < rate < order + 1.7


@pytest.mark.parametrize("engine", ENGINES)
def test_stiff_runs_need_few_right_hand_sides(engine):
    """The choice finds the multistep method where the metric spreads; explicit steps alone pay."""
    target, metric, weights = make((12, 10, 4), scale=0.3, low=0.02)
    metric, target = 20 * metric, 20 * target
    options = {"t_end": 20.0, "rtol": 1e-7, "engine": engine}
    free = solve(target, metric, weights, **options)
    alone = solve(target, metric, weights, **options, method="rock4")
    exact = solve(target, metric, weights, t_end=20.0, rtol=1e-11, method="rock4").y[-1]
    assert np.any(free._steps["kind"] < BDF)
    assert free.stats["rhs"] < 0.4 * alone.stats["rhs"]
    assert np.linalg.norm(free.y[-1] - exact) <= 1e-6 * np.linalg.norm(exact)
    assert np.all(np.diff(free.loss) <= 1e-12 * free.loss[0])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dims", [(5, 4, 4), (6, 5, 6, 4), (6, 2, 4)])
def test_dense_output_is_as_exact_as_the_points(engine, dims):
    target, metric, weights = make(dims)
    run = solve(target, metric, weights, t_end=8.0, rtol=1e-8, engine=engine, method="bdf")
    exact = solve(target, metric, weights, t_end=8.0, rtol=1e-12, method="dop853")
    for k in range(0, len(run.t) - 1, 17):
        for share in (0.3, 0.8):
            t = float(run.t[k] + share * (run.t[k + 1] - run.t[k]))
            assert np.linalg.norm(pack(run.at(t)) - pack(exact.at(t))) <= 3e-7
    assert np.array_equal(pack(run.at(float(run.t[40]))), run.y[40])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cut", [9, 60])
def test_a_run_goes_on_with_the_same_bits(engine, cut):
    target, metric, weights = make((6, 5, 6, 4), low=0.05)
    options = {"t_end": 30.0, "rtol": 1e-7, "engine": engine, "method": "bdf"}
    whole = solve(target, metric, weights, **options)
    part = solve(target, metric, weights, **options, max_steps=cut)
    rest = solve(target, metric, weights, **options, state=part.state)
    again = solve(target, metric, weights, **options, state=part.state)
    assert np.array_equal(rest.y[-1], whole.y[-1])
    assert np.array_equal(again.y[-1], whole.y[-1])
    assert part.stats["steps"] + rest.stats["steps"] == whole.stats["steps"]


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8, 1e-11])
def test_drift_and_loss_of_stiff_flows(rtol):
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((60, 8)) * np.geomspace(30.0, 0.3, 8)
    p = tw.Problem.from_data(inputs, inputs @ rng.standard_normal((8, 3)), widths=(6, 5))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.2, rng=0), t_end=0.5, rtol=rtol)
    assert run.drift.max() <= 1e-12
    assert np.all(np.diff(run.loss) <= 1e-12 * run.loss[0])
