"""Closing the tail in the compiled core: the oracle is SciPy's DOP853 until nothing moves."""

import itertools

import numpy as np
import pytest
import scipy.integrate

import thalweg as tw
from thalweg.integrate import Status, Tail, _native, _slices, engine_name, solve
from thalweg.network import gradient, unpack

pytestmark = pytest.mark.skipif(engine_name() != "native", reason="no compiled core is built")
SHAPES = {  # layer sizes, singular values of the target, condition of the metric, time to rest
    "one layer": ((4, 3), (3.0, 2.0, 1.0), 2.0, 120.0),
    "two layers": ((5, 4, 3), (3.0, 2.0, 1.0), 1.5, 60.0),
    "three layers": ((4, 5, 5, 3), (3.0, 2.0, 1.5), 2.0, 80.0),
    "five layers": ((4, 4, 4, 4, 4, 4), (2.5, 2.2, 2.0, 1.8), 1.2, 60.0),
}


def case(name):
    dims, sigma, condition, t_end = SHAPES[name]
    rng = np.random.default_rng(len(dims))
    left = np.linalg.qr(rng.standard_normal((dims[-1], dims[-1])))[0]
    right = np.linalg.qr(rng.standard_normal((dims[0], dims[0])))[0][: len(sigma)]
    metric = np.geomspace(1.0, 1.0 / condition, dims[0])
    start = [0.5 * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    return (left * sigma) @ right, metric, start, t_end


def level(target):
    return 0.45 * np.linalg.svd(target, compute_uv=False)[-1] ** 2


def tail(rtol, **changes):
    options = {"least": 0.0, "smallest": 1e-28, "goal": rtol, "rtol": rtol, "gradient_stop": 1e-14}
    return Tail(**options | changes)


def close(name, rtol, **options):
    target, metric, start, _ = case(name)
    given = {"t_end": np.inf, "rtol": rtol, "loss_stop": level(target), "tail": tail(rtol)}
    return solve(target, metric, start, **given | options)


def limit(name):
    target, metric, start, t_end = case(name)
    dims = (start[0].shape[1], *(w.shape[0] for w in start))

    def slope(_t, y):
        return -np.concatenate([g.ravel() for g in gradient(unpack(y, dims), target, metric)])

    flat = np.concatenate([w.ravel() for w in start])
    options = {"method": "DOP853", "rtol": 1e-12, "atol": 1e-13}
    end = scipy.integrate.solve_ivp(slope, (0.0, t_end), flat, **options).y[:, -1]
    assert np.linalg.norm(slope(0.0, end)) <= 1e-8
    return end


@pytest.mark.parametrize("name", SHAPES)
def test_the_predicted_limit_is_that_of_the_flow(name):
    exact = limit(name)
    for rtol in (1e-4, 1e-6, 1e-8):
        run = close(name, rtol)
        assert run.status is Status.LOSS_STOP
        found = run.landing
        assert found is not None
        assert found.error is not None
        assert found.error <= rtol
        away = np.linalg.norm(found.y - exact) / np.linalg.norm(exact)
        assert away <= 10 * rtol + 1e-8
        assert found.length == pytest.approx(np.linalg.norm(found.y - run.y[-1]), rel=1e-9)
        assert run.t[-1] < 0.9 * case(name)[3]  # it has not been integrated to rest


def test_one_prediction_far_from_the_limit_would_not_do():
    """Negative control: what is predicted from where the basin begins misses the goal."""
    exact = limit("two layers")
    found = close("two layers", 1e-8, tail=tail(1e-8, smallest=1e3)).landing
    assert found is not None
    assert found.error is None
    assert np.linalg.norm(found.y - exact) > 1e-6 * np.linalg.norm(exact)


@pytest.mark.parametrize("seconds", [0.0, 1e-4])
def test_slices_do_not_show(monkeypatch, seconds):
    whole = close("three layers", 1e-8)
    monkeypatch.setattr(_slices, "SECONDS", seconds)
    parts = close("three layers", 1e-8)
    assert np.array_equal(whole.y, parts.y)
    assert np.array_equal(whole.landing.y, parts.landing.y)
    assert whole.landing.error == parts.landing.error


@pytest.mark.parametrize("goal", [1e-2, 1e-6])
def test_a_target_that_cannot_be_met_is_not_landed_on(goal):
    """A bottleneck: ``P D = T`` has no solution, and nothing may be said to be one."""
    target, metric = np.diag([3.0, 2.0, 1.0]), np.ones(3)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        start = [0.5 * rng.standard_normal((2, 3)), 0.5 * rng.standard_normal((3, 2))]
        run = solve(
            *(target, metric, start),
            t_end=np.inf,
            rtol=1e-6,
            loss_stop=0.6,
            gradient_stop=1e-6,
            tail=tail(goal, gradient_stop=1e-6),
        )
        assert run.landing is None


def test_a_budget_that_ends_in_the_tail_ends_the_run():
    steps = len(close("two layers", 1e-8).t) - 1
    run = close("two layers", 1e-8, max_steps=steps - 2)
    assert run.status is Status.MAX_STEPS
    assert len(run.t) == steps - 1


def test_a_run_goes_on_from_a_landing():
    target, metric, start, _ = case("two layers")
    run = close("two layers", 1e-6)
    more = solve(target, metric, start, t_end=run.t[-1] + 5.0, state=run.state)
    assert more.landing is None
    assert more.t[0] == run.t[-1]
    assert more.loss[-1] < run.loss[-1]


def test_ctrl_c_in_the_tail_stops_a_flow(monkeypatch):
    whole = _native.Core.run
    monkeypatch.setattr(_slices, "SECONDS", 0.0)
    calls = []

    def run(*arguments):
        tail, _ = arguments[-1]
        calls.append(tail.predictions)
        if tail.predictions:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(_native.Core, "run", run)
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 3, 2))
    found = tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0))
    assert calls[-1] > 0
    assert found.stats["stop"] == "interrupted"
    assert found.limit.verdict.kind == "global_minimum"  # it is in the basin all the same


@pytest.mark.parametrize("dims", [(5, 4, 3), (4, 4, 4, 3), (6, 3, 6, 3)])
def test_both_engines_find_the_same_limit(dims):
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=dims)
    start = tw.init.gaussian(p, scale=0.2, rng=1)
    one, two = (tw.flow(p, start, engine=engine, rtol=1e-8) for engine in ("native", "numpy"))
    assert one.limit.verdict.kind == two.limit.verdict.kind == "global_minimum"
    assert one.limit.certified
    assert one.limit.tail_error <= 1e-8
    for a, b in zip(one.final, two.final, strict=True):
        assert np.abs(a - b).max() <= 1e-7
