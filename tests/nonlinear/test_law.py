"""Lemma 5 on orthogonal samples, Remark 4 on any, and what happens elsewhere (Spec 6.2, 6.3)."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import thalweg as tw
from thalweg.network import pack, unpack

SIGMOIDS = ("tanh", "arctan", "logistic", "softsign", "erf")
HOMOGENEOUS = ("relu", "leaky_relu", "identity")


def rate_of_change(problem, w):
    """Derivative of the invariants along minus the gradient, by differences of high order."""
    y, slope = pack(w), -pack(problem.gradient(w))
    h = 1e-3 / max(np.abs(slope).max(), 1.0)
    total = np.zeros(problem.hidden)
    for k, c in ((1, 4 / 5), (2, -1 / 5), (3, 4 / 105), (4, -1 / 280)):
        ahead, behind = (
            problem.invariants(unpack(y + s * k * h * slope, problem.dims)) for s in (1, -1)
        )
        total += c * (ahead - behind)
    return total / h


@pytest.mark.parametrize("output", [None, "tanh", "arctan"])
@pytest.mark.parametrize("activation", SIGMOIDS)
def test_lemma_5_along_the_gradient(net, orthogonal, activation, output):
    problem = net(orthogonal, activation, output_activation=output)
    assert problem.law.holds
    for seed in range(5):
        rate = rate_of_change(problem, problem.start(0.5, rng=seed))
        np.testing.assert_allclose(rate, 0.0, atol=1e-9)


@pytest.mark.parametrize("activation", SIGMOIDS)
def test_lemma_5_needs_orthogonal_samples(net, generic, activation):
    problem = net(generic, activation)
    assert not problem.law.holds
    rates = [np.abs(rate_of_change(problem, problem.start(0.5, rng=seed))) for seed in range(5)]
    assert min(rate.max() for rate in rates) > 1e-2


@pytest.mark.parametrize("output", [None, "erf"])
@pytest.mark.parametrize("activation", HOMOGENEOUS)
def test_remark_4_along_the_gradient_of_any_data(net, generic, activation, output):
    problem = net(generic, activation, output_activation=output)
    assert problem.law.holds
    for seed in range(5):
        rate = rate_of_change(problem, problem.start(0.5, rng=seed))
        np.testing.assert_allclose(rate, 0.0, atol=1e-8)


@pytest.mark.parametrize("activation", SIGMOIDS)
def test_difference_of_squares_is_no_law_of_sigmoids(net, orthogonal, activation):
    """Remark 4's quantity needs the homogeneous activation that it is stated for."""
    problem = net(orthogonal, activation)
    w = problem.start(1.0, rng=0)
    one, two = problem.gradient(w)
    rate = 2 * np.sum(w[1] * two, axis=0) - 2 * np.sum(w[0] * one, axis=1)
    assert np.abs(rate).max() > 1e-2


