"""Deliberate mistakes in `network`: each must make the named test fail."""

import pytest

DERIVATIVES = "tests/network/test_derivatives.py"
MUTANTS = {
    "sign of the Hessian's cross block": (
        "network/_hessian.py",
        'block = block - np.einsum("bc,ea->abce"',
        'block = block + np.einsum("bc,ea->abce"',
        f"{DERIVATIVES}::test_dense_hessian_equals_differences_of_the_gradient",
    ),
    "cross block dropped": (
        "network/_hessian.py",
        "            if j < i:\n",
        "            if j < i and depth == 0:\n",
        f"{DERIVATIVES}::test_spectrum_at_the_origin_of_two_layers_is_known",
    ),
    "middle product off by one": (
        "network/_hessian.py",
        "weights[j + 1 : i]:",
        "weights[j + 1 : i - 1]:",
        f"{DERIVATIVES}::test_dense_hessian_equals_differences_of_the_gradient",
    ),
    "error with the wrong sign": (
        "network/_hessian.py",
        "    error = target - front[depth] * metric\n",
        "    error = front[depth] * metric - target\n",
        f"{DERIVATIVES}::test_dense_hessian_equals_differences_of_the_gradient",
    ),
    "one half missing in the loss": (
        "network/_loss.py",
        "return 0.5 * float(np.vdot(error, error))",
        "return float(np.vdot(error, error))",
        f"{DERIVATIVES}::test_loss_equals_rational_arithmetic",
    ),
    "inertia without the shift": (
        "network/_inertia.py",
        "    shifted = matrix + shift * np.eye(size)\n",
        "    shifted = matrix.copy()\n",
        "tests/network/test_inertia.py::test_singular_integer_matrices_against_rational_arithmetic",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
