"""Off a saddle, the way the loss falls."""

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import DataError, DimensionError
from thalweg.landscape import push_off

PROBLEM = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))


def saddle(kind, learned=(0,), seed=1):
    w = tw.critical_point(PROBLEM, learned, kind, rng=seed)
    return w, tw.classify(PROBLEM, w)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["strict_saddle", "non_strict_saddle"])
def test_the_loss_is_lower_there(kind, seed):
    w, verdict = saddle(kind, seed=seed)
    step = 1e-3 if kind == "strict_saddle" else 0.1
    moved = push_off(w, verdict, step)
    assert PROBLEM.loss(moved) < PROBLEM.loss(w) - 1e-9
    for before, after, down in zip(w, moved, verdict.falling, strict=True):
        assert np.array_equal(after, before + step * down)


def test_the_other_way_of_an_odd_curve_leads_up():
    """Negative control: the sign of the direction matters at a non-strict saddle."""
    w, verdict = saddle("non_strict_saddle")
    assert verdict.descent_curve.order % 2 == 1
    up = [a - 0.1 * b for a, b in zip(w, verdict.falling, strict=True)]
    assert PROBLEM.loss(up) > PROBLEM.loss(w)


def test_which_direction_it_is():
    strict, other = saddle("strict_saddle")[1], saddle("non_strict_saddle")[1]
    assert strict.falling is strict.witness
    assert other.falling is other.descent_curve.direction


def test_what_leads_nowhere():
    w, verdict = saddle("global_minimum", (0, 1, 2))
    assert verdict.falling is None
    with pytest.raises(DataError, match="global minimum"):
        push_off(w, verdict)
    generic = tw.init.gaussian(PROBLEM, rng=0)
    with pytest.raises(DataError, match="not critical"):
        push_off(generic, tw.classify(PROBLEM, generic))


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf, "1"])
def test_steps_that_are_none(step):
    with pytest.raises(DataError, match="step must be"):
        push_off(*saddle("strict_saddle"), step)


def test_weights_of_another_network():
    _, verdict = saddle("strict_saddle")
    with pytest.raises(DimensionError, match="classify these first"):
        push_off([np.eye(3), np.eye(3)], verdict)
