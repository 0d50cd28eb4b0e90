"""Loss, gradient, Hessian and line polynomial against exact rationals and finite differences."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import thalweg as tw
from thalweg.network import dense_hessian, gradient, hessian_product, pack, unpack


def exact_loss(weights, target, metric):
    """Half the squared error in rational arithmetic."""
    rows = [[[Fraction(float(x)) for x in row] for row in item] for item in weights]
    product = rows[0]
    for layer in rows[1:]:
        product = [
            [
                sum(a * b for a, b in zip(row, column, strict=True))
                for column in zip(*product, strict=True)
            ]
            for row in layer
        ]
    total = Fraction(0)
    for i, row in enumerate(product):
        for j, value in enumerate(row):
            error = Fraction(float(target[i, j])) - value * Fraction(float(metric[j]))
            total += error * error
    return total / 2


def case(dims, seed):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]
    target = rng.normal(size=(dims[-1], dims[0]))
    return weights, target, rng.uniform(0.5, 2.0, dims[0])


SHAPES = [(3, 4, 2), (2, 5, 3, 4), (4, 1, 3), (3, 2), (2, 3, 3, 2, 3)]


@pytest.mark.parametrize("dims", SHAPES)
def test_loss_equals_rational_arithmetic(dims):
    weights, target, metric = case(dims, 1)
    p = tw.Problem.from_target(target, dims=dims, D=metric)
    exact = float(exact_loss(weights, target, metric))
    assert p.reducible_loss(weights) == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("dims", SHAPES)
def test_gradient_equals_exact_difference_quotients(dims):
    weights, target, metric = case(dims, 2)
    computed = gradient(weights, target, metric)
    step = Fraction(1, 2**20)
    for j, weight in enumerate(weights):
        for index in np.ndindex(weight.shape):
            values = []
            for sign in (1, -1):
                moved = [item.copy() for item in weights]
                moved[j][index] += float(sign * step)
                values.append(exact_loss(moved, target, metric))
            slope = float((values[0] - values[1]) / (2 * step))
            assert computed[j][index] == pytest.approx(slope, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("dims", SHAPES)
def test_dense_hessian_equals_differences_of_the_gradient(dims):
    weights, target, metric = case(dims, 3)
    hessian = dense_hessian(weights, target, metric)
    flat, step = pack(weights), 1e-6
    for k in range(len(flat)):
        move = np.zeros_like(flat)
        move[k] = step
        ahead = pack(gradient(unpack(flat + move, dims), target, metric))
        behind = pack(gradient(unpack(flat - move, dims), target, metric))
        np.testing.assert_allclose(hessian[:, k], (ahead - behind) / (2 * step), atol=2e-7)


@pytest.mark.parametrize("dims", SHAPES)
def test_hessian_product_is_the_dense_hessian(dims):
    weights, target, metric = case(dims, 4)
    hessian = dense_hessian(weights, target, metric)
    direction = np.random.default_rng(5).normal(size=len(hessian))
    moved = pack(hessian_product(weights, unpack(direction, dims), target, metric))
    np.testing.assert_allclose(moved, hessian @ direction, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(hessian, hessian.T)


def test_spectrum_at_the_origin_of_two_layers_is_known():
    # At zero the Hessian couples W_1 and W_2 only through the target: eigenvalues are
    # +-sigma_i, each as often as the hidden layer is wide, and zeros.
    p = tw.Problem.from_target([5.0, 2.0], dims=(3, 4, 2))
    values = np.linalg.eigvalsh(p.hessian([np.zeros((4, 3)), np.zeros((2, 4))]).to_dense())
    expected = np.sort([5.0] * 4 + [2.0] * 4 + [-5.0] * 4 + [-2.0] * 4 + [0.0] * 4)
    np.testing.assert_allclose(values, expected, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=5), st.integers(0, 10**6))
def test_line_polynomial_is_the_loss_along_the_line(dims, seed):
    dims = tuple(dims)
    weights, target, metric = case(dims, seed)
    rng = np.random.default_rng(seed + 1)
    direction = [rng.normal(size=item.shape) for item in weights]
    p = tw.Problem.from_target(target, dims=dims, D=metric)
    coefficients = np.asarray(p.line(weights, direction))
    assert len(coefficients) == 2 * p.depth + 1
    for t in (-1.3, 0.0, 0.4, 2.0):
        moved = [w + t * v for w, v in zip(weights, direction, strict=True)]
        expected = float(exact_loss(moved, target, metric)) + p.irreducible_loss
        value = np.polynomial.polynomial.polyval(t, coefficients)
        scale = np.polynomial.polynomial.polyval(abs(t), np.abs(coefficients))
        assert abs(value - expected) <= 1e-11 * scale


def test_line_gives_gradient_and_quadratic_form():
    weights, target, metric = case((3, 4, 3, 2), 8)
    p = tw.Problem.from_target(target, dims=(3, 4, 3, 2), D=metric)
    rng = np.random.default_rng(9)
    direction = [rng.normal(size=item.shape) for item in weights]
    line = p.line(weights, direction)
    slope = sum(np.vdot(g, v) for g, v in zip(p.gradient(weights), direction, strict=True))
    assert line[1] == pytest.approx(slope, rel=1e-12)
    assert 2 * line[2] == pytest.approx(p.hessian(weights).quadratic_form(direction), rel=1e-12)
