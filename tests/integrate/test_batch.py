"""Batches against SciPy and closed forms; independence of the grouping; ends; interruption."""

import itertools

import numpy as np
import pytest
import scipy.integrate

from thalweg._core import DataError
from thalweg.integrate import Status, available_engines, solve, solve_batch
from thalweg.integrate._field import Field
from thalweg.integrate._native import instruction_sets
from thalweg.integrate._project import project
from thalweg.network import pack

SETS = instruction_sets()
compiled = pytest.mark.skipif(not SETS, reason="no compiled core is built")
SMALL, LARGE = (4, 3, 3, 2), (10, 8, 8, 5)
VALUES = {SMALL: (3.0, 1.5), LARGE: (5.0, 3.5, 2.5, 1.5, 0.7)}
ARRAYS = ("t", "loss", "gradient_norm", "basin_time", "drift", "repaired")
COUNTS = ("steps", "rejected", "stages", "status", "single")


def problem(dims, count, scale=0.5, seed=0):
    target = np.zeros((dims[-1], dims[0]))
    np.fill_diagonal(target, VALUES.get(dims, 1.0))
    return target, np.ones(dims[0]), gaussian(dims, count, scale, seed)


def gaussian(dims, count, scale, seed=0):
    rng = np.random.default_rng(seed)
    return [scale * rng.standard_normal((count, b, a)) for a, b in itertools.pairwise(dims)]


def end_by_scipy(target, metric, start, t_end):
    field = Field(target, metric, (start[0].shape[1], *(w.shape[0] for w in start)))
    return scipy.integrate.solve_ivp(
        lambda _, y: field.rhs(y)[1],
        (0, t_end),
        pack(start),
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
    ).y[:, -1]


def error_of(done, k, reference):
    end = np.concatenate([w[k].ravel() for w in done.weights])
    return np.linalg.norm(end - reference) / np.linalg.norm(reference)


def assert_same(one, two, order=None):
    rows = slice(None) if order is None else order
    for name in ARRAYS:
        assert getattr(one, name)[rows].tobytes() == getattr(two, name).tobytes(), name
    for name in COUNTS:
        assert np.array_equal(getattr(one, name)[rows], getattr(two, name)), name
    for a, b in zip(one.weights, two.weights, strict=True):
        assert a[rows].tobytes() == b.tobytes()


def pick(starts, rows):
    return [w[rows] for w in starts]


@compiled
@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("dims", [SMALL, LARGE])
def test_achieved_error_follows_rtol(dims, rtol):
    target, metric, starts = problem(dims, 6, 0.3)
    done = solve_batch(target, metric, starts, t_end=20.0, rtol=rtol)
    assert np.all(done.status == Status.T_END)
    assert not done.single.any()
    for k in range(6):
        reference = end_by_scipy(target, metric, [w[k] for w in starts], 20.0)
        assert error_of(done, k, reference) <= 10 * rtol


@compiled
@pytest.mark.parametrize("case", range(20))
def test_random_problems_follow_rtol(case):
    rng = np.random.default_rng(case)
    dims = tuple(int(d) for d in rng.integers(2, 8, rng.integers(3, 6)))
    target = rng.standard_normal((dims[-1], dims[0]))
    metric = rng.uniform(0.5, 1.5, dims[0])
    starts = gaussian(dims, 3, rng.uniform(0.1, 0.7), case)
    for rtol in (1e-4, 1e-7):
        done = solve_batch(target, metric, starts, t_end=5.0, rtol=rtol)
        for k in range(3):
            reference = end_by_scipy(target, metric, [w[k] for w in starts], 5.0)
            assert error_of(done, k, reference) <= 10 * rtol


@compiled
@pytest.mark.parametrize("name", SETS)
def test_every_instruction_set_follows_rtol(name, monkeypatch):
    monkeypatch.setenv("THALWEG_ENGINE", name)
    target, metric, starts = problem((5, 7, 1, 6), 11)
    done = solve_batch(target, metric, starts, t_end=3.0, rtol=1e-8)
    assert done.stats["instruction_set"] == name
    for k in (0, 10):
        reference = end_by_scipy(target, metric, [w[k] for w in starts], 3.0)
        assert error_of(done, k, reference) <= 1e-7


