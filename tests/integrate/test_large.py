"""Large networks: BLAS on blocks against NumPy, SciPy and the compiled core; memory; replay."""

import io
import itertools
import tracemalloc

import numpy as np
import pytest
import scipy.integrate

import thalweg as tw
from thalweg.integrate import _solve, _store, _sweep, packed, project_large, solve
from thalweg.integrate._combine import Combination
from thalweg.integrate._field import Field
from thalweg.integrate._rock4 import rock4_step, table
from thalweg.integrate._rock4_large import ROOM, finish, rock4_large
from thalweg.integrate._spectral import spectral_radius
from thalweg.integrate._store import LargeRecord
from thalweg.integrate._sweep import Sweep
from thalweg.network import gradient, hessian_product, pack, unpack

SHAPES = [(7, 9, 8, 3), (30, 3), (80, 90, 70), (200, 150, 5), (20, 20, 20, 20, 20)]


def make(dims, scale=0.3, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.standard_normal((dims[-1], dims[0]))
    metric = rng.uniform(0.5, 1.5, dims[0])
    weights = [scale * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    return target, metric, weights


@pytest.fixture
def small_counts_as_large(monkeypatch):
    monkeypatch.setattr(_solve, "LARGEST", 0)


@pytest.mark.parametrize("dims", SHAPES)
@pytest.mark.parametrize("block", [50, 10**6])
def test_sweep_agrees_with_the_formulas(dims, block, monkeypatch):
    monkeypatch.setattr(_sweep, "BLOCK", block)
    target, metric, weights = make(dims)
    rng = np.random.default_rng(1)
    y = pack(weights)
    x, old, v = rng.standard_normal((3, y.size))
    sweep = Sweep(Field(target, metric, dims))
    slope = -pack(gradient(weights, target, metric))
    out, covered = old.copy(), np.zeros(y.size, dtype=int)

    def fold(part):
        covered[part] += 1

    sums = Combination((1.2, y), (0.7, x), (-0.4, out))
    loss = sweep.stage(y, out, 0.3, sums.into(out), fold)
    residual = target - np.linalg.multi_dot([*reversed(weights), np.diag(metric)])
    assert loss == pytest.approx(0.5 * np.sum(residual**2), rel=1e-13)
    assert np.allclose(out, 0.3 * slope + 1.2 * y + 0.7 * x - 0.4 * old, rtol=0, atol=1e-11)
    assert np.all(covered == 1)
    image = np.full(y.size, np.nan)
    sweep.linearize(y)(v, image, [])
    wanted = pack(hessian_product(weights, unpack(v, dims), target, metric))
    assert np.allclose(image, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())


@pytest.mark.parametrize("position", [0, 1, 4, 20, len(table()) - 1])
def test_step_without_stored_slopes_is_the_step(position):
    dims = (20, 15, 5)
    target, metric, weights = make(dims, scale=0.1)
    field, y = Field(target, metric, dims), pack(weights)
    h = 2.0 / spectral_radius(field, y, None)[0]
    new, loss, slope, error = rock4_step(field, y, field.rhs(y)[1], h, position)
    given = field.rhs(y)[1].copy()
    room = [np.full(y.size, np.nan) for _ in range(ROOM)]
    found, value, norms = rock4_large(Sweep(field), y, given, (h, position), room)
    assert np.allclose(found, new, rtol=0, atol=1e-12 * np.abs(new).max())
    assert value == pytest.approx(loss, rel=1e-12)
    assert np.allclose(given, slope, rtol=0, atol=1e-11 * np.abs(slope).max())
    assert norms[0] == pytest.approx(np.linalg.norm(error), rel=1e-6, abs=1e-15)
    exact = np.linalg.norm(slope), np.linalg.norm(new)
    assert norms[1:] == pytest.approx(exact, rel=1e-9)


def test_differences_of_points_do_not_amplify_rounding():
    for position in range(len(table())):
        end = finish(position)
        numbers = [*itertools.chain(*end.points), *end.error]
        assert max(map(abs, numbers)) < 2.1


@pytest.mark.usefixtures("small_counts_as_large")
def test_flow_against_scipy_and_the_compiled_core():
    dims = (12, 10, 6)
    target, metric, weights = make(dims, scale=0.1)
    field = Field(target, metric, dims)
    reference = scipy.integrate.solve_ivp(
        lambda _, y: field.rhs(y)[1], (0, 3.0), pack(weights), method="DOP853", rtol=1e-11,
        atol=1e-13,
    ).y[:, -1]  # fmt: skip
    for rtol in (1e-4, 1e-7):
        done = solve(target, metric, weights, t_end=3.0, rtol=rtol)
        assert done.stats["engine"] == "blas"
        assert np.all(np.diff(done.loss) <= 0)
        error = np.linalg.norm(done.y[-1] - reference) / np.linalg.norm(reference)
        assert error <= 10 * rtol
    again = solve(target, metric, weights, t_end=3.0, rtol=1e-7)
    assert np.array_equal(again.y[-1], done.y[-1])


@pytest.mark.usefixtures("small_counts_as_large")
def test_restart_leaves_the_state_alone():
    target, metric, weights = make((12, 10, 6), scale=0.1)
    start = [w.copy() for w in weights]
    half = solve(target, metric, weights, t_end=1.0, rtol=1e-5, max_steps=7)
    kept = half.y[-1].copy()
    ends = [
        solve(target, metric, weights, t_end=2.0, rtol=1e-5, state=half.state).y[-1]
        for _ in range(2)
    ]
    assert np.array_equal(*ends)
    assert np.array_equal(half.y[-1], kept)
    assert all(np.array_equal(a, b) for a, b in zip(weights, start, strict=True))
    whole = solve(target, metric, weights, t_end=2.0, rtol=1e-5)
    assert np.linalg.norm(whole.y[-1] - ends[0]) <= 1e-4 * np.linalg.norm(ends[0])


@pytest.mark.usefixtures("small_counts_as_large")
@pytest.mark.parametrize("disk", ["free", "full"])
def test_weights_at_any_time_with_few_points_kept(disk, monkeypatch):
    monkeypatch.setattr(_store, "MOST", 4)
    monkeypatch.setattr(_store, "FIRST", 4)
    if disk == "full":

        class Full(io.BytesIO):
            def write(self, data):
                raise OSError("no space left on device")

        monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    target, metric, weights = make((12, 10, 6), scale=0.1)
    done = solve(target, metric, weights, t_end=3.0, rtol=1e-7)
    assert len(done.t) == done.stats["steps"] + 1 > 20
    assert len(done.y) == 2 if disk == "full" else 4 <= len(done.y) <= 6
    assert np.array_equal(pack(done.at(float(done.t[-1]))), done.y[-1])
    for t in (0.0, 0.4, 1.7, 2.999):
        exact = solve(target, metric, weights, t_end=t, rtol=1e-10).y[-1]
        error = np.linalg.norm(pack(done.at(t)) - exact)
        assert error <= 1e-5 * np.linalg.norm(exact)
    wanted = [0, 3, 11, len(done.t) - 1]
    for step, y in zip(wanted, done.visit(wanted), strict=True):
        exact = pack(done.at(float(done.t[step])))
        assert np.allclose(y, exact, rtol=0, atol=1e-12)


def test_record_thins_evenly_and_reuses_the_file(monkeypatch):
    monkeypatch.setattr(_store, "MOST", 8)
    monkeypatch.setattr(_store, "FIRST", 4)
    record = LargeRecord((0.0, 1.0, 1.0), np.zeros(3))
    for k in range(1, 1001):
        record.add((float(k), 1.0, 1.0, 1.0, 0), np.full(3, float(k)))
    rows, kept, points = record.close(np.full(3, 1000.0))
    assert len(rows) == 1001
    assert len(kept) == len(points) <= 10
    assert all(points[k][0] == step for k, step in enumerate(kept))
    assert np.ptp(np.diff(kept[:-1])) == 0
    assert points._file.seek(0, 2) <= 9 * 24


def test_packed_knows_its_own():
    few = unpack(np.arange(20.0), (2, 5, 2))
    assert np.array_equal(packed(few), np.arange(20.0))
    y = np.arange(20_000.0)
    views = unpack(y, (50, 200, 50))
    assert packed(views) is y
    for other in ([v.copy() for v in views], views[:1], [views[1].T, views[1]]):
        assert packed(other) is not y
        assert np.array_equal(packed(other), pack(other))


@pytest.mark.parametrize("dims", [(30, 25, 20, 6), (30, 40, 6), (12, 12, 12, 12, 12)])
def test_gauge_repair(dims):
    _, _, weights = make(dims)
    exact = [b.T @ b - a @ a.T for a, b in itertools.pairwise(weights)]
    rng = np.random.default_rng(3)
    y = pack(weights) + 1e-5 * rng.standard_normal(pack(weights).size)
    before = [w.copy() for w in unpack(y, dims)]
    scale = max(np.linalg.norm(c) for c in exact)
    after = unpack(project_large(y, dims, exact, 1e-13 * scale), dims)
    for (a, b), wanted in zip(itertools.pairwise(after), exact, strict=True):
        assert np.linalg.norm(b.T @ b - a @ a.T - wanted) <= 1e-13 * scale
    product = np.linalg.multi_dot([*reversed(before)])
    assert np.allclose(np.linalg.multi_dot([*reversed(after)]), product, rtol=0, atol=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip(before, unpack(y, dims), strict=True))


def test_memory_of_a_whole_flow_in_sets_of_weights():
    values, metric = np.linspace(2.0, 1.0, 10), np.linspace(1.0, 0.5, 400)
    target = np.eye(10, 400) * values[:, np.newaxis]
    problem = tw.Problem.from_target(target, dims=(400, 300, 150, 10), D=metric)
    start = tw.init.gaussian(problem, scale=0.05, rng=0)
    assert problem.n_parameters > 100_000
    tw.flow(problem, start, t_end=0.01, rtol=1e-4)  # modules are imported
    tracemalloc.start()
    try:
        run = tw.flow(problem, start, t_end=1.0, rtol=1e-5)
        run.weights_at(0.7)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert run.stats["engine"] == "blas"
    assert run.stats["steps"] > 10
    assert peak / 8 / problem.n_parameters <= 12.0


def test_memory_with_a_closed_tail_in_sets_of_weights():
    width = 190
    problem = tw.Problem.from_target(np.linspace(3.0, 2.0, width), dims=(width,) * 4)
    start = tw.init.orthogonal(problem, scale=0.8, rng=0)
    assert problem.n_parameters > 100_000
    tw.flow(problem, start, t_end=0.001, rtol=1e-4)  # modules are imported
    tracemalloc.start()
    try:
        run = tw.flow(problem, start, rtol=1e-4)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert run.status == "limit"
    assert len(run._path.pieces) > 1
    assert sum(isinstance(y, np.ndarray) for y in run._path.pieces[0].y._points) == 1
    assert peak / 8 / problem.n_parameters <= 12.0


def test_points_moved_to_disk_are_the_same_points():
    points = _store.StoredPoints(np.arange(5.0))
    points.put(np.full(5, 7.0))
    points.finish(-np.arange(5.0))
    before = [y.copy() for y in points]
    for k in (0, -1, 1):
        points.release(k)
    assert not any(isinstance(item, np.ndarray) for item in points._points)
    assert all(np.array_equal(a, b) for a, b in zip(points, before, strict=True))
