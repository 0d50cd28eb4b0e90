"""Deliberate mistakes in `conserved`: each must make the named test fail."""

import pytest

MUTANTS = {
    "conserved matrices transposed": (
        "conserved/_imbalance.py",
        "np.swapaxes(after, -1, -2) @ after - before @ np.swapaxes(before, -1, -2)",
        "after @ np.swapaxes(after, -1, -2) - np.swapaxes(before, -1, -2) @ before",
        "tests/conserved/test_imbalance.py::test_values_are_the_definition",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
