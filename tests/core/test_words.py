import math

import pytest

from thalweg._core import direction, learned_words, number


@pytest.mark.parametrize(
    ("learned", "words"),
    [
        ((), "nothing learned"),
        ((0,), "σ₁ learned"),
        ((1, 0), "σ₁, σ₂ learned"),
        ((0, 1, 2), "σ₁–σ₃ learned"),
        ((0, 2, 3, 4, 9), "σ₁, σ₃–σ₅, σ₁₀ learned"),
    ],
)
def test_learned_sets_are_counted_from_one(learned, words):
    assert learned_words(learned) == words


def test_direction_with_two_digits():
    assert direction(11) == "σ₁₂"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (2.5, "2.5"),
        (-0.25, "−0.25"),
        (1e-12, "10⁻¹²"),
        (-3.2e-7, "−3.2×10⁻⁷"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "unknown"),
    ],
)
def test_numbers_are_plain_text(value, text):
    assert number(value) == text
