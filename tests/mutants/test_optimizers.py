"""Deliberate mistakes in `optimizers`: each must make the named test fail."""

import pytest

IDENTITIES = "tests/optimizers/test_identities.py"
MUTANTS = {
    "squares of the gradients with the wrong sign": (
        "optimizers/_prediction.py",
        "square = [asked.lr**2 * item",
        "square = [-(asked.lr**2) * item",
        f"{IDENTITIES}::test_every_step_does_what_it_must",
    ),
    "what momentum remembers left out of the first order": (
        "optimizers/_prediction.py",
        "along = beta * pull[j] + own",
        "along = own",
        "tests/optimizers/test_rational_identities.py::test_predictions_are_those_of_rational_arithmetic",
    ),
    "weight decay acting once on a square": (
        "optimizers/_prediction.py",
        "own = 2.0 * asked.loss_decay * item",
        "own = asked.loss_decay * item",
        f"{IDENTITIES}::test_every_step_does_what_it_must",
    ),
    "drift of heavy ball as if it were gradient descent": (
        "optimizers/_step_sweep.py",
        "return (1.0 + beta) / (1.0 - beta) ** 2",
        "return 1.0 / (1.0 - beta)",
        "tests/optimizers/test_flow_limit.py::test_drift_has_the_predicted_slope",
    ),
    "long steps certified in the basin": (
        "optimizers/_ending.py",
        "certified = settings.plain and settings.lr <= safe",
        "certified = settings.plain and settings.lr > 0.0",
        "tests/optimizers/test_step_size.py::test_beyond_it_a_row_warns_and_nothing_is_certified",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
