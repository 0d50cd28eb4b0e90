"""Rates once the loss is low: first layer, last layer, bottleneck (Spec 3.3, 3.4)."""

import math

import numpy as np
import pytest

import thalweg as tw
from thalweg.certificate import Certificate, norm_bounds


def rate_with(p, w, bounds):
    """Spec 3.3 by hand, for the whitened case and given bounds."""
    M = 2.0 * np.eye(2, 3) - w[1] @ w[0]
    return (p.singular_values[-1] - np.linalg.norm(M)) ** 2 / bounds[0] ** 2


def test_the_constant_of_the_specification_is_reached():
    p = tw.Problem.from_target(np.eye(2, 3) * 2.0, dims=(3, 3, 2))
    w = [np.eye(3) * 1.2, np.eye(2, 3) * 1.2]
    c = tw.certify(p, w)
    assert c.rule == "anytime"
    T, D = p.flow_data()
    assert c.rate >= rate_with(p, w, norm_bounds(p.reduce(w), T, D)) * (1 - 1e-9)
    assert c.rate == pytest.approx(rate_with(p, w, c.flow_norm_bounds), rel=1e-2)


def test_more_targets_than_inputs_are_certified_from_the_last_layer():
    p = tw.Problem.from_target([2.0, 1.5], dims=(2, 3, 4))
    w = [np.eye(3, 2) * 1.2, np.eye(4, 3) * 1.2]
    c = tw.certify(p, w)
    assert c.rule == "anytime"
    run = tw.flow(p, w, t_end=8.0, rtol=1e-11)
    assert np.all(run.reducible_loss <= c.loss_bound(run.t) * (1 + 1e-9) + 1e-18)


def test_the_metric_may_not_be_forgotten():
    """Along the slow input the loss decays like min(D)^2: a rate without it is wrong."""
    p = tw.Problem.from_target(np.diag([2.0, 1.0]), dims=(2, 2, 2), D=[1.0, 0.1])
    w = [np.diag([1.4, 3.1]), np.diag([1.4, 3.1])]
    c = tw.certify(p, w)
    run = tw.flow(p, w, t_end=30.0, rtol=1e-12)
    assert c.rule == "anytime"
    assert np.all(run.reducible_loss <= c.loss_bound(run.t) * (1 + 1e-9) + 1e-18)
    # The true exponent: both layers move along the second direction, |w|^2 D^2 each.
    loss, t = run.reducible_loss, run.t
    seen = math.log(loss[0] / loss[t <= 5.0][-1]) / (2.0 * t[t <= 5.0][-1])
    assert c.rate <= seen
    assert seen < 1.0


def test_certificate_of_later_weights_does_not_hold_before():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 3, 2))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.05, rng=0))
    c = run.certificate
    # The loss at the point with the time of the start would be violated.
    assert run.reducible_loss[0] > c.reducible_loss
    point = run.weights_at(c.time)
    assert p.reducible_loss(point) == pytest.approx(c.reducible_loss, rel=1e-9)
    assert np.isnan(c.loss_bound(0.0))


def low_rank_near(rng, sigma, shape, r, size):
    T = np.zeros(shape)
    np.fill_diagonal(T, sigma)
    left = np.vstack([np.eye(r), np.zeros((shape[0] - r, r))]) + size * rng.normal(
        size=(shape[0], r)
    )
    right = np.hstack([np.eye(r), np.zeros((r, shape[1] - r))]) + size * rng.normal(
        size=(r, shape[1])
    )
    return T, left @ np.diag(sigma[:r]) @ right


def test_the_excess_is_bounded_by_what_the_gradient_sees():
    """Section 5 (i) of docs/certificates.md, on random matrices and without any code of ours."""
    rng = np.random.default_rng(0)
    count, tightest = 0, 0.0
    for _ in range(4000):
        shape = tuple(int(n) for n in rng.integers(2, 6, 2))
        r = int(rng.integers(1, min(shape)))
        sigma = np.sort(rng.uniform(0.0, 3.0, min(shape)))[::-1]
        T, Q = low_rank_near(rng, sigma, shape, r, 10 ** rng.uniform(-3.0, 0.0))
        M, gap = T - Q, sigma[r - 1] ** 2 - sigma[r] ** 2
        excess = 0.5 * (np.sum(M**2) - np.sum(sigma[r:] ** 2))
        if not 1e-12 < excess < 0.25 * gap:
            continue
        count += 1
        U, values, V = np.linalg.svd(Q)
        U, V = U[:, :r], V[:r].T
        seen = np.sum((U.T @ M) ** 2) + np.sum((M @ V) ** 2) - np.sum((U.T @ M @ V) ** 2)
        limit = 1.0 + (sigma[0] ** 2 + sigma[r] ** 2 + 2 * excess) / (gap - 4 * excess)
        tightest = max(tightest, 2 * excess / (limit * seen))
        assert 2 * excess <= limit * seen
        assert values[r - 1] >= sigma[r - 1] - np.sqrt(2 * excess) - 1e-12
    assert count > 1000
    assert tightest > 0.5


