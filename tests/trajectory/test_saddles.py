"""A saddle is the limit only where something exact says so."""

import itertools

import numpy as np
import pytest
import scipy.integrate

import thalweg as tw
from thalweg.network import blocks, gradient, gradient_rounding
from thalweg.trajectory import _exact

SADDLES = {"strict_saddle", "non_strict_saddle"}


def zeros(dims):
    return [np.zeros((b, a)) for a, b in itertools.pairwise(dims)]


@pytest.mark.parametrize("depth", [3, 4, 5])
@pytest.mark.parametrize("metric", [None, np.geomspace(1.0, 4.0, 4)])
def test_generic_starts_never_end_at_a_saddle(depth, metric):
    """Full rank and no zeros: what lasts long is a plateau, however small its gradient is."""
    dims = (4, *[3] * (depth - 1), 2)
    rng = np.random.default_rng(depth)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    for target in ([3.0, 1.3], np.diag([3.0, 1.3]) @ turn[:2]):
        p = tw.Problem.from_target(target, dims=dims, D=metric)
        for scale, seed in itertools.product([1e-2, 1e-6, 1e-7], range(3)):
            run = tw.flow(p, tw.init.gaussian(p, scale=scale, rng=seed), max_steps=60_000)
            kind = run.limit.verdict.kind
            assert kind in {"global_minimum", "undecided"}
            assert (run.status == "limit") == (kind == "global_minimum")


def test_a_lost_gradient_is_told_with_its_numbers():
    p = tw.Problem.from_target([3.0, 1.3], dims=(4, 3, 3, 3, 2))
    run = tw.flow(p, tw.init.gaussian(p, scale=1e-7, rng=0))
    assert (run.status, run.limit.verdict.kind) == ("horizon", "undecided")
    assert run.limit.decided_by == "gradient lost in rounding"
    assert "rounding error" in run.message
    assert "e-" in run.message


def test_the_same_start_without_its_second_direction_ends_at_the_saddle():
    """Negative control: zeros that the flow keeps make the plateau a limit."""
    dims = (4, 3, 3, 2)
    p = tw.Problem.from_target([3.0, 1.3], dims=dims)
    w = tw.init.gaussian(p, scale=1e-2, rng=0)
    assert tw.flow(p, w).limit.verdict.kind == "global_minimum"
    w[0][:, 1:], w[2][1] = 0.0, 0.0
    verdict = tw.flow(p, w).limit.verdict
    assert verdict.kind in SADDLES
    assert verdict.learned == (0,)


def test_parts_learn_their_own_directions():
    dims = (4, 4, 4, 3)
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=dims)
    rng = np.random.default_rng(0)
    w = zeros(dims)
    for mode, units in ((0, [2]), (2, [0, 3])):
        for j, (before, after) in enumerate([([mode], units), (units, units), (units, [mode])]):
            w[j][np.ix_(after, before)] = np.abs(rng.normal(size=(len(after), len(before))))
    run = tw.flow(p, w)
    assert (run.status, run.limit.verdict.kind) == ("limit", "strict_saddle")
    assert run.limit.verdict.learned == (0, 2)
    assert run.limit.decided_by == "zeros that the flow keeps"


def test_no_gradient_between_parts():
    rng = np.random.default_rng(1)
    w = [rng.normal(size=s) * (rng.random(s) < 0.25) for s in ((6, 5), (6, 6), (5, 6))]
    target, metric = np.diag(np.arange(5.0, 0.0, -1.0)), np.ones(5)
    found = blocks(w, target)
    assert len(found) > 1
    slopes = gradient(w, target, metric)
    for part in found:
        part.put(slopes, [np.zeros_like(item) for item in part.of_weights(slopes)])
    assert not any(item.any() for item in slopes)
    # A single weight between two parts joins them.
    sizes = [len(part.units[1]) for part in found]
    one, two = (found[i] for i in np.argsort(sizes)[-2:])
    w[1][two.units[2][0] if len(two.units[2]) else 0, one.units[1][0]] = 1.0
    assert len(blocks(w, target)) <= len(found)


def chain_by_scipy(weights, t_end):
    def rhs(_, w):
        rest = 1.0 - np.prod(w)
        return [rest * np.prod(np.delete(w, j)) for j in range(len(w))]

    done = scipy.integrate.solve_ivp(
        rhs, (0, t_end), weights, rtol=1e-11, atol=1e-13, method="LSODA"
    )
    return done.y[:, -1]


@pytest.mark.parametrize("start", [(-0.5, 0.5), (0.4, -0.4, 0.9), (-0.3, 0.8, 0.3, 0.7)])
def test_chains_of_wrong_sign_with_two_smallest_weights_vanish(start):
    weights = [np.array([[x]]) for x in start]
    limit = _exact.chain_limit(weights, np.array([[1.0]]))
    assert limit is not None
    expected = chain_by_scipy(start, 60.0)
    assert np.allclose([x[0, 0] for x in limit], expected, rtol=0, atol=1e-6)
    p = tw.Problem.from_target([1.0], dims=(1,) * (len(start) + 1))
    run = tw.flow(p, weights)
    assert (run.status, run.limit.verdict.learned) == ("limit", ())
    assert run.limit.verdict.kind in SADDLES


@pytest.mark.parametrize("start", [(-0.5, 0.6), (0.4, -0.5, 0.9), (-0.3, 0.8, 0.4, 0.7)])
def test_chains_with_one_smallest_weight_pass_through_zero(start):
    weights = [np.array([[x]]) for x in start]
    assert _exact.chain_limit(weights, np.array([[1.0]])) is None
    assert np.prod(chain_by_scipy(start, 60.0)) == pytest.approx(1.0, abs=1e-6)
    p = tw.Problem.from_target([1.0], dims=(1,) * (len(start) + 1))
    assert tw.flow(p, weights).limit.verdict.kind == "global_minimum"


def test_products_that_underflow_are_not_a_critical_start():
    p = tw.Problem.from_target([3.0, 1.3], dims=(3, 2, 2, 2, 2, 2))
    w = tw.init.gaussian(p, scale=1e-99, rng=0)
    assert not any(item.any() for item in p.gradient(w))
    assert tw.flow(p, w).limit.verdict.kind not in SADDLES
    assert tw.flow(p, [0.0 * item for item in w]).limit.verdict.kind == "non_strict_saddle"


def test_the_rounding_of_a_gradient_is_bounded():
    rng = np.random.default_rng(2)
    for _ in range(20):
        w = [rng.normal(size=s) for s in ((3, 4), (3, 3), (2, 3))]
        target, metric = rng.normal(size=(2, 4)), np.geomspace(1.0, 3.0, 4)
        exact = gradient([x.astype(np.longdouble) for x in w], target, metric)
        bounds = gradient_rounding(w, target, metric)
        for a, b, room in zip(gradient(w, target, metric), exact, bounds, strict=True):
            assert np.all(np.abs(a - b) <= 16 * room)
