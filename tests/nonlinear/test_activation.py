"""Sigma, its range, and the conditions on activations that a user brings."""

import mpmath
import numpy as np
import pytest

import thalweg as tw
from thalweg.nonlinear._activation import NAMED, named_activation
from thalweg.nonlinear._custom import check_definition_2, custom_activation

BOUNDED = ("tanh", "arctan", "logistic", "softsign", "erf")
POINTS = (-9.5, -3.0, -1.1, -0.2, -1e-3, 1e-6, 0.05, 0.7, 2.0, 4.4, 6.0)


def in_mpmath(name):
    """Return sigma and sigma' of an activation, written anew."""
    two = mpmath.mpf(2)
    return {
        "tanh": (mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
        "arctan": (mpmath.atan, lambda x: 1 / (1 + x * x)),
        "logistic": (
            lambda x: 1 / (1 + mpmath.exp(-x)) - 1 / two,
            lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2,
        ),
        "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
        "erf": (mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
        "relu": (lambda x: max(x, 0), lambda x: 1 if x > 0 else 0),
        "leaky_relu": (
            lambda x: x if x > 0 else x / two**3,
            lambda x: mpmath.mpf(1) if x > 0 else 1 / two**3,
        ),
        "identity": (lambda x: x, lambda _: mpmath.mpf(1)),
    }[name]


@pytest.mark.parametrize("name", sorted(set(NAMED) - {"relu"}))
def test_sigma_is_the_integral(name):
    value, slope = in_mpmath(name)
    made = named_activation(name, 0.125)
    found = made.checked_integral(np.array(POINTS))
    with mpmath.workdps(30):
        for x, got in zip(POINTS, found, strict=True):
            steps = mpmath.linspace(0, mpmath.mpf(x), 9)
            exact = mpmath.quad(lambda w: value(w) / slope(w), steps)
            assert got == pytest.approx(float(exact), rel=2e-13), x
            one = made.value(np.array([x]))[0], made.slope(np.array([x]))[0]
            assert one[0] == pytest.approx(float(value(mpmath.mpf(x))), rel=1e-14)
            assert one[1] == pytest.approx(float(slope(mpmath.mpf(x))), rel=1e-13)


def test_sigma_of_relu_is_half_the_square_on_both_sides():
    made = named_activation("relu", 0.01)
    np.testing.assert_array_equal(made.integral(np.array([-3.0, 0.0, 2.0])), [4.5, 0.0, 2.0])


@pytest.mark.parametrize("name", sorted(NAMED))
def test_derivatives_of_activations(name):
    made = named_activation(name, 0.1)
    x = np.array([-2.3, -0.4, 0.3, 1.7])
    h = 1e-5
    np.testing.assert_allclose(
        (made.value(x + h) - made.value(x - h)) / (2 * h), made.slope(x), rtol=1e-8
    )
    np.testing.assert_allclose(
        (made.slope(x + h) - made.slope(x - h)) / (2 * h), made.bend(x), rtol=1e-7, atol=1e-9
    )
    slope = made.slope(x)
    there = slope > 0
    np.testing.assert_allclose(
        made.ratio(x)[there], made.value(x)[there] / slope[there], rtol=1e-13
    )


@pytest.mark.parametrize("name", BOUNDED)
def test_lemma_3_sigma_grows_beyond_the_square(name):
    made = named_activation(name, 0.01)
    x = np.array([1e-6, 1e-3, 1.0, 5.0, 10.0, 20.0])
    for side in (x, -x):
        ratio = made.integral(side) / side**2
        assert np.all(np.diff(ratio) > 0)
        assert ratio[-1] > 1.0
        assert ratio[0] == pytest.approx(0.5, abs=1e-3)
    # The article prints that Sigma tends to infinity as x tends to 0: there it vanishes.
    assert made.integral(np.array([1e-9]))[0] < 1e-17


@pytest.mark.parametrize("name", BOUNDED)
def test_overflow_is_refused_in_one_line(name):
    made = named_activation(name, 0.01)
    assert np.isfinite(made.checked_integral(np.array([made.largest, -made.largest]))).all()
    with pytest.raises(tw.DataError, match="scale the first layer") as caught:
        made.checked_integral(np.array([0.0, 1.01 * made.largest]))
    assert "\n" not in str(caught.value)


def gudermann(x):
    return 2.0 * np.arctan(np.tanh(0.5 * x))


def sech(x):
    return 1.0 / np.cosh(np.clip(x, -700, 700))


def test_a_user_s_function_gets_sigma_by_quadrature():
    made = custom_activation((gudermann, sech))
    x = np.array([-6.0, -0.3, 0.0, 1e-4, 2.2, 15.0])
    found = made.checked_integral(x)
    for at, got in zip(x, found, strict=True):
        exact = mpmath.quad(
            lambda w: 2 * mpmath.atan(mpmath.tanh(w / 2)) * mpmath.cosh(w),
            mpmath.linspace(0, at, 17),
        )
        assert got == pytest.approx(float(exact), rel=1e-11, abs=0.0)
    np.testing.assert_allclose(made.bend(x), -sech(x) * np.tanh(x), atol=1e-9)


def test_an_inexact_derivative_ends_the_range_and_says_so():
    """``1 - tanh^2`` is rounding where tanh has saturated: Sigma stops before."""
    made = custom_activation((np.tanh, lambda x: 1.0 - np.tanh(x) ** 2))
    assert 3.0 < made.largest < 20.0
    x = np.array([2.9])
    np.testing.assert_allclose(made.checked_integral(x), 0.5 * np.sinh(x) ** 2, rtol=1e-10)
    with pytest.raises(tw.DataError, match="is computed up to"):
        made.checked_integral(np.array([25.0]))


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ((lambda x: np.tanh(x) + 0.5, sech), r"\(s1\): sigma\(0\) = 0.5"),
        ((lambda x: -np.tanh(x), lambda x: -(sech(x) ** 2)), r"\(s1\)"),
        ((np.sin, np.cos), r"\(s1\).*x = -?\d"),
        ((lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0), r"\(s1\).*relu"),
        ((lambda x: np.tanh(x**3), lambda x: 3 * x**2 * sech(x**3) ** 2), r"\(s2\).*at x = 0"),
        (
            (lambda x: x / (1 + x * x), lambda x: (1 - x * x) / (1 + x * x) ** 2),
            r"\(s2\): sigma'\(x\) = -",
        ),
        ((lambda x: x, np.ones_like), r"\(s3\): sigma\(\+1e9\) = 1e\+09"),
        ((np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x)), r"\(s3\)"),
        ((np.tanh, lambda x: 2.0 * sech(x) ** 2), r"differences of sigma give"),
        ((np.tanh, lambda x: 1.0), "returns shape"),
        ((np.tanh, lambda x: x.nothing), "fails on an array"),
        ((np.tanh,), "pair of callables"),
        (3.0, "pair of callables"),
    ],
)
def test_what_violates_definition_2_is_refused_with_the_number(pair, words):
    with pytest.raises(tw.DataError, match=words) as caught:
        custom_activation(pair)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", BOUNDED)
def test_named_sigmoids_satisfy_definition_2(name):
    made = named_activation(name, 0.01)
    check_definition_2(made.value, made.slope)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "identity"])
def test_homogeneous_ones_do_not(name):
    made = named_activation(name, 0.01)
    with pytest.raises(tw.DataError, match=r"Definition 2 \(s"):
        check_definition_2(made.value, made.slope)


def test_unknown_names():
    with pytest.raises(tw.DataError, match="unknown activation 'swish'"):
        named_activation("swish", 0.01)
