"""The verifier's exact arithmetic against numpy, mpmath and closed forms."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from thalweg.verify._exact import Exact, bordered, inertia, rank, shifted, trace_of_fit
from thalweg.verify._rounding import BITS, exp_up, root_up, round_up


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_inertia_of_integer_matrices_with_zero_pivots_and_multiplicities(rng):
    for trial in range(400):
        order = int(rng.integers(1, 7))
        grid = rng.integers(-2, 3, size=(order, order)).astype(float)
        grid = grid + grid.T
        if trial % 3 == 0:
            np.fill_diagonal(grid, 0.0)
        bound = float(rng.integers(-2, 3)) if trial % 3 else 0.0
        values = np.linalg.eigvalsh(grid) - bound
        truth = tuple(int(np.sum(x)) for x in (values < -1e-9, abs(values) < 1e-9, values > 1e-9))
        assert inertia(shifted(Exact.of(grid.tolist()), Fraction(bound))) == truth


def test_a_unit_in_the_last_place_decides():
    for value, expected in [
        (1.0, (0, 1, 0)),
        (np.nextafter(1.0, 2), (1, 0, 0)),
        (np.nextafter(1.0, 0), (0, 0, 1)),
    ]:
        assert inertia(shifted(Exact.of([[1.0]]), Fraction(float(value)))) == expected


def test_fitted_squares_and_their_inertia(rng):
    for _ in range(50):
        size = int(rng.integers(1, 5))
        wide = rng.normal(size=(size, size + 2))
        square = Exact.of(wide.tolist()) @ Exact.of(wide.T.tolist())
        border = rng.normal(size=(3, size))
        fitted = border @ np.linalg.solve(wide @ wide.T, border.T)
        assert float(trace_of_fit(square, Exact.of(border.tolist()))) == pytest.approx(
            np.trace(fitted), rel=1e-7
        )
        negative, _, _ = inertia(bordered(square, Exact.of(border.tolist()), Fraction(1)))
        assert negative == np.sum(np.linalg.eigvalsh(fitted) > 1.0)
    singular = Exact.of([[1.0, 1.0], [1.0, 1.0]])
    assert trace_of_fit(singular, Exact.of([[1.0, 0.0]])) is None


def test_rank_is_exact(rng):
    for _ in range(100):
        inner = int(rng.integers(0, 4))
        one = rng.integers(-2, 3, size=(4, inner)).astype(float)
        two = rng.integers(-2, 3, size=(inner, 5)).astype(float)
        assert rank(Exact.of((one @ two).tolist())) == np.linalg.matrix_rank(one @ two)
    tenth = Exact.of([[0.1, 0.3], [0.3, 0.9]])
    assert rank(tenth) == 2  # as doubles these rows are not proportional


def test_rounding_is_upwards_and_tight(rng):
    with mpmath.workdps(60):
        for value in [*rng.uniform(-30, 30, size=60), 0.0, 1e-30, -1e-30, 1.0]:
            x = Fraction(float(value))
            truth = mpmath.exp(mpmath.mpf(float(value)))
            bound = exp_up(x)
            ratio = mpmath.mpf(bound.numerator) / bound.denominator / truth
            assert 1 <= ratio <= 1 + mpmath.mpf(10) ** -12
            square = abs(x)
            assert root_up(square) ** 2 >= square
            assert round_up(x) >= x
            assert round_up(x) - x <= Fraction(1, 2**BITS)
