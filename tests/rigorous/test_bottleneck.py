"""The rate near the best value of a bottleneck, proved and checked again."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.rigorous import certify_rigorous

DIMS = [(3, 1, 2), (4, 3, 2, 3), (3, 1, 3, 3), (2, 1, 4)]


def near_best(dims, rng, noise=0.02):
    count = min(dims[0], dims[-1])
    sigma = np.sort(rng.uniform(1.0, 4.0, count))[::-1]
    sigma[min(dims) :] *= 0.3
    T = np.zeros((dims[-1], dims[0]))
    np.fill_diagonal(T, sigma)
    p = tw.Problem.from_target(T, dims=dims, D=rng.uniform(0.7, 1.4, dims[0]))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.7, rng=rng))
    return p, [item + noise * rng.normal(size=item.shape) for item in run.final]


def test_agrees_with_floating_point_and_is_never_larger():
    rng = np.random.default_rng(0)
    proved = 0
    for dims in DIMS * 5:
        p, w = near_best(dims, rng)
        plain, exact = tw.certify(p, w), certify_rigorous(p, w)
        assert (exact.rate > 0.0) == (plain.rate > 0.0)
        assert exact.rate <= plain.rate * (1 + 1e-9)
        if exact.rate > 0.0:
            proved += 1
            assert exact.rule == "anytime"
            assert exact.converges_to_global is True
            assert exact.least_loss == pytest.approx(plain.least_loss, rel=1e-9)
            assert exact.least_loss >= 0.5 * np.sum(p.singular_values[min(dims) :] ** 2) * (
                1 - 1e-15
            )
    assert proved >= 10


def test_excess_stays_below_the_envelope():
    rng = np.random.default_rng(1)
    for dims in DIMS:
        p, w = near_best(dims, rng, noise=0.01)
        c = certify_rigorous(p, w)
        assert c.rate > 0.0
        run = tw.flow(p, w, t_end=min(3.0 / c.rate, 50.0), rtol=1e-12)
        allowed = np.asarray(c.loss_bound(run.t)) * (1 + 1e-11)
        assert np.all(run.reducible_loss <= allowed)
        assert c.loss_bound(np.inf) == c.least_loss
        assert c.time_to_reach(c.least_loss) == np.inf
        half = 0.5 * (c.least_loss + c.reducible_loss)
        assert c.loss_bound(c.time_to_reach(half)) <= half * (1 + 1e-12)


def test_far_from_the_best_value_nothing_is_claimed():
    rng = np.random.default_rng(2)
    for dims in DIMS:
        p, _ = near_best(dims, rng)
        c = certify_rigorous(p, tw.init.gaussian(p, scale=0.05, rng=rng))
        assert (c.rate, c.rule) == (0.0, "none")
        told = {item.name: item.holds for item in c.hypotheses}
        assert told["bottleneck: the excess loss is below a quarter of the gap"] is False


def test_a_quarter_of_the_gap_exactly_is_not_enough():
    # sigma = (2, 1), r = 1: E < 3/4 is needed, and P = diag(2 - e, 0) has E = e^2 / 2.
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 1, 2))

    def at(e):
        return certify_rigorous(p, [np.array([[1.0, 0.0]]), np.array([[2.0 - e], [0.0]])])

    root = np.sqrt(1.5)
    assert at(root - 1e-9).rate > 0.0
    for e in (root + 1e-12, root + 1e-6, 1.25):
        assert at(e).rate == 0.0