@pytest.mark.parametrize("D", [None, (1.0, 0.7, 0.5)])
def test_a_bottleneck_has_a_rate_near_its_best_value(D):
    rng = np.random.default_rng(3)
    T = rng.normal(size=(3, 3))
    p = tw.Problem.from_target(T, dims=(3, 2, 3), D=D)
    run = tw.flow(p, tw.init.gaussian(p, scale=0.3, rng=1), t_end=200.0, rtol=1e-11)
    c = run.certificate
    assert c.rule == "anytime"
    assert c.least_loss == pytest.approx(p.critical_value(range(2)), rel=1e-12)
    assert c.least_loss > 0.0
    assert c.converges_to_global is True
    after = run.t >= c.time
    bound = c.loss_bound(run.t[after])
    assert np.all(run.reducible_loss[after] <= bound * (1 + 1e-9))
    assert c.loss_bound(1e9) == pytest.approx(c.least_loss)


def test_above_a_quarter_of_the_gap_a_bottleneck_has_no_rate():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 1, 2))
    gap = 4.0 - 1.0
    for part, has_rate in ((0.24, True), (0.26, False)):
        # Aligned with the first direction: the loss is 1/2 (2 - w^2)^2 + 1/2.
        product = 2.0 - math.sqrt(2.0 * part * gap)
        root = math.sqrt(product)
        c = tw.certify(p, [np.array([[root, 0.0]]), np.array([[root], [0.0]])])
        assert c.reducible_loss - 0.5 == pytest.approx(part * gap)
        assert (c.rate > 0.0) is has_rate
        named = {item.name: item.holds for item in c.hypotheses}
        assert named["bottleneck: the excess loss is below a quarter of the gap"] is has_rate
        assert c.converges_to_global is True  # the basin reaches to half the gap


def test_a_bottleneck_below_a_tie_has_no_rate():
    p = tw.Problem.from_target([2.0, 2.0], dims=(2, 1, 2))
    root = math.sqrt(2.0)
    c = tw.certify(p, [np.array([[root, 0.0]]), np.array([[root], [0.0]])])
    assert c.rate == 0.0
    assert c.rule == "none"


def test_time_to_reach_inverts_the_envelope():
    p = tw.Problem.from_target([2.0, 1.0], dims=(3, 3, 2))
    c = tw.certify(p, tw.init.exponential(p, rate=0.4))
    for value in (1.0, 1e-3, 1e-9):
        t = c.time_to_reach(value)
        assert c.loss_bound(t) == pytest.approx(value, rel=1e-9)
    assert c.time_to_reach(10 * c.reducible_loss) == c.time
    assert c.time_to_reach(0.0) == math.inf
    np.testing.assert_allclose(c.loss_bound([0.0, 1.0]), [c.reducible_loss, c.loss_bound(1.0)])


def plain(rate):
    return Certificate(
        time=1.0,
        rule="anytime",
        rate=rate,
        reducible_loss=3.0,
        least_loss=1.0,
        norm_bounds=np.ones(1),
        flow_norm_bounds=np.ones(1),
        path_bound=math.inf,
        converges_to_global=None,
        guaranteed=(),
        hypotheses=(),
        message="",
    )


def test_the_envelope_starts_at_its_time_and_ends_at_the_least_loss():
    c = plain(0.5)
    assert math.isnan(c.loss_bound(0.5))
    assert c.loss_bound(1.0) == 3.0
    assert c.loss_bound(2.0) == pytest.approx(1.0 + 2.0 * math.exp(-1.0))
    assert c.time_to_reach(1.0) == math.inf
    assert plain(0.0).loss_bound(50.0) == 3.0
    assert not plain(0.0).certified
    assert plain(0.5).certified