@pytest.mark.parametrize("data", ["identity", "orthogonal"])
@pytest.mark.parametrize("activation", [*SIGMOIDS, *HOMOGENEOUS])
def test_flow_conserves_on_orthogonal_samples(net, orthogonal, activation, data):
    x, y = orthogonal
    problem = net((np.eye(4) if data == "identity" else x, y), activation)
    for seed in range(2):
        run = problem.flow(problem.start(0.6, rng=seed), 15.0, rtol=1e-10)
        assert run.loss[-1] < run.loss[0]
        assert run.raw_drift.max() < 1e-9
        assert run.drift.max() < 1e-13
        first = problem.invariants(run.start)
        for w in (run.final, run.weights_at(3.3)):
            np.testing.assert_allclose(problem.invariants(w), first, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_flow_conserves_over_many_kinks_of_any_data(net, activation):
    rng = np.random.default_rng(5)
    data = rng.normal(size=(40, 3)) + 0.5, rng.normal(size=(40, 1))
    problem = net(data, activation, 6)
    run = problem.flow(problem.start(0.5, rng=2), 5.0, rtol=1e-10)
    assert run.kinks_crossed > 25
    assert run.kinks_held > 5
    assert run.raw_drift.max() < 1e-9
    assert run.drift.max() < 1e-13


def reference_drift(problem, w, t_end):
    """The same quantity from SciPy's integrator at 1e-12, formulas written out for tanh."""
    x, y = problem._x, problem._y
    h, d = w[0].shape

    def field(_, flat):
        one, two = flat[: h * d].reshape(h, d), flat[h * d :].reshape(-1, h)
        s = np.tanh(one @ x)
        m = y - two @ s
        return np.concatenate([(((1 - s**2) * (two.T @ m)) @ x.T).ravel(), (m @ s.T).ravel()])

    def q(flat):
        one, two = flat[: h * d].reshape(h, d), flat[h * d :].reshape(-1, h)
        sums = 2 * (0.5 * np.sinh(one @ x) ** 2 / np.sum(x**2, axis=0)).sum(axis=1)
        return (two**2).sum(axis=0), sums

    done = solve_ivp(field, (0, t_end), pack(w), method="DOP853", rtol=1e-12, atol=1e-14)
    (a, b), (c, e) = q(done.y[:, 0]), q(done.y[:, -1])
    return np.abs((c - e) - (a - b)).max() / max(a.max(), b.max())


@pytest.mark.parametrize(("seed", "t_end"), [(0, 0.5), (0, 4.0), (1, 4.0)])
def test_drift_on_generic_data_is_what_an_independent_integration_says(net, generic, seed, t_end):
    problem = net(generic, "tanh")
    w = problem.start(0.5, rng=seed)
    run = problem.flow(w, t_end, rtol=1e-11)
    exact = reference_drift(problem, w, t_end)
    assert exact > 0.1
    assert run.drift[-1] == pytest.approx(exact, rel=1e-6)
    np.testing.assert_array_equal(run.drift, run.raw_drift)


def test_drift_on_generic_data_can_be_large(net, generic):
    problem = net(generic, "tanh")
    run = problem.flow(problem.start(0.5, rng=0), 10.0)
    assert run.drift[-1] > 10.0


def test_weights_are_put_right_only_where_it_is_a_law(net, generic):
    problem = net(generic, "tanh")
    w = problem.start(0.5, rng=0)
    run = problem.flow(w, 1.0, rtol=1e-11)
    done = solve_ivp(
        lambda _, y: -pack(problem.gradient(unpack(y, problem.dims))),
        (0, 1.0),
        pack(w),
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
    )
    np.testing.assert_allclose(pack(run.final), done.y[:, -1], atol=1e-9)


def test_law_says_how_far_the_samples_are_from_orthogonal():
    x = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])
    law = tw.nonlinear.ShallowProblem(x, np.ones(4), 2).law
    assert not law.holds
    assert law.largest_cosine == pytest.approx(np.sqrt(0.5), rel=1e-15)
    assert law.samples == (1, 2)
    assert "0.707" in law.message
    assert "samples 1 and 2" in law.message
    assert tw.nonlinear.ShallowProblem(x[[0, 1, 3]], np.ones(3), 2).law.holds
    assert tw.nonlinear.ShallowProblem(x[:1], [1.0], 2).law.holds


@pytest.mark.parametrize("tilt", [1e-12, 1e-8, 1e-3])
def test_nearly_orthogonal_is_not_orthogonal(tilt):
    x = np.array([[1.0, 0.0], [tilt, 1.0]])
    law = tw.nonlinear.ShallowProblem(x, [1.0, 2.0], 2).law
    assert not law.holds
    assert law.largest_cosine == pytest.approx(tilt, rel=1e-6)


def test_homogeneous_laws_do_not_look_at_the_data(net, generic):
    for activation in HOMOGENEOUS:
        law = net(generic, activation).law
        assert law.holds
        assert law.largest_cosine is None
        assert "any data" in law.message
        assert "not proved" in law.boundedness


def test_zero_samples_change_nothing(net, orthogonal):
    x, y = orthogonal
    more = np.vstack([x, np.zeros(4)]), np.vstack([y, [[5.0, 5.0]]])
    problem, other = net(orthogonal, "tanh"), net(more, "tanh")
    w = problem.start(0.5, rng=1)
    np.testing.assert_array_equal(problem.invariants(w), other.invariants(w))
    assert other.law.holds
    run = other.flow(w, 3.0, rtol=1e-10)
    np.testing.assert_allclose(
        pack(run.final), pack(problem.flow(w, 3.0, rtol=1e-10).final), atol=1e-8
    )


def test_invariants_of_the_article_for_identity_data():
    rng = np.random.default_rng(0)
    w = [rng.normal(size=(3, 2)), rng.normal(size=(2, 3))]
    problem = tw.nonlinear.ShallowProblem(np.eye(2), rng.normal(size=(2, 2)), 3, "arctan")
    sigma = (w[0] + w[0] ** 3 / 3) * np.arctan(w[0]) - w[0] ** 2 / 6 - np.log(1 + w[0] ** 2) / 3
    expected = np.diag(w[1].T @ w[1]) - 2 * sigma.sum(axis=1)
    np.testing.assert_allclose(problem.invariants(w), expected, rtol=1e-13)


def test_overflow_of_sigma_is_refused_and_leaves_the_flow_alone():
    problem = tw.nonlinear.ShallowProblem(np.eye(2), np.ones((2, 1)), 1)
    w = [np.array([[400.0, 0.1]]), np.array([[0.5]])]
    with pytest.raises(tw.DataError, match="reaches 400"):
        problem.invariants(w)
    run = problem.flow(w, 1.0)
    assert np.isnan(run.drift).all()
    assert run.to_dict()["drift"][0] is None
    assert "nan" in repr(run)
