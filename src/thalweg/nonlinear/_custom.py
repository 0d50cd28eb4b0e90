"""Activations that a user brings: checked against Definition 2, then completed (Spec 6.6)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg._core import Array, DataError
from thalweg.nonlinear._activation import Activation, Function
from thalweg.nonlinear._quadrature import Integral

REACH = 1e6
"""Absolute value up to which ``Sigma`` of a user's function is attempted."""
STEP = 6e-6
"""Of difference quotients, about the third root of the rounding unit."""
NAMES = "relu, leaky_relu and identity are available by name and need no such condition"


def custom_activation(functions: Any) -> Activation:
    """Complete a pair ``(sigma, sigma')`` or a triple with ``sigma''`` to an activation.

    Parameters
    ----------
    functions
        Callables that map float arrays elementwise. Without ``sigma''`` the Hessian uses central
        differences of ``sigma'``, exact to about ten digits.

    Returns
    -------
    Activation
        With ``Sigma`` by adaptive quadrature.

    Raises
    ------
    DataError
        If they are no such callables, or violate Definition 2 (s1-s3) of the paper at some point.

    Notes
    -----
    The conditions are checked on a few hundred points, which can refute but not prove them.
    """
    several = isinstance(functions, Sequence) and not isinstance(functions, str)
    if not several or len(functions) not in (2, 3) or not all(map(callable, functions)):
        raise DataError(
            f"activation must be a name or a pair of callables (sigma, sigma'), got {functions!r}"
        )
    value, slope = (_elementwise(item, name) for item, name in zip(functions, NAMED, strict=False))
    check_definition_2(value, slope)

    def difference(x: Array) -> Array:
        h = STEP * (1.0 + np.abs(x))
        return (slope(x + h) - slope(x - h)) / (2.0 * h)

    def ratio(x: Array) -> Array:
        return value(x) / slope(x)

    bend = _elementwise(functions[2], "sigma''") if len(functions) == 3 else difference
    integral = Integral(ratio, reach=REACH)
    return Activation(
        name="user function",
        value=value,
        slope=slope,
        bend=bend,
        integral=integral,
        ratio=ratio,
        largest=integral.largest,
        note="adaptive quadrature",
    )


NAMED = ("sigma", "sigma'")


def check_definition_2(value: Function, slope: Function) -> None:
    """Check Definition 2 of the paper numerically.

    Raises
    ------
    DataError
        With the violated item, the point and the number: (s1) ``x sigma(x) > 0`` for ``x != 0``,
        (s2) ``sigma'(x) > 0``, (s3) finite limits, or ``sigma'`` is no derivative of ``sigma``.
    """
    near: Array = np.concatenate([np.geomspace(1e-6, 30.0, 120), np.geomspace(31.0, 1e3, 20)])
    x: Array = np.concatenate([-near[::-1], [0.0], near])
    far: Array = 10.0 ** np.arange(3.0, 13.0)
    with np.errstate(all="ignore"):
        s, d = value(x), slope(x)
        ends = np.stack([value(far), value(-far)])
        h = STEP * np.maximum(np.abs(x), 1e-2)
        quotient = (value(x + h) - value(x - h)) / (2.0 * h)
    for name, numbers in (("sigma", s), ("sigma'", d)):
        if not np.all(np.isfinite(numbers)):
            at = x[~np.isfinite(numbers)][0]
            raise DataError(f"{name}({at:.6g}) is not finite; define it on all real numbers")
    if s[len(near)] != 0.0:
        raise DataError(f"violates Definition 2 (s1): sigma(0) = {s[len(near)]:.6g}, not 0")
    _refuse("s1", x, x * s + 0.0, (x != 0.0) & ~(x * s > 0.0), f"x sigma(x) > 0 is needed; {NAMES}")
    limits = np.abs(ends).max(axis=1)[:, np.newaxis]
    saturated = np.abs(s) >= (1.0 - 1e-14) * np.where(x > 0, *limits)
    flat = (d < 0.0) | ((d == 0.0) & ~saturated)
    _refuse("s2", x, d, flat, f"sigma'(x) > 0 is needed; {NAMES}")
    for side, values in zip("+-", ends, strict=True):
        if not np.all(np.isfinite(values)) or abs(values[-1] - values[-4]) > 1e-3 * abs(values[-1]):
            raise DataError(
                f"violates Definition 2 (s3): sigma({side}1e9) = {values[-4]:.6g} and "
                f"sigma({side}1e12) = {values[-1]:.6g}; finite limits are needed; {NAMES}"
            )
    off = np.abs(quotient - d) > 1e-4 * np.abs(d) + 1e-6 * np.abs(d).max()
    if np.any(off):
        at = int(np.argmax(off))
        raise DataError(
            f"sigma'({x[at]:.6g}) = {d[at]:.6g}, but differences of sigma give "
            f"{quotient[at]:.6g}; give the derivative of sigma"
        )


def _refuse(item: str, x: Array, numbers: Array, bad: Array, needed: str) -> None:
    if np.any(bad):
        at = int(np.argmax(bad))
        what = {"s1": "x sigma(x)", "s2": "sigma'(x)"}[item]
        raise DataError(
            f"violates Definition 2 ({item}): {what} = {numbers[at]:.6g} at x = {x[at]:.6g}; "
            f"{needed}"
        )


def _elementwise(function: Any, name: str) -> Function:
    """Make a user's function return float arrays, or say why it does not."""

    def call(x: Array) -> Array:
        try:
            out = np.asarray(function(x), dtype=np.float64)
        except Exception as error:
            raise DataError(
                f"{name} fails on an array ({type(error).__name__}: {error}); it must map a NumPy "
                "array elementwise"
            ) from error
        if out.shape != np.shape(x):
            raise DataError(
                f"{name} returns shape {out.shape} for an array of shape {np.shape(x)}; it must "
                "map a NumPy array elementwise"
            )
        return out

    return call
