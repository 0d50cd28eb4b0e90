"""Deliberate mistakes in `nonlinear`: each must make the named test fail."""

import pytest

MUTANTS = {
    "slope of the output activation forgotten": (
        "nonlinear/_field.py",
        "pull = self.scale * error * self.outer.slope(out)",
        "pull = self.scale * error",
        "tests/nonlinear/test_derivatives.py::test_gradient_equals_differences_of_the_loss",
    ),
    "Sigma of arctan without its logarithm": (
        "nonlinear/_activation.py",
        " - square / 6.0 - np.log1p(square) / 3.0",
        " - square / 6.0",
        "tests/nonlinear/test_activation.py::test_sigma_is_the_integral",
    ),
    "held kinks cross": (
        "nonlinear/_kinks.py",
        "        if rate * (1.0 if up[unit, sample] else -1.0) >= 0.0:\n",
        "        if np.isfinite(rate):\n",
        "tests/nonlinear/test_kinks.py::test_a_kink_holds_the_trajectory",
    ),
    "samples weighted alike in the law": (
        "nonlinear/_law.py",
        "np.divide(1.0, squares, out",
        "np.divide(squares, squares, out",
        "tests/nonlinear/test_law.py::test_lemma_5_along_the_gradient",
    ),
    "minibatches of shallow networks not scaled to the whole": (
        "nonlinear/_network.py",
        "            self._scale * self.n_samples / rows.size,\n",
        "            self._scale,\n",
        "tests/optimizers/test_shallow.py::"
        "test_minibatch_gradients_of_shallow_problems_average_to_the_whole",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
