"""Gradient descent with a safe step never raises the loss (Spec 8.3)."""

import math

import numpy as np
import pytest

import thalweg as tw
from thalweg.certificate import curvature_bound


def descend(p, w, step, steps):
    """Plain gradient descent on the table's own gradient; losses of every iterate."""
    w = [item.copy() for item in w]
    losses = [p.reducible_loss(w)]
    for n in range(steps):
        size = step[n % len(step)] if isinstance(step, list) else step
        w = [item - size * slope for item, slope in zip(w, p.gradient(w), strict=True)]
        losses.append(p.reducible_loss(w))
        if losses[-1] > 1e6 * (1.0 + losses[0]):
            break
    return w, np.array(losses)


def random_problem(rng):
    depth = int(rng.integers(1, 5))
    dims = tuple(int(n) for n in rng.integers(1, 5, size=depth + 1))
    T = rng.normal(size=(dims[-1], dims[0]))
    p = tw.Problem.from_target(T, dims=dims, D=rng.uniform(0.4, 1.5, dims[0]))
    return p, tw.init.gaussian(p, scale=float(rng.choice([0.1, 0.6, 1.5])), rng=rng)


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_loss_never_rises_with_steps_up_to_the_safe_one(count):
    rng = np.random.default_rng(count)
    for _ in range(count):
        p, w = random_problem(rng)
        eta = tw.certify(p, w).safe_step
        assert 0.0 < eta < math.inf
        for steps in (eta, [eta, 0.3 * eta, 0.9 * eta]):
            _, losses = descend(p, w, steps, 200)
            assert np.all(np.diff(losses) <= 1e-14 * losses[0])


def test_one_hidden_unit_diverges_not_far_beyond_the_safe_step():
    """The bound is not vacuous: at a sharp minimum twice the inverse curvature is the truth."""
    p = tw.Problem.from_target([1.0], dims=(1, 1))
    c = tw.certify(p, [np.array([[3.0]])])
    # Quadratic loss: curvature 1, so every step below 2 descends.
    assert c.safe_step == pytest.approx(1.9, rel=2e-3)
    _, losses = descend(p, [np.array([[3.0]])], 2.1, 50)
    assert losses[-1] > losses[0]


def test_the_present_curvature_does_not_bound_gradient_descent():
    """Negative control: twice the inverse of the start's curvature makes the loss rise."""
    p = tw.Problem.from_target([1.0], dims=(1, 1, 1, 1))
    w = [np.array([[0.3]]), np.array([[0.3]]), np.array([[0.3]])]
    naive = 2.0 / float(np.linalg.eigvalsh(p.hessian(w).to_dense())[-1])
    _, losses = descend(p, w, naive, 60)
    assert np.any(np.diff(losses) > 0)
    eta = tw.certify(p, w).safe_step
    assert eta < naive
    _, losses = descend(p, w, eta, 2000)
    assert np.all(np.diff(losses) <= 0)
    assert losses[-1] < 1e-10


def test_curvature_bound_is_above_the_dense_hessian():
    rng = np.random.default_rng(0)
    tightest = 0.0
    for _ in range(200):
        p, w = random_problem(rng)
        T, D = p.flow_data()
        reduced = p.reduce(w)
        norms = np.array([np.linalg.norm(item, 2) for item in reduced])
        product = reduced[-1]
        for item in reversed(reduced[:-1]):
            product = product @ item
        error = float(np.linalg.norm(T - product * D))
        largest = float(np.linalg.eigvalsh(p.hessian(w).to_dense())[-1])
        bound = curvature_bound(norms, error, D)
        assert largest <= bound * (1 + 1e-10)
        tightest = max(tightest, largest / bound)
    assert tightest > 0.9


def test_the_conserved_matrices_drift_as_little_as_the_proof_says():
    rng = np.random.default_rng(1)
    for _ in range(10):
        p, w = random_problem(rng)
        eta = tw.certify(p, w).safe_step
        end, _ = descend(p, w, eta, 300)
        # theta is at most 0.95: drift <= eta L / (1 - theta).
        for now, then in zip(tw.invariants(end), tw.invariants(w), strict=True):
            assert np.linalg.norm(now - then, 2) <= eta * p.reducible_loss(w) / 0.05


def test_mean_loss_has_longer_steps_by_the_number_of_samples():
    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    total, mean = (tw.Problem.from_data(X, Y, (3,), loss=loss) for loss in ("sum", "mean"))
    w = tw.init.gaussian(total, scale=0.4, rng=0)
    one, other = tw.certify(total, w).safe_step, tw.certify(mean, w).safe_step
    assert other == pytest.approx(8.0 * one, rel=2e-3)
    _, losses = descend(mean, w, other, 200)
    assert np.all(np.diff(losses) <= 1e-14 * losses[0])
