"""What an integration promises whatever the load: invariants, falling loss, the same bits.

The oracle of the multistep method is SciPy's Radau with the Hessian of NumPy, and for its error
estimate the closed form of a single entry, ``w(t) = T + (w0 - T) exp(-t)``.
"""

import itertools

import numpy as np
import pytest
import scipy.integrate

import thalweg as tw
from thalweg.integrate import _slices, available_engines, solve
from thalweg.integrate._bdf import Bdf
from thalweg.integrate._field import Field
from thalweg.integrate._native import instruction_sets
from thalweg.integrate._solution import BDF
from thalweg.network import pack

SETS = instruction_sets()
NATIVE = pytest.mark.skipif(not SETS, reason="no compiled core is built")
FLOWS = {  # those that benchmarks/problems.py times
    "P1": ((5, 5, 5), (4, 3, 2.2, 1.5, 1), 0.1, 60.0),
    "P2": ((10, 8, 8, 5), (5, 3.5, 2.5, 1.5, 0.7), 1e-2, 400.0),
    "P3": ((6,) * 6, (4, 3, 2.2, 1.6, 1.2, 0.8), 0.3, 2000.0),
    "P7": ((6, 6, 6), (1, 0.3, 0.1, 0.03, 0.01, 0.001), 0.1, 20000.0),
}


def gaussian(dims, scale):
    rng = np.random.default_rng(0)
    return [scale * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]


def stiff():
    """A metric that spreads, so that the choice takes all three methods; odd sizes for padding."""
    dims = (11, 9, 7, 3)
    target = np.zeros((3, 11))
    np.fill_diagonal(target, (40, 30, 20))
    return target, 20 * np.geomspace(1.5, 0.02, 11), gaussian(dims, 0.3)


@NATIVE
@pytest.mark.parametrize("name", FLOWS)
def test_drift_and_loss_at_every_decade(name):
    """Spec 2.2: at outputs ``C_j`` are those of the start, at any tolerance; the loss falls."""
    dims, values, scale, t_end = FLOWS[name]
    target = np.zeros((dims[-1], dims[0]))
    np.fill_diagonal(target, values)
    problem, start = tw.Problem.from_target(target, dims), gaussian(dims, scale)
    for exponent in range(4, 12):
        run = tw.flow(problem, start, t_end=t_end, rtol=10.0**-exponent)
        assert run.drift.max() <= 1e-12
        assert np.all(np.diff(run.loss) <= 1e-12 * run.loss[0])


@NATIVE
def test_without_the_repair_conserved_matrices_drift():
    target, metric, weights = stiff()
    run = solve(target, metric, weights, t_end=5.0, rtol=1e-6)
    ends = [weights, run.at(5.0)]
    before, after = (w[1].T @ w[1] - w[0] @ w[0].T for w in ends)
    assert np.linalg.norm(after - before) > 1e-11 * np.linalg.norm(before)


@NATIVE
@pytest.mark.parametrize("method", ["auto", "bdf", "rock4", "dop853"])
def test_slices_change_no_bit(method, monkeypatch):
    """A loaded machine ends slices early: one step each, some, or all of the run in one."""
    target, metric, weights = stiff()
    found = []
    for seconds in (1e9, 0.0, 2e-4):
        monkeypatch.setattr(_slices, "SECONDS", seconds)
        run = solve(target, metric, weights, t_end=3.0, rtol=1e-7, method=method, max_steps=2000)
        found.append(run)
    for other in found[1:]:
        assert np.array_equal(other.y, found[0].y)
        assert np.array_equal(other._steps, found[0]._steps)
        assert other.stats == found[0].stats
    if method == "auto":
        kinds = found[0]._steps["kind"]
        assert np.any(kinds < BDF)
        assert np.any(kinds > BDF)


