"""Steps that are safe, steps that are too long, and where steps lead."""

import numpy as np
import pytest

import thalweg as tw


@pytest.fixture
def p():
    return tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))


def test_below_the_certified_step_the_loss_never_rises_and_the_limit_is_proved(p):
    w = tw.init.gaussian(p, scale=0.4, rng=0)
    safe = tw.descend(p, w, steps=1).safe_step
    d = tw.descend(p, w, lr=safe, steps=600)
    assert np.all(np.diff(d.loss) <= 1e-14 * d.loss[0])
    assert d.limit.certified
    assert d.limit.verdict.kind == "global_minimum"
    assert d.limit.verdict.learned == (0, 1)
    assert "not above the certified" in repr(d)


def test_beyond_it_a_row_warns_and_nothing_is_certified(p):
    w = tw.init.gaussian(p, scale=0.4, rng=0)
    d = tw.descend(p, w, lr=0.45, steps=600)
    assert "warning: above the certified" in repr(d)
    assert np.any(np.diff(d.loss) > 0)
    assert not d.limit.certified
    assert d.limit.verdict.kind == "undecided"


def test_the_edge_of_stability_is_two_over_the_largest_curvature():
    """Near a minimum steps just above it run away and steps just below settle."""
    p = tw.Problem.from_target([2.0], dims=(1, 1, 1))
    minimum = [np.array([[2.0]]), np.array([[1.0]])]
    edge = 2.0 / float(np.linalg.eigvalsh(p.hessian(minimum).to_dense())[-1])
    assert edge == pytest.approx(0.4)
    near = [np.array([[2.0]]), np.array([[1.0 + 1e-6]])]
    below = tw.descend(p, near, lr=0.97 * edge, steps=400)
    above = tw.descend(p, near, lr=1.03 * edge, steps=400)
    assert below.loss[-1] < 1e-3 * below.loss[0]
    assert above.loss.max() > 1e6 * above.loss[0]
    assert below.safe_step < edge


def test_blowing_up_stops_with_what_there_is(p):
    w = tw.init.gaussian(p, scale=1.0, rng=0)
    d = tw.descend(p, w, lr=3.0, steps=50)
    assert d.status == "diverged"
    assert len(d.t) == len(d.loss) == len(d.drift) < 51
    assert np.all(np.isfinite(d.loss))
    assert np.all(np.isfinite(d.drift))
    assert "too large" in d.message
    assert d.limit.verdict.kind == "undecided"


def test_ctrl_c_returns_what_there_is(p, monkeypatch):
    monkeypatch.setattr("thalweg.optimizers._loop.EVERY_SECONDS", -1.0)

    def stop(t, step, loss):
        if step == 7:
            raise KeyboardInterrupt

    d = tw.descend(p, tw.init.gaussian(p, scale=0.4), steps=50, progress=stop)
    assert d.status == "interrupted"
    assert len(d.t) == 8
    assert p.loss(d.weights) == d.loss[-1]


def test_a_plateau_is_no_limit_and_an_exact_saddle_is(p):
    small = tw.init.gaussian(p, scale=1e-5, rng=0)
    plateau = tw.descend(p, small, lr=0.05, steps=100)
    assert plateau.limit.verdict.kind == "undecided"
    zero = tw.descend(p, [np.zeros((2, 3)), np.zeros((2, 2))], lr=0.05, steps=10)
    assert zero.limit.verdict.kind == "strict_saddle"
    assert not zero.limit.certified
    aligned = [np.zeros((2, 3)), np.zeros((2, 2))]
    aligned[0][0, 0] = aligned[1][0, 0] = 0.5
    rank_one = tw.descend(p, aligned, lr=0.05, steps=400)
    assert rank_one.limit.verdict.kind == "strict_saddle"
    assert rank_one.limit.verdict.learned == (0,)


def test_next_to_a_minimum_without_a_theorem(p):
    w = tw.init.gaussian(p, scale=0.4, rng=0)
    d = tw.descend(p, w, method="adam", lr=0.02, steps=1500)
    assert d.limit.verdict.kind == "global_minimum"
    assert not d.limit.certified
    decayed = tw.descend(p, w, lr=0.05, steps=1500, weight_decay=0.1)
    assert decayed.limit.verdict.kind == "undecided"
    assert "another loss" in decayed.limit.message
