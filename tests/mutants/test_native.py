"""Deliberate mistakes in the compiled core: each must make the named test fail."""

import pytest

BATCH = "tests/integrate/test_batch.py"
GAUGE = "tests/integrate/test_gauge.py"
EXACT = "tests/integrate/test_exactness.py"
VERDICTS = "tests/integrate/test_batch_verdicts.py"
MUTANTS = {
    "step control shared over the batch": (
        "lane_control.hpp",
        "        const Vector reach = select(s.high > 0.0, high_reach, low_reach);\n",
        "        Vector reach = select(s.high > 0.0, high_reach, low_reach);\n"
        "        for (int k = 0; k < V; ++k) reach = smaller(reach, broadcast(reach[k]));\n",
        f"{BATCH}::test_neighbours_order_and_threads_change_no_bit",
    ),
    "lanes with fewer stages do not wait": (
        "lane_rock4.hpp",
        "const Mask busy = recurrence > double(j);",
        "const Mask busy = recurrence > 0.0;",
        f"{BATCH}::test_neighbours_order_and_threads_change_no_bit",
    ),
    "plateaus end where steps do": (
        "lane_plateau.hpp",
        "return s.t + part * span.h;",
        "return s.t + span.h + 0 * part;",
        f"{VERDICTS}::test_plateaus_are_those_of_a_fine_integration",
    ),
    "one number is rest for every start": (
        "lane_rest.hpp",
        "if (!(std::fabs(s.slope[i]) <= units * bound_[i])) return false;",
        "if (!(std::fabs(s.slope[i]) <= limits.rest)) return false;",
        f"{VERDICTS}::test_a_tiny_gradient_near_a_saddle_is_no_rest",
    ),
    "the tail is closed too early": (
        "lane_step.hpp",
        "rest_share = 0.1;",
        "rest_share = 1e4;",
        f"{VERDICTS}::test_a_closed_tail_is_within_the_tolerance",
    ),
    "point of the linearization without its padding": (
        "bdf.hpp",
        "field_.unpack(origin, origin_);",
        "std::memcpy(origin_, origin, sizeof(double) * field_.size());",
        f"{EXACT}::test_a_flow_does_not_depend_on_slices",
    ),
    "error constant of the compiled multistep method": (
        "bdf.hpp",
        "constant = h / (t - past_.time(k));",
        "constant = 1.0 / (k + 2);",
        "tests/integrate/test_native_flow.py::test_steps_agree_with_numpy",
    ),
    "shift of the compiled systems": (
        "kronecker.hpp",
        "if (i == j) row[a] += shift_;",
        "if (i == j) row[a] += 0.5 * shift_;",
        f"{EXACT}::test_stiff_steps_agree_with_numpy",
    ),
    "the first prediction of a limit is believed": (
        "landing.hpp",
        "converged && (tail.error <= tail.goal ||",
        "converged && (true ||",
        "tests/integrate/test_tail.py::test_the_predicted_limit_is_that_of_the_flow",
    ),
    "Gauss-Newton steps that got stuck count as a landing": (
        "landing.hpp",
        "settled = 1e3,",
        "settled = 1e30,",
        "tests/integrate/test_tail.py::test_a_target_that_cannot_be_met_is_not_landed_on",
    ),
    "compiled gauge correction applied to one layer only": (
        "gauge.hpp",
        "store(above + i, load(above + i) + load(image_ + i));",
        "store(above + i, load(above + i));",
        f"{GAUGE}::test_matrices_are_restored_and_the_map_is_kept",
    ),
    "compiled change of coordinates undone to first order only": (
        "gauge.hpp",
        "if (!(most > 1e-17)) return s;",
        "if (!(most > 1e17)) return s;",
        f"{GAUGE}::test_matrices_are_restored_and_the_map_is_kept",
    ),
    "neighbouring layers do not answer to a change between them": (
        "gauge_space.hpp",
        "multiply<Mode::subtract>(n, n, m, {scratch_, m, 1}, w.transposed(), half_, n);",
        "multiply<Mode::subtract>(n, n, 0 * m, {scratch_, m, 1}, w.transposed(), half_, n);",
        f"{GAUGE}::test_the_change_is_the_least",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_of_the_core_is_killed(name, kill_in_core):
    kill_in_core(*MUTANTS[name])
