"""Starts about which nothing can be proved get no certificate (Spec 3.3, 3.4)."""

import numpy as np
import pytest

import thalweg as tw


def nothing(c):
    return (
        c.rule == "none"
        and c.rate == 0.0
        and c.converges_to_global is None
        and c.guaranteed == ()
        and not c.certified
        and c.pivot is None
        and c.path_bound == np.inf
        and c.loss_bound(1e6) == c.reducible_loss
        and c.message == "nothing beyond boundedness is proved at this point"
    )


@pytest.mark.parametrize("dims", [(2, 2, 2), (3, 4, 2), (2, 3, 3, 2), (4, 1, 3)])
def test_zero_weights(dims):
    p = tw.Problem.from_target([2.0, 1.0][: min(dims[0], dims[-1])], dims=dims)
    assert nothing(tw.certify(p, [np.zeros(s) for s in zip(dims[1:], dims[:-1], strict=True)]))


def test_bottleneck_far_from_its_best_value():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(3, 1, 3))
    assert nothing(tw.certify(p, tw.init.gaussian(p, scale=1e-3, rng=0)))


def test_bottleneck_with_growing_layers():
    # Every layer keeps full rank for ever, but the product cannot have rank two.
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 1, 2))
    w = [np.zeros((1, 2)), np.array([[3.0], [0.0]])]
    c = tw.certify(p, w)
    assert c.rate == 0.0
    assert c.pivot is None
    assert tw.flow(p, w).limit.verdict.loss > 0.4


@pytest.mark.parametrize("kept", [(), (0,), (1,)])
def test_stable_set_of_a_saddle(kept):
    """Aligned starts that never learn the other directions: no statement about a minimum."""
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    diagonal = np.diag([1.2 * (0 in kept), 0.8 * (1 in kept)])
    w = [diagonal, diagonal]
    c = tw.certify(p, w)
    assert c.converges_to_global is None
    assert c.rate == 0.0
    assert set(c.guaranteed) <= set(kept)
    assert tw.flow(p, w).limit.verdict.kind == "strict_saddle"


def test_stable_set_at_the_level_itself_and_just_below():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    root = np.sqrt(2.0)
    at_saddle = [np.diag([root, 0.0]), np.diag([root, 0.0])]
    assert tw.certify(p, at_saddle).converges_to_global is None
    # A second strength of 1e-9 leaves the saddle, but the loss cannot tell: undecided.
    near = [np.diag([root, 1e-9]), np.diag([root, 1e-9])]
    assert tw.certify(p, near).converges_to_global is None
    below = [np.diag([root, 0.1]), np.diag([root, 0.1])]
    assert tw.certify(p, below).converges_to_global is True


def test_a_target_of_lower_rank_has_no_rate():
    p = tw.Problem.from_target(np.diag([2.0, 0.0]), dims=(2, 2, 2))
    w = [np.diag([1.4, 0.3]), np.diag([1.4, 0.3])]
    c = tw.certify(p, w)
    assert c.rate == 0.0
    assert c.converges_to_global is True  # the loss is below half the square of 2
    # Rightly so: the second strength decays like 1/t.
    run = tw.flow(p, w, t_end=400.0)
    assert run.reducible_loss[-1] > 1e-8


def test_boundedness_is_stated_all_the_same():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    c = tw.certify(p, [np.zeros((2, 2))] * 2)
    assert np.all(np.isfinite(c.norm_bounds))
    assert c.safe_step > 0.0
    assert 0.0 < c.lojasiewicz_exponent < 1e-3
    assert c.lojasiewicz_exponent == pytest.approx(1.0 / (4 * 9.0**7))


def test_huge_weights_are_no_reason_to_break_down():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    c = tw.certify(p, [1e99 * np.eye(2), 1e99 * np.eye(2)])
    assert c.rate == 0.0
    assert c.safe_step == 0.0
    assert c.to_dict()["reducible_loss"] is None
