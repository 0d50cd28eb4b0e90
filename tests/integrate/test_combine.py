"""Sums of vectors in one pass, with every instruction set and without: exact where they can be."""

from fractions import Fraction

import numpy as np
import pytest

from thalweg.integrate import _combine
from thalweg.integrate._combine import MOST, Combination, two_into
from thalweg.integrate._native import instruction_sets, load

ENGINES = ["numpy", *instruction_sets()]


@pytest.fixture(params=ENGINES)
def engine(request, monkeypatch):
    library = None if request.param == "numpy" else load(request.param)
    monkeypatch.setattr(_combine, "_library", lambda: library)


def dyadic(rng, shape):
    """Numbers whose sums of products need no rounding."""
    return rng.integers(-1000, 1000, shape) / 64.0


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("count", range(1, MOST + 1))
@pytest.mark.parametrize("part", [slice(0, 77), slice(3, 8), slice(5, 70)])
def test_sums_are_exact_where_no_rounding_is_needed(count, part):
    rng = np.random.default_rng(count)
    vectors, factors = dyadic(rng, (count, 77)), dyadic(rng, count)
    exact = [
        sum(Fraction(c) * Fraction(x) for c, x in zip(factors, column, strict=True))
        for column in vectors.T[part]
    ]
    out = np.full(77, np.nan)
    sums = Combination(*zip(factors, vectors, strict=True))
    sums.into(out)(part)
    assert [Fraction(x) for x in out[part]] == exact
    assert np.isnan(out[: part.start]).all()
    assert np.isnan(out[part.stop :]).all()
    assert Fraction(sums.squares(part)) == sum((x * x for x in exact), Fraction(0))


@pytest.mark.usefixtures("engine")
def test_a_sum_may_take_the_place_of_what_it_adds():
    rng = np.random.default_rng(0)
    vectors = list(rng.standard_normal((MOST, 1000)))
    kept = np.array(vectors)
    c, d = rng.standard_normal((2, MOST))
    two_into(vectors, (c, vectors[1]), (d, vectors[0]))(slice(10, 990))
    for factors, changed in ((c, 1), (d, 0)):
        assert np.allclose(vectors[changed][10:990], (factors @ kept)[10:990], rtol=0, atol=1e-13)
        assert np.array_equal(vectors[changed][:10], kept[changed, :10])
        assert np.array_equal(vectors[changed][990:], kept[changed, 990:])
    assert np.array_equal(vectors[2:], kept[2:])
    Combination((2.0, vectors[2]), (-1.0, vectors[3])).into(vectors[3])(slice(0, 1000))
    assert np.allclose(vectors[3], 2.0 * kept[2] - kept[3], rtol=0, atol=1e-13)
