"""The flow against other integrations, its limits and its result."""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import thalweg as tw
from thalweg.network import pack, unpack

SMOOTH = ("tanh", "arctan", "logistic", "softsign", "erf", "identity")


@pytest.mark.parametrize("output", [None, "tanh"])
@pytest.mark.parametrize("activation", SMOOTH)
def test_flow_equals_scipy(net, generic, activation, output):
    problem = net(generic, activation, output_activation=output)
    w = problem.start(0.5, rng=2)
    run = problem.flow(w, 3.0, rtol=1e-10)
    done = solve_ivp(
        lambda _, y: -pack(problem.gradient(unpack(y, problem.dims))),
        (0, 3.0),
        pack(w),
        method="DOP853",
        rtol=1e-11,
        atol=1e-13,
        t_eval=[1.234, 3.0],
    )
    np.testing.assert_allclose(pack(run.weights_at(1.234)), done.y[:, 0], atol=1e-7)
    np.testing.assert_allclose(pack(run.final), done.y[:, 1], atol=1e-7)


@pytest.mark.parametrize("rtol", [1e-6, 1e-9])
def test_the_tolerance_is_kept(net, generic, rtol):
    problem = net(generic, "tanh")
    w = problem.start(0.5, rng=2)
    exact = pack(problem.flow(w, 5.0, rtol=1e-12).final)
    off = np.abs(pack(problem.flow(w, 5.0, rtol=rtol).final) - exact).max()
    assert off < 300 * rtol


def test_identity_is_the_flow_of_the_linear_network(net, generic):
    linear = tw.Problem.from_data(*generic, widths=(4,))
    problem = net(generic, "identity")
    w = problem.start(0.5, rng=1)
    one, two = problem.flow(w), tw.flow(linear, w)
    assert one.status == two.status == "limit"
    np.testing.assert_allclose(pack(one.final), pack(two.final), atol=1e-5)
    best = two.limit.verdict.loss + linear.irreducible_loss
    assert one.limit.loss == pytest.approx(best, rel=1e-10)


@pytest.mark.torch
def test_gradient_descent_converges_to_the_flow_with_order_one(net, generic):
    torch = pytest.importorskip("torch")
    problem = net(generic, "tanh")
    start = problem.start(0.5, rng=6)
    goal = pack(problem.flow(start, 1.0, rtol=1e-11).final)
    x, y = (torch.tensor(item) for item in generic)
    off = []
    for steps in (200, 400, 800):
        w = [torch.nn.Parameter(torch.tensor(item)) for item in start]
        optimizer = torch.optim.SGD(w, lr=1.0 / steps)
        for _ in range(steps):
            optimizer.zero_grad()
            (0.5 * ((y - torch.tanh(x @ w[0].T) @ w[1].T) ** 2).sum()).backward()
            optimizer.step()
        off.append(np.linalg.norm(pack([item.detach().numpy() for item in w]) - goal))
    assert off[0] / off[1] == pytest.approx(2.0, abs=0.1)
    assert off[1] / off[2] == pytest.approx(2.0, abs=0.1)


def test_mean_loss_only_rescales_time(net, generic):
    w = net(generic, "tanh").start(0.5, rng=1)
    total = net(generic, "tanh").flow(w, 1.0, rtol=1e-10)
    mean = net(generic, "tanh", loss="mean").flow(w, 12.0, rtol=1e-10)
    np.testing.assert_allclose(pack(total.final), pack(mean.final), atol=1e-7)


def test_samples_in_columns_are_the_same_problem(net, generic):
    x, y = generic
    one = net(generic, "relu")
    two = net((x.T, y.T), "relu", samples="columns")
    w = one.start(0.5, rng=1)
    assert one.loss(w) == two.loss(w)
    assert one.dims == two.dims == (3, 4, 2)


@pytest.mark.parametrize("activation", ["tanh", "relu", "leaky_relu"])
def test_limits_are_critical_with_their_inertia(net, orthogonal, activation):
    problem = net(orthogonal, activation)
    run = problem.flow(problem.start(0.6, rng=1))
    assert run.status == "limit"
    limit = run.limit
    assert limit.decided
    assert limit.relative_gradient < 1e-9
    assert limit.gradient_norm == pytest.approx(run.gradient_norm[-1], rel=1e-6)
    assert sum(limit.inertia) == limit.dimension
    assert limit.inertia[0] == 0
    assert limit.kind == "no_descent"
    assert "not proved" in run.message
    # With relu a sample at which every unit is off is never learned.
    assert limit.loss < 1e-12 or activation == "relu"


def test_inertia_of_a_strict_minimum_is_that_of_the_dense_hessian():
    """One unit, no symmetry but the sign: a strict minimum."""
    x = np.linspace(-2.0, 2.0, 9)[:, np.newaxis]
    problem = tw.nonlinear.ShallowProblem(x, np.sin(x), 1)
    run = problem.flow([np.array([[0.3]]), np.array([[0.7]])])
    assert run.status == "limit"
    assert run.limit.kind == "strict_minimum"
    assert run.limit.inertia == (0, 0, 2)
    assert np.linalg.eigvalsh(problem.hessian(run.final).to_dense()).min() > 1e-3


