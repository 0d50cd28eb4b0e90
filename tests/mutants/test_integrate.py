"""Deliberate mistakes in `integrate`: each must make the named test fail."""

import pytest

GAUGE = "tests/integrate/test_gauge.py"
BATCH = "tests/integrate/test_batch.py"
EXACT = "tests/integrate/test_exactness.py"
MUTANTS = {
    "differences of points that do not sum to one": (
        "integrate/_rock4_large.py",
        "points.append([1.0 - float(differences.sum()), *differences.tolist()])",
        "points.append([1.0, *differences.tolist()])",
        "tests/integrate/test_large.py::test_step_without_stored_slopes_is_the_step",
    ),
    "gauge correction applied to one layer only": (
        "integrate/_project.py",
        "        out[j + 1] = out[j + 1] + out[j + 1] @ inverse\n",
        "",
        f"{GAUGE}::test_when_numpy_does_it",
    ),
    "drift of a batch left as it is": (
        "integrate/_single.py",
        "        repaired = project(end[np.newaxis], dims, _conserved(layers))[0]\n",
        "        repaired = end.copy()\n",
        f"{BATCH}::test_conserved_matrices_are_restored_and_the_product_is_kept",
    ),
    "predictor through the wrong points": (
        "integrate/_bdf.py",
        "predicted = self._extrapolated(k, t, 0)",
        "predicted = self._extrapolated(k - 1, t, 0)",
        f"{EXACT}::test_the_error_estimate_is_the_error",
    ),
    "corrector with the slope's wrong sign": (
        "integrate/_bdf.py",
        "return [w / (at - t) for w, at",
        "return [w / (t - at) for w, at",
        "tests/integrate/test_bdf.py::test_steps_are_of_their_order",
    ),
    "error constant of a multistep method": (
        "integrate/_bdf.py",
        "h / (t - self.times[k])\n            predicted",
        "1 / (k + 2)\n            predicted",
        f"{EXACT}::test_the_error_estimate_is_the_error",
    ),
    "shift left out of a small system": (
        "integrate/_gauss_newton.py",
        "np.linalg.inv(whole + shift * np.eye(rows * cols))",
        "np.linalg.inv(whole + 0.5 * shift * np.eye(rows * cols))",
        "tests/integrate/test_bdf.py::test_systems_are_those_of_the_gauss_newton_part",
    ),
    "systems solved too loosely for a small shift": (
        "integrate/_gauss_newton.py",
        "min(ENOUGH, MARGIN * shift / radius)",
        "ENOUGH",
        "tests/integrate/test_bdf.py::test_stiff_directions_are_exact_to_their_own_size",
    ),
    "dense output through one point too few": (
        "integrate/_solution.py",
        "chosen = range(first, min(first + order + 1, len(self.t)))",
        "chosen = range(first + order - 1, min(first + order + 1, len(self.t)))",
        "tests/integrate/test_bdf.py::test_dense_output_is_as_exact_as_the_points",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
