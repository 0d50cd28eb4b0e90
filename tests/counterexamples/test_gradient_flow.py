"""Gradient flows that a user brings, and when one may be called unbounded."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.counterexamples import Level, gradient_flow

eq1, planar = tw.counterexamples.bounded_eq1, tw.counterexamples.unbounded


def bowl(scale):
    """A quadratic with its minimum at (30, 0), approached at the given rate."""
    goal = np.array([30.0, 0.0])
    return (
        lambda x: 0.5 * scale * float(np.sum((x - goal) ** 2)),
        lambda x: scale * (x - goal),
    )


def test_a_linear_flow_is_solved():
    f, grad = bowl(0.5)
    run = gradient_flow(f, grad, [0.0, 4.0], 3.0, rtol=1e-10)
    exact = np.array([30.0, 0.0]) + np.exp(-1.5) * np.array([-30.0, 4.0])
    np.testing.assert_allclose(run.final, exact, rtol=1e-8)
    np.testing.assert_allclose(run.at(1.0)[1], 4.0 * np.exp(-0.5), rtol=1e-7)
    assert run.status == "horizon"


def test_a_limit_is_found():
    f, grad = bowl(0.5)
    run = gradient_flow(f, grad, [0.0, 4.0])
    assert run.status == "limit"
    np.testing.assert_allclose(run.final, [30.0, 0.0], atol=1e-4)


def test_growth_alone_is_never_called_divergence():
    """The planar flow without a level: unbounded in truth, but nothing certifies it."""
    run = gradient_flow(planar.f, planar.grad, (0.5, 0.5), 1e7)
    assert run.status == "horizon"
    assert run.evidence is None
    assert np.linalg.norm(run.final) > 50.0
    assert "proves nothing" in run.message
    run = gradient_flow(planar.f, planar.grad, (0.5, 0.5), max_steps=200)
    assert run.status == "horizon"


def test_a_slow_bounded_run_is_not_called_divergent():
    f, grad = bowl(1e-6)
    run = gradient_flow(f, grad, [1.0, 0.0], 1e5)
    assert run.status == "horizon"
    assert np.linalg.norm(run.final) > 3.0


@pytest.mark.parametrize("height", [3.0, 30.0])
def test_eq1_is_never_called_divergent(height):
    start = (0.5, 0.5, height)
    for t_end in (None, 1.0, 100.0):
        run = eq1.flow(start, t_end)
        assert run.status in {"limit", "horizon"}
        assert run.evidence is None
    # Not even with a level that is wrong: the run comes to rest below it.
    wrong = Level(value=0.5, argument="none")
    run = gradient_flow(eq1.f, eq1.grad, start, hess=eq1.hess, level=wrong)
    assert run.status in {"failed", "horizon"}
    assert run.evidence is None


def test_a_wrong_level_is_refuted():
    f, grad = bowl(1e-3)
    run = gradient_flow(f, grad, [1.0, 0.0], 100.0, level=Level(value=1.0, argument="none"))
    assert run.status == "failed"
    assert "argument must be wrong" in run.message
    assert "(30, " in run.message


def test_a_start_above_the_level_has_to_get_below_it():
    run = planar.flow((2.0, -1.0), 0.01)
    assert run.status == "horizon"
    assert "did not fall below" in run.message
    assert planar.flow((2.0, -1.0)).status == "diverged"


def test_the_level_itself_is_not_below_the_level():
    """Exactly at the saddle's value nothing is claimed."""
    run = gradient_flow(
        planar.f,
        planar.grad,
        (0.5, 0.5),
        1.0,
        level=Level(value=planar.f((0.5, 0.5)), argument="x"),
    )
    assert run.evidence is None or run.evidence.loss < planar.f((0.5, 0.5))
    assert run.evidence is None or run.evidence.time > 0.0


def test_a_proof_is_refused_without_a_level():
    with pytest.raises(tw.DataError, match="growth proves nothing"):
        gradient_flow(planar.f, planar.grad, (0.5, 0.5), until="unbounded")
    run = gradient_flow(planar.f, planar.grad, (0.5, 0.5), until="unbounded", level=planar.level)
    assert run.status == "diverged"


@pytest.mark.parametrize("argument", ["", "   ", None, 3])
def test_a_level_needs_an_argument(argument):
    with pytest.raises(tw.DataError, match="needs an argument"):
        Level(value=0.5, argument=argument)


def test_wrong_input_is_one_line():
    f, grad = bowl(1.0)
    wrong = [
        (lambda: gradient_flow(f, lambda x: -grad(x), [1.0, 2.0]), "not the gradient of f"),
        (lambda: gradient_flow(f, lambda x: grad(x)[:1], [1.0, 2.0]), "returns shape"),
        (lambda: gradient_flow(f, grad, [[1.0, 2.0]]), "vector"),
        (lambda: gradient_flow(f, grad, []), "vector"),
        (lambda: gradient_flow(f, grad, [1.0, 2.0], -1.0), "t_end"),
        (lambda: gradient_flow(f, grad, [1.0, 2.0], until="ever"), "limit or unbounded"),
        (lambda: gradient_flow(f, grad, [1.0, 2.0], level=0.5), "Level"),
        (lambda: gradient_flow(lambda _: np.nan, grad, [1.0, 2.0]), "not finite"),
    ]
    for call, words in wrong:
        with pytest.raises(ValueError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_a_wrong_gradient_away_from_the_start_is_seen():
    """Right at the start, wrong beyond: f rises along the way."""
    run = gradient_flow(
        lambda x: float(np.sum((x - 1.0) ** 2)),
        lambda x: np.minimum(2 * (x - 1.0), -1.0),
        [-4.0],
        9.0,
    )
    assert run.status == "failed"
    assert "rose" in run.message


def test_public_name():
    assert tw.gradient_flow is gradient_flow


def test_gradients_whose_squares_underflow_are_no_arrival():
    """``exp(-x)`` has no critical point: its trajectory ``log(1 + t)`` never comes to rest."""
    run = gradient_flow(
        lambda x: np.exp(-x[0]),
        lambda x: -np.exp(-x),
        [0.0],
        t_end=1e170,
        hess=lambda x: np.exp(-x[:, None]),
    )
    assert run.status == "horizon"
    assert run.final[0] == pytest.approx(170 * np.log(10.0), rel=1e-6)
    assert 0.0 < run.gradient_norm[-1] < 1e-162


def test_trajectories_that_leave_the_range_of_numbers_warn_of_nothing():
    for power in (2, 4):
        run = gradient_flow(
            lambda x, p=power: -(float(x[0]) ** p),
            lambda x, p=power: -p * x ** (p - 1),
            [1.0],
            max_steps=3000,
        )
        assert run.status in {"horizon", "failed"}
