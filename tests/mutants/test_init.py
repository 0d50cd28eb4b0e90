"""Deliberate mistakes in `init`: each must make the named test fail."""

import pytest

MUTANTS = {
    "start grown for one layer less": (
        "init/_exponential.py",
        "square = _size(dims, pivot, target) / (len(dims) - 2)",
        "square = _size(dims, pivot, target) / (len(dims) - 1)",
        "tests/init/test_exponential.py::"
        "test_the_rate_asked_for_is_certified_wherever_sizes_allow_it",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
