"""Deliberate mistakes in `trajectory`: each must make the named test fail."""

import pytest

MUTANTS = {
    "bound from the loss at the wrong time": (
        "trajectory/_trajectory.py",
        "later = certify_reduced(self.problem, weights, self.start, float(self.t[index]))",
        "later = certify_reduced(self.problem, weights, self.start, 0.0)",
        "tests/certificate/test_rates.py::test_certificate_holds_after_its_time_only",
    ),
    "undecided counted as a saddle": (
        "trajectory/_judge.py",
        "    arrived = near.moved <= STABLE * travelled and outlook(compression, point).decided\n",
        "    arrived = True\n",
        "tests/limit/test_limits.py::test_stopped_on_a_plateau_is_undecided",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
