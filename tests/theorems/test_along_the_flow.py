"""Laws along computed trajectories (Spec 2.2, 2.4, 3.1-3.4) and what happens without them."""

import itertools

import numpy as np
import pytest

import thalweg as tw

PROBLEMS = {
    "P1": ((5, 5, 5), (4, 3, 2.2, 1.5, 1), 0.1, 60.0),
    "P2": ((10, 8, 8, 5), (5, 3.5, 2.5, 1.5, 0.7), 1e-2, 400.0),
    "P3": ((6,) * 6, (4, 3, 2.2, 1.6, 1.2, 0.8), 0.3, 2000.0),
    "P7": ((6, 6, 6), (1, 0.3, 0.1, 0.03, 0.01, 0.001), 0.1, 20000.0),
}


@pytest.fixture(scope="module", params=PROBLEMS)
def run(request):
    dims, sigma, scale, t_end = PROBLEMS[request.param]
    p = tw.Problem.from_target(sigma, dims=dims)
    return tw.flow(p, tw.init.gaussian(p, scale=scale, rng=0), t_end=t_end)


def test_drift_is_at_rounding(run):
    assert run.drift.max() <= 1e-12
    start = [w.astype(np.longdouble) for w in run.start]
    for t in np.concatenate([run.t[:: len(run.t) // 7], 0.37 * run.t[-1:]]):
        now = run.weights_at(float(t))
        for (a, b), (c, d) in zip(itertools.pairwise(start), itertools.pairwise(now), strict=True):
            before, after = b.T @ b - a @ a.T, d.T @ d - c @ c.T
            size = max(np.linalg.norm(a.astype(float), 2), np.linalg.norm(b.astype(float), 2)) ** 2
            assert np.linalg.norm((after - before).astype(float), 2) <= 1e-12 * size


def test_loss_never_increases(run):
    assert np.all(np.diff(run.loss) <= 1e-13 * run.loss[0])


@pytest.mark.parametrize("name", PROBLEMS)
def test_loss_lost_is_the_integral_of_the_squared_gradient(name):
    dims, sigma, scale, t_end = PROBLEMS[name]
    p = tw.Problem.from_target(sigma, dims=dims)
    run = tw.flow(p, tw.init.gaussian(p, scale=scale, rng=0), t_end=t_end, rtol=2e-7)
    nodes, weights = np.polynomial.legendre.leggauss(5)
    total, end = 0.0, int(np.sum(run.reducible_loss > 1e-9 * run.loss[0]))
    for begin, stop in itertools.pairwise(run.t[:end]):
        for x, weight in zip(nodes, weights, strict=True):
            t = float(begin + 0.5 * (x + 1) * (stop - begin))
            gradient = run.problem.gradient(run.weights_at(t))
            total += 0.5 * (stop - begin) * weight * sum(float(np.sum(g**2)) for g in gradient)
    assert total == pytest.approx(run.loss[0] - run.loss[end - 1], rel=1e-6)


def networks(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        depth = int(rng.integers(2, 5))
        dims = tuple(int(n) for n in rng.integers(1, 6, size=depth + 1))
        T = rng.normal(size=(dims[-1], dims[0]))
        D = rng.uniform(0.4, 2.0, dims[0])
        p = tw.Problem.from_target(T, dims=dims, D=D)
        yield p, tw.init.gaussian(p, scale=float(rng.choice([0.1, 0.5, 1.2])), rng=rng)


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.slow)])
def test_bounds_and_rates_hold_on_random_networks(count):
    rated = 0
    for p, w in networks(count, seed=count):
        run = tw.flow(p, w, t_end=5.0, rtol=1e-6)
        begin = tw.certify(p, w)
        for certificate in (begin, run.certificate):
            after = run.t >= certificate.time
            norms = run.layer_norms[after]
            assert np.all(norms <= certificate.norm_bounds * (1 + 1e-6))
            if certificate.rate > 0:
                rated += 1
                bound = certificate.loss_bound(run.t[after])
                assert np.all(run.reducible_loss[after] <= bound * (1 + 1e-5) + 1e-12)
        if begin.converges_to_global:
            assert tw.flow(p, w, rtol=1e-6).limit.verdict.kind == "global_minimum"
    assert rated > count / 10


def test_no_rate_is_claimed_where_two_negative_factors_multiply():
    # Both C_j have a negative eigenvalue where a positive one is needed; the product is positive.
    # With three inputs and width two no other layer can be the pivot.
    p = tw.Problem.from_target(np.diag([2.0, 1.0, 0.0])[:2] + 0.1, dims=(3, 2, 2, 2))
    w = [3.0 * np.eye(2, 3), np.eye(2), np.diag([2.0, 0.5])]
    assert all(np.linalg.eigvalsh(c).min() < 0 for c in tw.invariants(w))
    c = tw.certify(p, w)
    by_start = [item for item in c.hypotheses if "keeps full rank" in item.name]
    assert len(by_start) == 2
    assert not any(item.holds for item in by_start)
    assert c.rule != "remark-2"


def test_a_start_above_the_next_critical_value_is_not_certified():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    saddle = [np.diag([np.sqrt(2.0), 0.0]), np.diag([np.sqrt(2.0), 0.0])]
    assert p.reducible_loss(saddle) == pytest.approx(0.5)
    assert tw.certify(p, saddle).converges_to_global is None
    assert tw.flow(p, saddle).limit.verdict.kind == "strict_saddle"


def test_same_input_same_bits():
    p = tw.Problem.from_target([3.0, 1.0], dims=(4, 3, 2))
    w = tw.init.gaussian(p, scale=0.3, rng=1)
    one, two = tw.flow(p, w), tw.flow(p, w)
    assert np.array_equal(one.t, two.t)
    assert np.array_equal(one.loss, two.loss)
    assert all(np.array_equal(a, b) for a, b in zip(one.final, two.final, strict=True))


def test_compression_does_not_change_the_flow():
    # Spec 1.5: width 40 for a start that spans 7 hidden directions, against itself uncompressed
    # by widening every layer's span.
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 40, 3))
    w = tw.init.gaussian(p, scale=0.2, rng=0)
    run = tw.flow(p, w, t_end=0.8, rtol=1e-10)
    assert max(run.stats["compressed_dims"]) < 40
    flat = np.concatenate([item.ravel() for item in w])

    def slope(_, y):
        layers = [y[:160].reshape(40, 4), y[160:].reshape(3, 40)]
        return -np.concatenate([g.ravel() for g in p.gradient(layers)])

    from scipy.integrate import solve_ivp

    end = solve_ivp(slope, (0, 0.8), flat, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    ours = np.concatenate([item.ravel() for item in run.final])
    np.testing.assert_allclose(ours, end, atol=1e-8)


def test_times_outside_the_run_are_refused():
    p = tw.Problem.from_target([3.0, 1.0], dims=(4, 3, 2))
    run = tw.flow(p, tw.init.gaussian(p, rng=0), t_end=1.0)
    assert run.status == "horizon"
    assert run.t[-1] == 1.0
    for t in (1.0001, -0.1, float("nan")):
        with pytest.raises(ValueError, match="t "):
            run.weights_at(t)
