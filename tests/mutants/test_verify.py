"""Deliberate mistakes in `verify`: each must make the named test fail."""

import pytest

MUTANTS = {
    "checksum of a proof not looked at": (
        "verify/_verify.py",
        "    if not proof.sealed:\n",
        "    if proof is None:\n",
        "tests/verify/test_verify.py::test_every_number_is_sealed",
    ),
    "one eigenvalue too few checked": (
        "verify/_facts.py",
        "inertia(shifted(matrix, Fraction(low)))[0] > k:",
        "inertia(shifted(matrix, Fraction(low)))[0] > k + 1:",
        "tests/verify/test_forged.py::test_forged_spectra_are_not_true",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
