"""Deliberate mistakes in `rigorous`: each must make the named test fail."""

import pytest

MUTANTS = {
    "doubles leave balls rounded to nearest": (
        "rigorous/_balls.py",
        "    while library().arb(out) < bound:\n        out = math.nextafter(out, math.inf)\n",
        "",
        "tests/rigorous/test_balls.py::test_nearest_rounding_is_no_bound",
    ),
    "equality with the level counts as below it": (
        "rigorous/_rules.py",
        "bool(ball(error) ** 2 < ball(level))",
        "bool(ball(error) ** 2 <= ball(level))",
        "tests/rigorous/test_rules.py::test_exact_equality_is_never_a_yes",
    ),
    "factors of a rate may be negative": (
        "rigorous/_rules.py",
        "        best = ball(0)\n",
        "        best = ball(-(10**9))\n",
        "tests/rigorous/test_rules.py::test_two_negative_factors_give_no_rate",
    ),
    "eigenvectors taken for orthogonal": (
        "rigorous/_spectrum.py",
        "    return [_widen(value, error, defect) * ball(2.0**shift)",
        "    return [_widen(value, error, ball(0)) * ball(2.0**shift)",
        "tests/rigorous/test_spectrum.py::test_bad_eigenvectors_widen_but_never_lie",
    ),
    "residual of eigenvalues forgotten": (
        "rigorous/_spectrum.py",
        "    return [_widen(value, error, defect) * ball(2.0**shift)",
        "    return [_widen(value, ball(0), defect) * ball(2.0**shift)",
        "tests/rigorous/test_spectrum.py::test_bad_eigenvectors_widen_but_never_lie",
    ),
    "defect halved": (
        "rigorous/_defect.py",
        "        pull = _times(_turned(layers[j]), pull) if j else pull\n"
        "    return upper_root(total)\n",
        "        pull = _times(_turned(layers[j]), pull) if j else pull\n"
        "    return upper_root(total) / 2\n",
        "tests/rigorous/test_tube_bounds.py::test_defect_bounds_the_exact_one_and_little_more",
    ),
    "jump between steps dropped": (
        "rigorous/_tube.py",
        "up((end + jump) * SLACK)",
        "up(end * SLACK)",
        "tests/verify/test_verify.py::test_proofs_are_accepted",
    ),
    "Lipschitz term dropped": (
        "rigorous/_tube.py",
        "    growth = (here.lipschitz(reached) * reached - lowest).upper()\n",
        "    growth = (0 - lowest).upper()\n",
        "tests/verify/test_verify.py::test_proofs_are_accepted",
    ),
    "a-priori ball not confirmed": (
        "rigorous/_tube.py",
        "    if not begin * _factor(growth, length) < assumed:\n        return None\n",
        "",
        "tests/rigorous/test_tube_bounds.py::test_a_step_that_may_leave_its_assumed_ball_is_refused",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