@pytest.mark.parametrize("engine", available_engines())
def test_balanced_modes_follow_the_closed_form(engine):
    times, values = (0.5, 1.0, 2.0), (0.188842, 1.723002, 2.994499)  # Spec 9.1, s = 3, a_0 = 0.01
    sizes = np.array([0.1, 0.2, 0.05])
    target = np.diag([3.0, 2.0])
    starts = [np.zeros((3, 2, 2)) for _ in range(2)]
    for w in starts:
        w[:, 0, 0], w[:, 1, 1] = sizes, sizes[::-1]
    for t, value in zip(times, values, strict=True):
        done = solve_batch(target, np.ones(2), starts, t_end=t, rtol=1e-9, engine=engine)
        product = done.weights[1] @ done.weights[0]
        assert product[0, 0, 0] == pytest.approx(value, abs=1e-6)
        for s, mode, first in ((3.0, 0, sizes), (2.0, 1, sizes[::-1])):
            growth = np.exp(2 * s * t)
            wanted = s * growth / (growth - 1 + s / first**2)
            assert product[:, mode, mode] == pytest.approx(wanted, abs=1e-6)


@compiled
def test_neighbours_order_and_threads_change_no_bit():
    target, metric, starts = problem(SMALL, 1000, 0.8)
    for j, w in enumerate(starts):  # every lane has another pace
        w *= np.geomspace(1e-3, 2.0, 1000)[:, None, None] if j == 0 else 1.0
    options = {"t_end": 4.0, "rtol": 1e-6, "basin_level": 1.0}
    one = solve_batch(target, metric, starts, threads=1, **options)
    two = solve_batch(target, metric, starts, threads=2, **options)
    assert_same(one, two)
    order = np.random.default_rng(1).permutation(1000)
    assert_same(one, solve_batch(target, metric, pick(starts, order), **options), order)
    for k in (0, 7, 500, 999):
        alone = solve_batch(target, metric, pick(starts, [k]), **options)
        assert_same(one, alone, [k])


@compiled
def test_wide_networks_keep_fewer_starts_under_way():
    dims = (24, 20, 20, 3)
    target, metric, starts = problem(dims, 30, 0.1)
    done = solve_batch(target, metric, starts, t_end=6.0, rtol=1e-6)
    assert not done.single.any()
    for k in (0, 13):
        assert_same(done, solve_batch(target, metric, pick(starts, [k]), t_end=6.0, rtol=1e-6), [k])
        reference = end_by_scipy(target, metric, [w[k] for w in starts], 6.0)
        assert error_of(done, k, reference) <= 1e-5


@compiled
@pytest.mark.parametrize("name", SETS)
def test_a_start_that_fails_does_not_touch_the_others(name, monkeypatch):
    monkeypatch.setenv("THALWEG_ENGINE", name)
    target, metric, starts = problem(LARGE, 40, 0.3)
    good = solve_batch(target, metric, starts, t_end=2.0, rtol=1e-6)
    bad = [w.copy() for w in starts]
    bad[1][3], bad[0][17], bad[2][20] = np.nan, 1e120, 0.0
    done = solve_batch(target, metric, bad, t_end=2.0, rtol=1e-6)
    assert done.status[3] is Status.NON_FINITE
    assert done.status[17] in {Status.NON_FINITE, Status.DIVERGED}
    rest = np.setdiff1d(np.arange(40), [3, 17, 20])
    assert np.array_equal(done.steps[rest], good.steps[rest])
    for a, b in zip(done.weights, good.weights, strict=True):
        assert a[rest].tobytes() == b[rest].tobytes()