@NATIVE
def test_a_flow_does_not_depend_on_slices(monkeypatch):
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((60, 8)) * np.geomspace(30.0, 0.3, 8)
    problem = tw.Problem.from_data(inputs, inputs @ rng.standard_normal((8, 3)), widths=(6, 5))
    start = tw.init.gaussian(problem, scale=0.2, rng=0)
    ends = []
    for seconds in (1e9, 0.0):
        monkeypatch.setattr(_slices, "SECONDS", seconds)
        run = tw.flow(problem, start, t_end=0.3, rtol=1e-8)
        ends.append((run.t, run.loss, pack(run.weights_at(0.21)), run.stats["steps"]))
    for one, two in zip(*ends, strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize("name", SETS or ("numpy",))
def test_bdf_agrees_with_scipy(name, monkeypatch):
    monkeypatch.setenv("THALWEG_ENGINE", name)
    target, metric, weights = stiff()
    dims = (weights[0].shape[1], *(w.shape[0] for w in weights))
    field = Field(target, metric, dims)
    times = (0.05, 0.3, 1.0)
    exact = scipy.integrate.solve_ivp(
        lambda _, y: field.rhs(y)[1],
        (0, times[-1]),
        pack(weights),
        method="Radau",
        jac=lambda _, y: -field.hessian(y),
        t_eval=times,
        rtol=1e-8,
        atol=1e-10,
    ).y.T
    run = solve(target, metric, weights, t_end=times[-1], rtol=1e-7, method="bdf")
    assert np.all(run._steps["kind"] < BDF)
    for t, wanted in zip(times, exact, strict=True):
        assert np.linalg.norm(pack(run.at(t)) - wanted) <= 1e-6 * np.linalg.norm(wanted)


@pytest.mark.parametrize("name", SETS)
def test_stiff_steps_agree_with_numpy(name, monkeypatch):
    """Three layers: one system for all of the error, and a Newton iteration that needs it."""
    monkeypatch.setenv("THALWEG_ENGINE", name)
    target, metric, weights = stiff()
    one, two = (
        solve(target, metric, weights, t_end=0.3, rtol=1e-6, engine=engine, method="bdf")
        for engine in ("native", "numpy")
    )
    assert one.stats["rhs"] == two.stats["rhs"]
    assert one.stats["factorizations"] == two.stats["factorizations"]
    np.testing.assert_allclose(one.y[-1], two.y[-1], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_error_estimate_is_the_error(order):
    field = Field(np.array([[2.0]]), np.ones(1), (1, 1))

    def exact(t):
        return np.array([2.0 - 1.5 * np.exp(-t)])

    h = 0.02
    memory = Bdf(order=order)
    for k in range(order, -1, -1):
        at = -h * k * (1 + 0.1 * k)
        memory.push(at, exact(at))
    found = memory.step(field, field.rhs(memory.points[0])[1], h, 10.0, 1e-4 * h**order)
    assert found is not None
    error = float((found[0] - exact(h))[0])
    # the predictor errs by E = (t - t_0) ... (t - t_k) y[t_0 .. t_k, t] and the formula's slope by
    # E / (t - t_k); what is told is that times h, of the distance to the predictor
    shift = sum(1 / (h - at) for at in memory.times[:order]) + 1
    far = h - memory.times[order]
    told = 0.5 * float(found[3][0])  # relative to half the tolerance
    assert abs(told / error) == pytest.approx(h * shift * (1 + 1 / (far * shift)), rel=0.05)


@pytest.mark.parametrize("engine", available_engines())
def test_dense_output_converges_with_the_tolerance(engine):
    target, metric, weights = stiff()
    fine = solve(target, metric, weights, t_end=0.5, rtol=1e-11, method="dop853")
    run = solve(target, metric, weights, t_end=0.5, rtol=1e-7, method="bdf", engine=engine)
    for k in range(20, len(run.t) - 1, 23):
        t = float(0.5 * (run.t[k] + run.t[k + 1]))
        wanted = pack(fine.at(t))
        inside = np.linalg.norm(pack(run.at(t)) - wanted)
        assert inside <= 1e-6 * np.linalg.norm(wanted)
