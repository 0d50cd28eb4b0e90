"""Doubles into balls and out again: nothing is lost, nothing is rounded the wrong way."""

import math
import os
import threading
from fractions import Fraction

import flint
import numpy as np
import pytest

from thalweg.rigorous import _balls
from thalweg.rigorous._balls import ball, down, frobenius_bound, matrix, precision, up, upper_root

MULTIPLIER = int(os.environ.get("THALWEG_TEST_MULTIPLIER", "1"))


def exact(value):
    """The value of an exact ball as a fraction."""
    mantissa, exponent = value.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def random_doubles(rng, count):
    """All magnitudes, zeros and the edges of the range included."""
    values = rng.normal(size=count) * 10.0 ** rng.integers(-300, 300, size=count)
    values[: count // 10] = rng.choice([0.0, -0.0, 5e-324, -5e-324, 1.0, 2.0**-1022], count // 10)
    return values


@pytest.mark.parametrize("bits", [53, 106, 256, 512])
def test_outward_rounding_contains_the_exact_value(bits, rng):
    numerators = rng.integers(-(10**12), 10**12, size=2000 * MULTIPLIER).tolist()
    denominators = rng.integers(1, 10**12, size=2000 * MULTIPLIER).tolist()
    with precision(bits):
        for top, below in zip(numerators, denominators, strict=True):
            value = Fraction(top, below)
            quotient = ball(top) / ball(below)
            assert Fraction(down(quotient)) <= value <= Fraction(up(quotient))
            assert up(quotient) - down(quotient) <= 4 * math.ulp(float(value))


def test_nearest_rounding_is_no_bound():
    with precision(200):
        third = ball(1) / 3
        assert float(third.upper()) < Fraction(1, 3)  # the trap
        assert up(third) > Fraction(1, 3)
        assert down(-third) < Fraction(-1, 3)


def test_doubles_enter_exactly(rng):
    with precision(53):
        for value in random_doubles(rng, 1000):
            inside = ball(value)
            assert inside.is_exact()
            assert up(inside) == down(inside) == value
        grid = rng.normal(size=(3, 4))
        assert [exact(x) for x in matrix(grid).entries()] == [Fraction(x) for x in grid.ravel()]


def test_what_is_no_number_bounds_nothing():
    for bad in (flint.arb("nan"), flint.arb("inf"), flint.arb("-inf"), flint.arb("0 +/- inf")):
        assert up(bad) == math.inf
        assert down(bad) == -math.inf
        assert up(upper_root(bad)) == math.inf
    assert up(ball(10) ** -400) == 5e-324
    assert up(ball(10) ** 400) == math.inf
    assert math.isfinite(down(ball(10) ** 400))


def test_roots_of_balls_around_zero():
    around = flint.arb(0, 1e-20)
    assert around.sqrt().is_nan()  # the trap
    assert 1e-10 <= up(upper_root(around)) < 1.1e-10
    assert up(upper_root(ball(2))) ** 2 >= 2


def test_frobenius_bound_of_exact_matrices(rng):
    for _ in range(50):
        grid = rng.integers(-9, 10, size=(3, 5)).astype(float)
        square = Fraction(int(np.sum(grid**2)))
        assert Fraction(up(frobenius_bound(matrix(grid)))) ** 2 >= square


def test_precision_is_restored_and_not_shared_between_threads():
    before = flint.ctx.prec
    seen = []

    def work(bits):
        for _ in range(200):
            with precision(bits):
                seen.append(flint.ctx.prec == bits)

    threads = [threading.Thread(target=work, args=(bits,)) for bits in (60, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen)
    assert flint.ctx.prec == before
    with pytest.raises(ZeroDivisionError), precision(77):
        1 / 0  # noqa: B018
    assert flint.ctx.prec == before


def test_missing_library_is_one_line(monkeypatch):
    def missing(name):
        raise ImportError(name)

    _balls.library.cache_clear()
    monkeypatch.setattr(_balls.importlib, "import_module", missing)
    with pytest.raises(_balls.MissingExtraError, match=r"pip install \"thalweg\[rigorous\]\""):
        ball(1.0)
    monkeypatch.undo()
    _balls.library.cache_clear()
