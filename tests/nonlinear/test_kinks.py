"""Crossing kinks, and staying on them where both sides lead back."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import thalweg as tw
from thalweg.network import pack, unpack

# One unit of two inputs: two samples pull it over the kink of the third, which pushes back.
X = np.array([[0.7, 0.3], [2.7, -1.0], [-1.6, 1.0]])
Y = np.array([[2.0], [-1.1], [-0.2]])
START = [np.array([[0.2, 0.5]]), np.array([[1.0]])]


def smoothed(problem, w, t_end, width):
    """The flow with ``relu`` replaced by ``(z + sqrt(z^2 + width^2)) / 2``, by SciPy."""
    x, y, low = problem._x, problem._y, problem.activation.left

    def field(_, flat):
        one, two = unpack(flat, problem.dims)
        z = one @ x
        root = np.sqrt(z * z + width * width)
        s = low * z + (1 - low) * 0.5 * (z + root)
        d = low + (1 - low) * 0.5 * (1 + z / root)
        m = y - two @ s
        return pack([(d * (two.T @ m)) @ x.T, m @ s.T])

    done = solve_ivp(field, (0, t_end), pack(w), method="LSODA", rtol=1e-9, atol=1e-11)
    return done.y[:, -1]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_flow_is_the_limit_of_smoothed_networks(net, activation, seed):
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    problem = net(data, activation, 3)
    w = problem.start(0.6, rng=seed)
    run = problem.flow(w, 2.0, rtol=1e-10)
    assert run.kinks_crossed + run.kinks_held >= 2
    off = [np.abs(smoothed(problem, w, 2.0, e) - pack(run.final)).max() for e in (1e-2, 1e-3, 1e-4)]
    assert off[2] < 2e-3
    assert off[2] < 0.35 * off[1] < 0.35 * off[0]


def test_without_kinks_the_piece_goes_the_wrong_way(net, generic, monkeypatch):
    """Negative control: one smooth piece continued over its kinks is another flow."""
    problem = net(generic, "relu")
    w = problem.start(0.5, rng=1)
    right = problem.flow(w, 2.0)
    assert right.kinks_crossed > 5
    monkeypatch.setattr(
        "thalweg.nonlinear._kinks.KinkGuard.__call__",
        lambda self, *_: (np.ones(self._sign.size), np.zeros(self._sign.size)),
    )
    wrong = problem.flow(w, 2.0)
    assert np.abs(pack(wrong.final) - pack(right.final)).max() > 1e-2


def held_run():
    problem = tw.nonlinear.ShallowProblem(X, Y, 1, "relu")
    return problem, problem.flow(START, 30.0, rtol=1e-10)


def test_a_kink_holds_the_trajectory():
    problem, run = held_run()
    assert run.kinks_held >= 1
    (w1, _) = run.final
    z = w1 @ X.T
    on = np.abs(z[0]) < 1e-12
    assert on.sum() == 1
    k = int(np.flatnonzero(on)[0])
    # The velocity is the one element of the Clarke subdifferential that stays on the kink.
    second = run.final[1]
    error = Y.T - second @ np.maximum(z, 0.0)
    push = (second.T @ error)[0]
    rest = sum(push[j] * X[j] for j in range(3) if j != k and z[0, j] > 0)
    theta = -(rest @ X[k]) / (push[k] * X[k] @ X[k])
    assert 0.5 < theta < 0.9
    both = [(rest + side * push[k] * X[k]) @ X[k] for side in (0.0, 1.0)]
    assert both[0] > 0.0 > both[1]
    assert run.limit.touching == 1
    assert run.limit.dimension == 2
    assert problem.flow(START, rtol=1e-10).status == "limit"


def test_laws_hold_while_a_kink_holds():
    _, run = held_run()
    assert run.raw_drift.max() < 1e-10


def test_subgradient_descent_chatters_around_the_held_kink():
    """Explicit Euler with small steps ends at the same place, zigzagging over the kink."""
    problem, run = held_run()
    w = [item.copy() for item in START]
    signs = []
    for _ in range(30_000):
        w = [a - 1e-3 * b for a, b in zip(w, problem.gradient(w), strict=True)]
        signs.append(np.sign((w[0] @ X.T)[0]))
    np.testing.assert_allclose(pack(w), pack(run.final), atol=3e-2)
    k = int(np.argmin(np.abs(run.final[0] @ X.T)))
    late = np.array(signs[-2000:])[:, k]
    assert np.sum(late[1:] != late[:-1]) > 100


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_start_on_kinks(net, generic, activation):
    """A zero row lies on every kink; the slope there is the left one until the unit moves off."""
    problem = net(generic, activation)
    w = problem.start(0.5, rng=3)
    w[0][1] = 0.0
    run = problem.flow(w, 3.0)
    assert run.status == "horizon"
    assert run.raw_drift.max() < 1e-7
    moved = np.abs(run.final[0][1]).max()
    assert moved == 0.0 if activation == "relu" else moved > 1e-3


def test_equal_samples_cross_together(net):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 1))
    doubled = net((np.vstack([x, x]), np.vstack([y, y])), "relu", 3, loss="mean")
    single = net((x, y), "relu", 3, loss="mean")
    w = single.start(0.7, rng=1)
    one, two = single.flow(w, 20.0, rtol=1e-9), doubled.flow(w, 20.0, rtol=1e-9)
    assert one.kinks_crossed > 0
    np.testing.assert_allclose(pack(one.final), pack(two.final), atol=1e-6)
    assert two.status == "horizon"


def test_dense_output_across_kinks(net, generic):
    problem = net(generic, "relu")
    w = problem.start(0.5, rng=1)
    run = problem.flow(w, 2.0, rtol=1e-10)
    for t in (0.21, 0.777, 1.5):
        shorter = problem.flow(w, t, rtol=1e-10)
        np.testing.assert_allclose(pack(run.weights_at(t)), pack(shorter.final), atol=1e-7)
    assert len(run.kink_times) == run.kinks_crossed + run.kinks_held + run.stats["released"]
    assert np.all(np.diff(run.kink_times) >= 0)
    assert np.all(np.diff(run.loss) <= 1e-10)
