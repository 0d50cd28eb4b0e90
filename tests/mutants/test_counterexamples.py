"""Deliberate mistakes in `counterexamples`: each must make the named test fail."""

import pytest

MUTANTS = {
    "above the level counts as below it": (
        "counterexamples/_gradient_flow.py",
        "self._level.value - self.loss[k] - slack",
        "self.loss[k] - self._level.value - slack",
        "tests/counterexamples/test_gradient_flow.py::"
        "test_a_start_above_the_level_has_to_get_below_it",
    ),
    "squares of gradients underflow": (
        "counterexamples/_gradient_flow.py",
        "        self.norm.append(length(self._system.grad(x)))\n",
        "        self.norm.append(float(np.linalg.norm(self._system.grad(x))))\n",
        "tests/counterexamples/test_gradient_flow.py::"
        "test_gradients_whose_squares_underflow_are_no_arrival",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