@pytest.mark.parametrize("engine", available_engines())
@pytest.mark.parametrize("dims", [SMALL, LARGE])
def test_conserved_matrices_are_restored_and_the_product_is_kept(dims, engine):
    target, metric, starts = problem(dims, 4)
    for rtol in (1e-4, 1e-8):
        done = solve_batch(target, metric, starts, t_end=2.0, rtol=rtol, engine=engine)
        assert np.all(done.repaired <= 1e-12)
        assert np.all(done.repaired <= done.drift)
        for j in range(len(dims) - 2):
            before, after = starts[j], starts[j + 1]
            c = after.swapaxes(1, 2) @ after - before @ before.swapaxes(1, 2)
            a, b = done.weights[j], done.weights[j + 1]
            error = b.swapaxes(1, 2) @ b - a @ a.swapaxes(1, 2) - c
            sizes = np.maximum(*(np.linalg.norm(w, 2, axis=(1, 2)) for w in (before, after))) ** 2
            assert np.all(np.linalg.norm(error, 2, axis=(1, 2)) <= 1e-12 * sizes)
        product = done.weights[0]
        for w in done.weights[1:]:
            product = w @ product
        loss = 0.5 * np.sum((target - product * metric) ** 2, axis=(1, 2))
        assert loss == pytest.approx(done.loss, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("engine", available_engines())
def test_ends_and_the_time_in_the_basin(engine):
    target, metric, starts = problem(SMALL, 5)
    level = 0.5 * 1.5**2
    shared = {"rtol": 1e-8, "engine": engine, "basin_level": level}
    by_loss = solve_batch(target, metric, starts, loss_stop=1e-6, **shared)
    assert np.all(by_loss.status == Status.LOSS_STOP)
    assert np.all(by_loss.loss <= 1e-6)
    field = Field(target, metric, SMALL)
    for k, when in enumerate(by_loss.basin_time):
        reference = end_by_scipy(target, metric, [w[k] for w in starts], when)
        assert field.rhs(reference)[0] == pytest.approx(level, rel=1e-4)
    by_gradient = solve_batch(target, metric, starts, gradient_stop=1e-5, **shared)
    assert np.all(by_gradient.status == Status.GRADIENT_STOP)
    assert np.all(by_gradient.gradient_norm <= 1e-5)
    by_budget = solve_batch(target, metric, starts, t_end=9.0, max_steps=7, **shared)
    assert np.all(by_budget.status == Status.MAX_STEPS)
    assert np.all(by_budget.steps == 7)
    early = solve_batch(target, metric, starts, t_end=0.01, **shared)
    assert np.all(early.t == 0.01)
    assert np.all(np.isnan(early.basin_time))
    still = solve_batch(target, metric, [0 * w for w in starts], t_end=1.0, **shared)
    assert np.all(still.status == Status.T_END)
    assert np.all(still.t == 1.0)


@compiled
def test_without_a_time_the_end_is_rounding():
    target, metric, starts = problem(LARGE, 9)
    done = solve_batch(target, metric, starts, rtol=1e-6)
    assert np.all(done.status == Status.GRADIENT_STOP)
    assert np.all(done.loss <= 1e-21)


@compiled
def test_stiff_starts_go_to_the_single_solver():
    dims = (4, 3, 2)
    target = np.zeros((2, 4))
    target[0, 0], target[1, 1] = 1.0, 1e-3
    metric = np.array([1e3, 1.0, 1.0, 1.0])
    starts = gaussian(dims, 3, 0.3)
    done = solve_batch(target, metric, starts, t_end=2e3, rtol=1e-5)
    assert done.single.all()
    for k in range(3):
        start = [w[k] for w in starts]
        alone = solve(target, metric, start, t_end=2e3, rtol=1e-5)
        assert done.status[k] is alone.status
        # The single solver's end with its conserved matrices repaired, which moves it by its error.
        conserved = [b.T @ b - a @ a.T for a, b in itertools.pairwise(start)]
        repaired = project(alone.y[-1][np.newaxis], dims, conserved)[0]
        assert error_of(done, k, repaired) <= 1e-12


@compiled
def test_interruption_keeps_what_is_there(monkeypatch):
    target, metric, starts = problem(LARGE, 20_000, 0.3)
    seen = []

    def progress(done, count):
        seen.append((done, count))
        if len(seen) == 2:
            raise KeyboardInterrupt

    done = solve_batch(target, metric, starts, t_end=20.0, rtol=1e-6, progress=progress)
    cut = done.status == Status.INTERRUPTED
    assert 0 < cut.sum() < 20_000
    assert seen[-1][1] == 20_000
    assert np.all(np.isnan(done.weights[0][cut]))
    assert np.all(np.isfinite(done.weights[0][~cut]))


def test_without_a_compiler_the_same_comes_out(monkeypatch):
    target, metric, starts = problem(SMALL, 3)
    fast = solve_batch(target, metric, starts, t_end=2.0, rtol=1e-9, basin_level=1.0)
    monkeypatch.setenv("THALWEG_ENGINE", "numpy")
    slow = solve_batch(target, metric, starts, t_end=2.0, rtol=1e-9, basin_level=1.0)
    assert slow.stats["engine"] == "numpy"
    for name in ("t", "loss", "gradient_norm", "basin_time"):
        assert getattr(slow, name) == pytest.approx(getattr(fast, name), rel=1e-6)


def test_what_does_not_fit_is_refused():
    target, metric, starts = problem(SMALL, 3)
    with pytest.raises(DataError, match="stack"):
        solve_batch(target, metric, [w[0] for w in starts], t_end=1.0)
    with pytest.raises(DataError, match="fit"):
        solve_batch(target, metric, [starts[0], starts[1][:2], starts[2]], t_end=1.0)
    with pytest.raises(DataError, match="shape"):
        solve_batch(target.T, metric, starts, t_end=1.0)
    with pytest.raises(DataError, match="engine"):
        solve_batch(target, metric, starts, t_end=1.0, engine="gpu")
    with pytest.raises(DataError, match="NaN"):
        solve_batch(target, metric, starts, t_end=np.nan)
    none = solve_batch(target, metric, [w[:0] for w in starts], t_end=1.0)
    assert len(none.t) == 0
