"""The compiled integration against NumPy's, SciPy's and closed forms; restarts; threads; stops."""

import itertools
import threading

import numpy as np
import pytest
import scipy.integrate

import thalweg as tw
from thalweg.integrate import Status, available_engines, engine_name, solve
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, instruction_sets
from thalweg.network import pack

SETS = instruction_sets()
pytestmark = pytest.mark.skipif(not SETS, reason="no compiled core is built")
PROBLEMS = {
    "square": ((5, 5, 5), (4, 3, 2.2, 1.5, 1), 0.1, 60.0),
    "deep": ((10, 8, 8, 5), (5, 3.5, 2.5, 1.5, 0.7), 1e-2, 400.0),
    "six layers": ((6,) * 6, (4, 3, 2.2, 1.6, 1.2, 0.8), 0.3, 200.0),
    "slow modes": ((6, 6, 6), (1, 0.3, 0.1, 0.03, 0.01, 0.001), 0.1, 20000.0),
}


def make(name):
    dims, values, scale, t_end = PROBLEMS[name]
    rng = np.random.default_rng(0)
    target = np.zeros((dims[-1], dims[0]))
    target[range(len(values)), range(len(values))] = values
    weights = [scale * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    return target, np.ones(dims[0]), weights, t_end


@pytest.mark.parametrize("name", PROBLEMS)
def test_achieved_error_follows_rtol(name):
    target, metric, weights, t_end = make(name)
    dims = (weights[0].shape[1], *(w.shape[0] for w in weights))
    field = Field(target, metric, dims)
    if name == "six layers":  # SciPy takes too long
        reference = solve(
            target, metric, weights, t_end=t_end, rtol=1e-11, engine="numpy", method="rock4"
        ).y[-1]
    else:
        stiff = {"method": "Radau", "jac": lambda _, y: -field.hessian(y)}
        reference = scipy.integrate.solve_ivp(
            lambda _, y: field.rhs(y)[1],
            (0, t_end),
            pack(weights),
            rtol=1e-10,
            atol=1e-13,
            **(stiff if name == "slow modes" else {"method": "DOP853"}),
        ).y[:, -1]
    for rtol in (1e-6, 1e-8):
        found = solve(target, metric, weights, t_end=t_end, rtol=rtol, engine="native")
        assert found.status is Status.T_END
        error = np.linalg.norm(found.y[-1] - reference) / np.linalg.norm(reference)
        assert error <= 10 * rtol
        assert np.all(np.diff(found.loss) <= 1e-12 * found.loss[0])


@pytest.mark.parametrize("method", ["rock4", "dop853", "rodas4", "bdf", "auto"])
@pytest.mark.parametrize("name", SETS)
def test_steps_agree_with_numpy(name, method, monkeypatch):
    monkeypatch.setenv("THALWEG_ENGINE", name)
    target, metric, weights, _ = make("square")
    one = solve(target, metric, weights, t_end=3.0, engine="native", method=method)
    two = solve(target, metric, weights, t_end=3.0, engine="numpy", method=method)
    assert one.stats["engine"] == "native"
    assert one.stats["instruction_set"] == name
    assert one.stats["steps"] == two.stats["steps"]
    assert one.stats["rhs"] == two.stats["rhs"]
    np.testing.assert_allclose(one.t, two.t, rtol=1e-4)  # rounding in the error estimate
    np.testing.assert_allclose(one.y[-1], two.y[-1], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(one.gradient_norm, two.gradient_norm, rtol=1e-3)


@pytest.mark.parametrize("method", ["auto", "rodas4", "bdf"])
def test_restarts_give_the_same_bits(method):
    target, metric, weights, _ = make("slow modes")
    whole = solve(target, metric, weights, t_end=500.0, engine="native", method=method)
    part = solve(target, metric, weights, t_end=500.0, engine="native", method=method, max_steps=23)
    assert part.status is Status.MAX_STEPS
    rest = solve(target, metric, weights, t_end=500.0, engine="native", state=part.state)
    assert np.array_equal(rest.y[-1], whole.y[-1])
    assert part.stats["steps"] + rest.stats["steps"] == whole.stats["steps"]


def test_threads_do_not_disturb_each_other():
    target, metric, weights, t_end = make("deep")
    ends = {}

    def work(key):
        ends[key] = solve(target, metric, weights, t_end=t_end, engine="native").y[-1]

    threads = [threading.Thread(target=work, args=(key,)) for key in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(ends[0], ends[1])
    assert np.array_equal(ends[0], ends[2])


def test_one_entry_follows_the_closed_form():
    """For a single 1 x 1 layer the flow is linear: w(t) = T + (w0 - T) exp(-t)."""
    found = solve(
        np.array([[2.0]]), np.ones(1), [np.array([[0.5]])], t_end=3.0, rtol=1e-10, engine="native"
    )
    assert found.y[-1, 0] == pytest.approx(2.0 - 1.5 * np.exp(-3.0), abs=1e-8)


def test_dense_output_passes_through_the_recorded_points():
    target, metric, weights, t_end = make("square")
    found = solve(target, metric, weights, t_end=t_end, engine="native")
    middle = len(found.t) // 2
    assert np.array_equal(pack(found.at(float(found.t[middle]))), found.y[middle])
    near = float(np.nextafter(found.t[middle], 0))
    np.testing.assert_allclose(pack(found.at(near)), found.y[middle], rtol=0, atol=1e-9)


def test_events_stop_the_run():
    target, metric, weights, t_end = make("square")
    low = solve(target, metric, weights, t_end=t_end, loss_stop=1.0, engine="native")
    assert low.status is Status.LOSS_STOP
    assert low.loss[-1] <= 1.0 < low.loss[-2]
    flat = solve(target, metric, weights, t_end=np.inf, gradient_stop=1e-6, engine="native")
    assert flat.status is Status.GRADIENT_STOP
    assert flat.gradient_norm[-1] <= 1e-6


def test_numbers_that_are_not_finite_are_a_status():
    target, metric, weights, _ = make("square")
    weights[0][0, 0] = np.inf
    assert solve(target, metric, weights, t_end=1.0, engine="native").status is Status.NON_FINITE


def test_slow_modes_of_a_deep_network_on_real_data_take_few_steps():
    """``radius`` times the length of the last steps is above 1e6."""
    data = tw.datasets.load_data("digits", onehot="auto")
    p = data.problem((32, 32), loss="mean")
    target, metric = p.flow_data()
    weights = p.reduce(tw.init.gaussian(p, scale=0.1, rng=0))
    weights[0], target, metric = weights[0][:, :61], target[:, :61], metric[:61]
    run = solve(target, metric, weights, t_end=np.inf, rtol=1e-6, loss_stop=1e-11, max_steps=1500)
    assert run.status is Status.LOSS_STOP
    assert np.all(np.diff(run.loss) <= 1e-13 * run.loss[0])


def test_the_environment_chooses_the_engine(monkeypatch):
    target, metric, weights, _ = make("square")
    assert engine_name() == available_engines()[0]
    monkeypatch.setenv("THALWEG_ENGINE", "numpy")
    assert available_engines() == ("numpy",)
    assert solve(target, metric, weights, t_end=0.1).stats["engine"] == "numpy"
    monkeypatch.setenv("THALWEG_ENGINE", "generic")
    assert solve(target, metric, weights, t_end=0.1).stats["instruction_set"] == "generic"


def test_progress_is_told_and_interrupts_keep_what_there_is():
    target, metric, weights, _ = make("six layers")

    def stop(t, steps, loss):
        assert t > 0
        assert steps > 0
        assert loss > 0
        raise KeyboardInterrupt

    long = {"t_end": 1e9, "rtol": 1e-13, "method": "rock4"}
    found = solve(target, metric, weights, **long, engine="native", progress=stop)
    assert found.status is Status.INTERRUPTED
    assert len(found.t) > 2
    assert found.t[-1] == found.state.t
    assert np.array_equal(found.y[-1], found.state.y)


def test_ctrl_c_before_the_first_steps_keeps_the_start(monkeypatch):
    target, metric, weights, _ = make("square")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Core, "run", stop)
    found = solve(target, metric, weights, t_end=1.0, engine="native")
    assert found.status is Status.INTERRUPTED
    np.testing.assert_array_equal(found.y, [pack(weights)])
    error = target - weights[1] @ weights[0]
    assert found.loss == pytest.approx([0.5 * np.sum(error**2)])
    monkeypatch.undo()
    on = solve(target, metric, weights, t_end=1.0, state=found.state)
    assert on.loss[0] == found.loss[0]
    assert on.status is Status.T_END
