"""Numbers and sets of directions in plain text (no TeX)."""

import math
from collections.abc import Iterable

LOWER = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
UPPER = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MINUS = chr(0x2212)  # not by name, which would load the table of all names


def direction(index: int) -> str:
    """Return the name of a singular direction, counted from one as in the paper."""
    return "σ" + str(index + 1).translate(LOWER)


def learned_words(learned: Iterable[int]) -> str:
    """Return the name of a learned set; runs of three and more are shortened."""
    left = sorted(learned)
    if not left:
        return "nothing learned"
    words = []
    while left:
        end = 1
        while end < len(left) and left[end] == left[end - 1] + 1:
            end += 1
        run, left = left[:end], left[end:]
        if end >= 3:
            words.append(f"{direction(run[0])}–{direction(run[-1])}")
        else:
            words += [direction(index) for index in run]
    return ", ".join(words) + " learned"


def power_of_ten(exponent: int) -> str:
    """Return a power of ten with a raised exponent, plainly where that is short."""
    if -2 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(UPPER)


def number(value: float, digits: int = 3) -> str:
    """Return a number for people: short, with a raised power of ten if it is far from one."""
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else MINUS + "∞"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = "10" + str(int(exponent)).translate(UPPER)
        mantissa = mantissa.replace("-", MINUS)
        return power if mantissa == "1" else f"{mantissa}×{power}"
    return text.replace("-", MINUS)