def test_a_critical_start_is_its_limit():
    problem = tw.nonlinear.ShallowProblem(np.eye(2), np.eye(2), 3)
    run = problem.flow([np.zeros((3, 2)), np.zeros((2, 3))])
    assert run.status == "limit"
    assert run.limit.kind == "strict_saddle"
    assert run.limit.gradient_norm == 0.0
    assert len(run.t) == 1


def test_a_saddle_that_is_passed_is_no_limit():
    """A start next to the origin, a strict saddle: slow at first, and the gradient tiny."""
    problem = tw.nonlinear.ShallowProblem(np.eye(2), np.diag([2.0, 1.0]), 3)
    run = problem.flow(problem.start(1e-9, rng=0))
    assert run.gradient_norm[0] < 1e-8
    assert run.status == "limit"
    assert run.limit.loss < 1e-12
    assert problem.flow(problem.start(1e-9, rng=0), 0.5).limit.decided is False


def test_slow_runs_end_at_the_horizon(net, generic):
    problem = net(generic, "tanh")
    w = problem.start(0.5, rng=0)
    for run in (problem.flow(w, 1.0), problem.flow(w, max_steps=30)):
        assert run.status == "horizon"
        assert not run.limit.decided
        assert run.limit.kind == "unknown"
    assert "budget" in run.message


def test_an_output_that_cannot_be_reached_never_arrives():
    """``tanh`` cannot output 1: the weights grow for ever, which the run does not call a limit."""
    problem = tw.nonlinear.ShallowProblem([[1.0]], [1.0], 1, "tanh", "tanh")
    run = problem.flow([np.array([[0.5]]), np.array([[0.5]])], max_steps=3000)
    assert run.status == "horizon"
    assert run.loss[-1] < 1e-3
    grown = [float(np.abs(item).max()) for item in run.final]
    assert min(grown) > 1.0


def test_results_speak_json_text_and_pictures(net, generic, orthogonal):
    for data, activation in ((generic, "relu"), (generic, "tanh"), (orthogonal, "arctan")):
        problem = net(data, activation)
        run = problem.flow(problem.start(0.5, rng=1), 1.0)
        document = json.loads(json.dumps(run.to_dict(), allow_nan=False))
        assert document["type"] == "ShallowTrajectory"
        assert document["law"]["holds"] is (activation != "tanh")
        assert document["limit"]["type"] == "ShallowLimit"
        assert len(repr(run).splitlines()) <= 12
        assert "<table>" in run._repr_html_()
        assert "<table>" in problem._repr_html_()
        assert json.dumps(problem.to_dict(), allow_nan=False)
        axes = {ax.get_label(): ax for ax in run.plot().axes}
        assert list(axes) == ["loss", "drift", "norms"]
        line = axes["loss"].lines[0]
        np.testing.assert_array_equal(line.get_ydata(), run.loss)
        assert len(axes["drift"].lines) == (1 if activation == "tanh" else 2)
        assert not run.t.flags.writeable


def test_times_outside_the_run_and_wrong_input(net, generic):
    problem = net(generic, "tanh")
    run = problem.flow(problem.start(0.5, rng=1), 1.0)
    for t in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="t"):
            run.weights_at(t)
    x, y = generic
    wrong = [
        (lambda: net((x, y[:5]), "tanh"), "12 samples and Y has 5"),
        (lambda: net(generic, "swish"), "unknown activation"),
        (lambda: net(generic, "tanh", output_activation="relu"), "has a kink"),
        (lambda: net(generic, "tanh", 0), "positive integer"),
        (lambda: net(generic, "tanh", samples="cols"), "rows or columns"),
        (lambda: net(generic, "tanh", loss="max"), "sum or mean"),
        (lambda: net(generic, "leaky_relu", negative_slope=1.0), "identity"),
        (lambda: net(generic, "leaky_relu", negative_slope=-0.1), "negative_slope"),
        (lambda: problem.flow([np.ones((2, 2))]), "shapes"),
        (lambda: problem.flow(run.start, -1.0), "t_end"),
        (lambda: problem.flow(run.start, rtol=1.0), "rtol"),
        (lambda: problem.flow(run.start, max_steps=0), "max_steps"),
    ]
    for call, words in wrong:
        with pytest.raises(ValueError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_progress_is_told(net):
    rng = np.random.default_rng(0)
    problem = net((rng.normal(size=(40, 4)), rng.normal(size=(40, 1))), "relu", 6)
    told = []
    problem.flow(problem.start(0.3, rng=0), 1.0, progress=lambda *item: told.append(item))
    assert all(len(item) == 3 for item in told)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_targets_of_zero_are_arrived_at(activation):
    X = np.random.default_rng(0).normal(size=(6, 3))
    net = tw.nonlinear.ShallowProblem(X, np.zeros((6, 2)), hidden=4, activation=activation)
    run = net.flow(net.start(0.5, rng=1))
    assert run.status == "limit", run.message
    assert run.loss[-1] < 1e-18 * run.loss[0]
