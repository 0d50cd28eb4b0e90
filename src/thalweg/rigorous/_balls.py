"""Balls: numbers with a proven error, and the only way in and out of them.

A ball is a midpoint and a radius; every operation of the library below returns a ball that
contains the exact result for every choice of points in its arguments. Doubles enter exactly.
They leave through `up` and `down` only: ``float(ball)`` rounds to nearest and bounds nothing.
"""

import contextlib
import functools
import importlib
import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from thalweg._core import Array, MissingExtraError

Ball: TypeAlias = Any
"""A ``flint.arb``; the library carries no type information."""
BallMatrix: TypeAlias = Any
"""A ``flint.arb_mat``."""

_LOCK = threading.RLock()


@functools.cache
def library() -> Any:
    """Return the module ``flint``.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        return importlib.import_module("flint")
    except ImportError:
        raise MissingExtraError(
            'rigorous certificates need ball arithmetic: pip install "thalweg[rigorous]"'
        ) from None


@contextlib.contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with this many bits; one thread at a time, because the setting is global."""
    context = library().ctx
    with _LOCK:
        before = context.prec
        context.prec = bits
        try:
            yield
        finally:
            context.prec = before


def ball(value: float) -> Ball:
    """Return the ball of radius 0 around a double or an integer, exactly."""
    return library().arb(value if isinstance(value, int) else float(value))


def matrix(array: Array) -> BallMatrix:
    """Return a matrix of doubles as exact balls."""
    rows, columns = array.shape
    return library().arb_mat(rows, columns, [float(x) for x in array.ravel()])


def identity(order: int) -> BallMatrix:
    """Return the identity matrix."""
    return matrix(np.eye(order))


def up(value: Ball) -> float:
    """Return a double that no point of the ball exceeds; infinity if there is none."""
    if not value.is_finite():
        return math.inf
    bound = value.upper()
    out = float(bound)
    while library().arb(out) < bound:
        out = math.nextafter(out, math.inf)
    return out


def down(value: Ball) -> float:
    """Return a double that no point of the ball falls below; minus infinity if there is none."""
    return 0.0 - up(-value)  # not -0.0


def middles(value: BallMatrix) -> Array:
    """Return midpoints as doubles: an approximation, which proves nothing."""
    flat = [float(entry.mid()) for entry in value.entries()]
    return np.array(flat, dtype=np.float64).reshape(value.nrows(), value.ncols())


def largest(values: Iterable[Ball]) -> Ball:
    """Return a ball around the largest of finitely many numbers (Python's ``max`` does not)."""
    return functools.reduce(lambda one, two: one.max(two), values)


def nonnegative(value: Ball) -> Ball:
    """Return a ball around ``max(value, 0)``."""
    return value.max(ball(0))


def upper_root(square: Ball) -> Ball:
    """Bound the square root of a nonnegative number from above, as an exact ball.

    The ball of the square may reach below zero, where a root would not be a number.
    """
    if not square.is_finite():
        return library().arb.pos_inf()
    return nonnegative(square.upper()).sqrt().upper()


def frobenius_square(value: BallMatrix) -> Ball:
    """Return the squared Frobenius norm."""
    entries = value.entries()
    if not entries:
        return ball(0)
    # One long scalar product: quadratic cost, in compiled code.
    make, count = library().arb_mat, len(entries)
    return (make(1, count, entries) * make(count, 1, entries))[0, 0]


def frobenius_bound(value: BallMatrix) -> Ball:
    """Bound the Frobenius norm, and so the spectral norm, from above by an exact ball."""
    return upper_root(frobenius_square(value))


def diagonal(values: Sequence[Ball]) -> BallMatrix:
    """Return a diagonal matrix."""
    order = len(values)
    out = library().arb_mat(order, order)
    for k, value in enumerate(values):
        out[k, k] = value
    return out


def product(factors: Sequence[BallMatrix]) -> BallMatrix:
    """Multiply matrices given from right to left: ``product([A, B, C])`` is ``C B A``."""
    return functools.reduce(lambda done, factor: factor * done, factors)
