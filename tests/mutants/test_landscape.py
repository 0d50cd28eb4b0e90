"""Deliberate mistakes in `landscape`: each must make the named test fail."""

import pytest

CLASSIFY = "tests/landscape/test_classify.py"
MUTANTS = {
    "sigma instead of its square in the levels": (
        "landscape/_learned.py",
        "return 0.5 * float(rest @ rest)",
        "return 0.5 * float(rest.sum())",
        "tests/limit/test_limits.py::test_plateaus_are_passed_in_order_and_are_not_limits",
    ),
    "only the pivot (L, 1)": (
        "landscape/_pivots.py",
        "in pivot_arcs(depth):\n",
        "in pivot_arcs(depth)[-depth + 1 :][-1:]:\n",
        f"{CLASSIFY}::test_rule_agrees_with_the_dense_hessian_and_every_verdict_has_its_witness",
    ),
    "both ranks instead of one": (
        "landscape/_pivots.py",
        "tight = rank in {one, two}",
        "tight = {rank} == {one, two}",
        f"{CLASSIFY}::test_rule_agrees_with_the_dense_hessian_and_every_verdict_has_its_witness",
    ),
    "order of the learned set ignored": (
        "landscape/_classify.py",
        "    if not top or rank == p.max_rank:\n",
        "    if rank == p.max_rank:\n",
        "tests/landscape/test_classify.py::test_published_spectra",
    ),
    "between the layers of a pivot one too many": (
        "landscape/_strings.py",
        "((i, j), (j, i - j), (i, depth + 1 - i + j))",
        "((i, j), (j, i - j + 1), (i, depth + 1 - i + j))",
        f"{CLASSIFY}::test_rule_agrees_with_the_dense_hessian_and_every_verdict_has_its_witness",
    ),
    "B_2 without Sigma_XY": (
        "landscape/_split.py",
        "    np.fill_diagonal(link, target.sigma[rest])\n",
        "    link[:] = np.cos(np.arange(link.size)).reshape(link.shape)\n",
        f"{CLASSIFY}::test_case_1_2_needs_the_data_in_the_pivot",
    ),
    "products that vanish are filled all the same": (
        "landscape/_escape.py",
        "if norm > 0.0 and ranks[steps, pair[1] - 1]:",
        "if norm > 0.0:",
        "tests/landscape/test_witness.py::test_escape_order_is_the_least_number_of_layers_to_fill",
    ),
    "open paths are not avoided": (
        "landscape/_escape.py",
        "    best = max(trials, key=lambda item: float(np.linalg.norm(item, 2)))\n",
        "    best = product\n",
        "tests/landscape/test_witness.py::test_a_pivot_is_left_however_strong_the_open_paths_are",
    ),
    "gap measured against the layer instead of the distance": (
        "landscape/_nearest.py",
        "float(values[count - 1]) / units[j - 1])",
        "float(values[count - 1]) / scale)",
        "tests/landscape/test_near_points.py::test_near_points_are_right_or_undecided",
    ),
    "what polishing moved is forgotten": (
        "landscape/_nearest.py",
        "        distance = moved + crossed + parts.rounding\n",
        "        distance = crossed + parts.rounding\n",
        "tests/landscape/test_near_points.py::test_near_points_are_right_or_undecided",
    ),
    "maps between strings counted from the wrong end": (
        "landscape/_strata.py",
        "        shared = (begin + size - 1 - start) % (depth + 1) + 1\n",
        "        shared = (begin - start) % (depth + 1) + 1\n",
        "tests/landscape/test_strata.py::test_dimensions_are_the_ranks_of_tangent_spaces",
    ),
    "negative eigenvalues of C_j ask for rank of the next layer": (
        "landscape/_excluded.py",
        "        needs[j] = max(needs[j], negative - rank)\n",
        "        needs[j + 1] = max(needs[j + 1], negative - rank)\n",
        "tests/landscape/test_excluded.py::"
        "test_no_critical_point_is_excluded_by_its_own_invariants",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
