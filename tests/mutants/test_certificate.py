"""Deliberate mistakes in `certificate`: each must make the named test fail."""

import pytest

MUTANTS = {
    "next larger eigenvalue in the rate": (
        "certificate/_floors.py",
        "best = [float(np.max(conserved[q:] + known[q:][::-1])) for q in range(count)]",
        "best = [float(np.max(conserved[max(q - 1, 0) :][: len(known[q:])] + known[q:][::-1]))"
        " for q in range(count)]",
        "tests/certificate/test_rates.py::test_rate_is_attained_by_the_tight_start",
    ),
    "conserved matrix with the wrong sign on the way back": (
        "certificate/_floors.py",
        "np.linalg.eigvalsh(sign * matrices[between])",
        "np.linalg.eigvalsh(matrices[between])",
        "tests/certificate/test_floors.py::"
        "test_floors_of_multiples_of_the_identity_are_differences_of_squares",
    ),
    "least singular value added where another index belongs": (
        "certificate/_floors.py",
        "    known[: len(before)] = np.maximum(before, 0.0)\n",
        "    known[:] = max(float(before[-1]), 0.0) if len(before) else 0.0\n",
        "tests/certificate/test_floors.py::"
        "test_accumulation_stops_where_a_layer_has_fewer_columns_than_rows",
    ),
    "present singular values taken for bounds": (
        "certificate/_floors.py",
        "        bound: Array = np.zeros(0)\n",
        "        first = weights[0 if sign == 1 else -1]\n"
        "        bound: Array = np.linalg.svd(first, compute_uv=False) ** 2\n",
        "tests/certificate/test_floors.py::test_present_singular_values_are_not_bounds",
    ),
    "one factor instead of the product": (
        "certificate/_initial_rate.py",
        "return math.prod(factors) if all(",
        "return min(factors, default=1.0) if all(",
        "tests/certificate/test_rates.py::test_the_rate_is_the_product_of_all_factors",
    ),
    "positive product of negative factors": (
        "certificate/_initial_rate.py",
        "return math.prod(factors) if all(factor > 0.0 for factor in factors) else 0.0",
        "return max(math.prod(factors), 0.0)",
        "tests/certificate/test_rates.py::test_two_negative_factors_give_no_rate",
    ),
    "pivots whatever the sizes": (
        "certificate/_initial_rate.py",
        "if _violation(dims, j) == 0]",
        "if _violation(dims, j) <= 1]",
        "tests/certificate/test_honest_none.py::test_bottleneck_with_growing_layers",
    ),
    "metric forgotten in the rate of the start": (
        "certificate/_initial_rate.py",
        "    scale = lowered_least(metric) ** 2\n",
        "    scale = 1.0\n",
        "tests/certificate/test_floors.py::test_the_metric_enters_by_its_least_value",
    ),
    "metric forgotten in the later rate": (
        "certificate/_later_rate.py",
        "(lowered_least(point.metric) * point.product_floor / bounds[0]) ** 2",
        "(point.product_floor / bounds[0]) ** 2",
        "tests/certificate/test_later_rates.py::test_the_metric_may_not_be_forgotten",
    ),
    "metric forgotten in the norm bounds": (
        "certificate/_norm_bounds.py",
        "return (float(np.linalg.norm(target, 2)) + error) / lowered_least(metric)",
        "return float(np.linalg.norm(target, 2)) + error",
        "tests/certificate/test_norm_bounds.py::test_a_small_metric_allows_large_layers",
    ),
    "error left out of the product's bound": (
        "certificate/_norm_bounds.py",
        "return (float(np.linalg.norm(target, 2)) + error) /",
        "return float(np.linalg.norm(target, 2)) /",
        "tests/certificate/test_norm_bounds.py::test_balanced_scalar_chain_attains_its_bound",
    ),
    "frozen part left out of the bound": (
        "certificate/_certify.py",
        "min(math.hypot(moving, frozen), by_path)",
        "min(moving, by_path)",
        "tests/certificate/test_norm_bounds.py::test_the_frozen_part_counts",
    ),
    "whitening left out of the bound": (
        "certificate/_certify.py",
        'stretch = 1.0 if p.metric == "raw" else 1.0 / lowered_least(p.input_singular_values)',
        "stretch = 1.0",
        "tests/certificate/test_norm_bounds.py::test_whitening_stretches_the_first_layer",
    ),
    "envelope without the time of its point": (
        "certificate/_certificate.py",
        "elapsed = np.asarray(t, dtype=np.float64) - self.time",
        "elapsed = np.asarray(t, dtype=np.float64)",
        "tests/certificate/test_later_rates.py::"
        "test_the_envelope_starts_at_its_time_and_ends_at_the_least_loss",
    ),
    "rate of the loss taken for that of the error": (
        "certificate/_certificate.py",
        "decay = np.exp(-2.0 * self.rate *",
        "decay = np.exp(-4.0 * self.rate *",
        "tests/certificate/test_later_rates.py::test_time_to_reach_inverts_the_envelope",
    ),
    "half the gap instead of a quarter": (
        "certificate/_later_rate.py",
        "0.25 * gap - excess if usable",
        "0.5 * gap - excess if usable",
        "tests/certificate/test_later_rates.py::"
        "test_above_a_quarter_of_the_gap_a_bottleneck_has_no_rate",
    ),
    "a margin of the wrong sign": (
        "certificate/_hypothesis.py",
        "MARGIN = 1e-10\n",
        "MARGIN = -1e-10\n",
        "tests/certificate/test_rates.py::test_basin_is_the_gap_to_the_next_level",
    ),
    "what is close counts as decided": (
        "certificate/_hypothesis.py",
        "    if not abs(value - threshold) > slack:",
        "    if abs(value - threshold) < 0.0:",
        "tests/certificate/test_rates.py::test_what_rounding_cannot_decide_is_undecided",
    ),
    "rounding errors of eigenvalues ignored": (
        "certificate/_floors.py",
        "lowered = np.asarray(values - widening * slack[between], dtype=np.float64)",
        "lowered = np.asarray(values + 1e-15, dtype=np.float64)",
        "tests/certificate/test_rates.py::test_what_rounding_cannot_decide_is_undecided",
    ),
    "curvature of the start for all of gradient descent": (
        "certificate/_step_size.py",
        "        drift = step * loss / (1.0 - share)\n",
        "        bounds = np.array([np.linalg.norm(item, 2) for item in weights])\n"
        "        return curvature_bound(bounds, error, metric)\n",
        "tests/certificate/test_step_size.py::"
        "test_the_loss_never_rises_with_steps_up_to_the_safe_one",
    ),
    "second derivative without its second part": (
        "certificate/_step_size.py",
        "                matrix[i, j] += error * largest * both\n",
        "                matrix[i, j] += 0.0 * both\n",
        "tests/certificate/test_step_size.py::test_curvature_bound_is_above_the_dense_hessian",
    ),
    "residual loss of a bottleneck omitted": (
        "certificate/_basin.py",
        "    rest = float(sigma[rank:].dot(sigma[rank:]))\n",
        "    rest = 0.0\n",
        "tests/certificate/test_rates.py::test_levels_of_a_bottleneck",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
