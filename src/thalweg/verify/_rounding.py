"""Roots, exponentials and long fractions, rounded upwards in integer arithmetic."""

import math
from fractions import Fraction

BITS = 400


def round_up(value: Fraction) -> Fraction:
    """Return a fraction with denominator ``2**BITS`` that is not below the value."""
    return Fraction(-((-value.numerator * 2**BITS) // value.denominator), 2**BITS)


def root_up(value: Fraction) -> Fraction:
    """Bound the square root of a nonnegative fraction from above."""
    scaled = -((-value.numerator * 4**BITS) // value.denominator)
    return Fraction(math.isqrt(scaled) + 1, 2**BITS)


def exp_up(value: Fraction) -> Fraction:
    """Bound the exponential from above: series at ``value / 2^n``, then squared ``n`` times."""
    halvings = max(0, int(abs(value)).bit_length() + 1)
    x = round_up(value / 2**halvings)
    term = total = Fraction(1)
    for k in range(1, 40):
        term = round_up(term * x / k) if x >= 0 else term * x / k
        total += term
    # With |x| <= 1/2 the rest of the series is less than twice its first term.
    total = round_up(total + 2 * abs(term * x) / 40)
    for _ in range(halvings):
        total = round_up(total * total)
    return total
