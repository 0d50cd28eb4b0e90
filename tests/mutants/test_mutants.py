"""Deliberate mistakes in a copy of the sources: each must make a named test fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DERIVATIVES = "tests/network/test_derivatives.py"
CLASSIFY = "tests/landscape/test_classify.py"
WEIGHTS = "tests/data/test_hostile_weights.py"
BATCH = "tests/integrate/test_batch.py"
SWEEP = "tests/basins/test_sweep.py"
ENDINGS = "tests/basins/test_verdicts.py"
INTERVALS = "tests/basins/test_intervals.py"
STORE = "tests/basins/store"
EXACT = "tests/integrate/test_exactness.py"
GAUGE = "tests/integrate/test_gauge.py"
VERDICTS = "tests/integrate/test_batch_verdicts.py"
IDENTITIES = "tests/optimizers/test_identities.py"
MUTANTS = {
    "differences of points that do not sum to one": (
        "integrate/_rock4_large.py",
        "points.append([1.0 - float(differences.sum()), *differences.tolist()])",
        "points.append([1.0, *differences.tolist()])",
        "tests/integrate/test_large.py::test_step_without_stored_slopes_is_the_step",
    ),
    "numbers of a start by its place in the chunk": (
        "basins/_streams.py",
        "stream.advance(first * blocks(count))",
        "stream.advance(0)",
        "tests/basins/test_streams.py::test_any_piece_gives_the_same_numbers",
    ),
    "one tail of an interval": (
        "basins/_intervals.py",
        "    tail = 0.5 * (1.0 - level)\n    low = float(betaincinv",
        "    tail = 1.0 - level\n    low = float(betaincinv",
        f"{INTERVALS}::test_clopper_pearson_covers_every_fraction",
    ),
    "level left out of the anytime interval": (
        "basins/_intervals.py",
        "    goal += math.log(1.0 - level)\n",
        "",
        f"{INTERVALS}::test_the_anytime_interval_survives_looking_all_the_time",
    ),
    "undecided starts left out of the denominator": (
        "basins/_fractions.py",
        "fraction=count / n if n else 0.0",
        "fraction=count / max(1, n - lost)",
        f"{SWEEP}::test_undecided_starts_are_a_class_of_their_own",
    ),
    "starts of a smaller network in the batch": (
        "basins/_compute.py",
        "    usual = ~degenerate(inner)\n",
        "    usual = degenerate(inner) | True\n",
        f"{ENDINGS}::test_starts_on_stable_sets_are_right_or_undecided",
    ),
    "rounding at saddles ignored": (
        "basins/_compute.py",
        "near = done.least_gradient <= NEAR *",
        "near = done.least_gradient < -NEAR *",
        f"{ENDINGS}::test_starts_on_stable_sets_are_right_or_undecided",
    ),
    "saddles of one hidden layer accepted": (
        "basins/_theorems.py",
        "return self._hidden <= 1 or learned",
        "return learned",
        f"{SWEEP}::test_a_row_against_a_theorem_is_a_defect",
    ),
    "the error left out of the floor": (
        "basins/_rates.py",
        "    best = (float(known.lowered[d_y - 1]) - error) / float(metric.max())\n",
        "    best = float(known.sigma[0]) / float(metric.min())\n",
        f"{ENDINGS}::test_rates_are_bounds",
    ),
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
    "conserved matrices transposed": (
        "conserved/_imbalance.py",
        "np.swapaxes(after, -1, -2) @ after - before @ np.swapaxes(before, -1, -2)",
        "after @ np.swapaxes(after, -1, -2) - np.swapaxes(before, -1, -2) @ before",
        "tests/conserved/test_imbalance.py::test_values_are_the_definition",
    ),
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
    "bound from the loss at the wrong time": (
        "trajectory/_trajectory.py",
        "later = certify_reduced(self.problem, weights, self.start, float(self.t[index]))",
        "later = certify_reduced(self.problem, weights, self.start, 0.0)",
        "tests/certificate/test_rates.py::test_certificate_holds_after_its_time_only",
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
    "start grown for one layer less": (
        "init/_exponential.py",
        "square = _size(dims, pivot, target) / (len(dims) - 2)",
        "square = _size(dims, pivot, target) / (len(dims) - 1)",
        "tests/init/test_exponential.py::"
        "test_the_rate_asked_for_is_certified_wherever_sizes_allow_it",
    ),
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
        f"{CLASSIFY}::test_near_points_are_right_or_undecided",
    ),
    "what polishing moved is forgotten": (
        "landscape/_nearest.py",
        "        distance = moved + crossed + parts.rounding\n",
        "        distance = crossed + parts.rounding\n",
        f"{CLASSIFY}::test_near_points_are_right_or_undecided",
    ),
    "inertia without the shift": (
        "network/_inertia.py",
        "    shifted = matrix + shift * np.eye(size)\n",
        "    shifted = matrix.copy()\n",
        "tests/network/test_inertia.py::test_singular_integer_matrices_against_rational_arithmetic",
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
    "residual loss of a bottleneck omitted": (
        "certificate/_basin.py",
        "    rest = float(np.sum(sigma[rank:] ** 2))\n",
        "    rest = 0.0\n",
        "tests/certificate/test_rates.py::test_levels_of_a_bottleneck",
    ),
    "undecided counted as a saddle": (
        "trajectory/_judge.py",
        "    arrived = near.moved <= STABLE * travelled and outlook(compression, point).decided\n",
        "    arrived = True\n",
        "tests/limit/test_limits.py::test_stopped_on_a_plateau_is_undecided",
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
    "pickles allowed": (
        "data/_numpy_files.py",
        '    if dtype.kind not in "fiub":\n',
        '    if dtype.kind not in "fiubOcMmU":\n',
        "tests/data/test_hostile_files.py::test_arrays_that_are_no_table",
    ),
    "ratio of compression unchecked": (
        "data/_numpy_files.py",
        "item.file_size > RATIO *",
        "item.file_size > 10**9 *",
        "tests/data/test_hostile_files.py::test_zip_bombs_are_refused_before_they_expand",
    ),
    "overlapping tensors accepted": (
        "data/_safetensors.py",
        "        if item.begin != before:\n",
        "        if item.begin > before:\n",
        f"{WEIGHTS}::test_headers_that_are_not_true",
    ),
    "gaps between tensors accepted": (
        "data/_safetensors.py",
        "        if item.begin != before:\n",
        "        if item.begin < before:\n",
        f"{WEIGHTS}::test_headers_that_are_not_true",
    ),
    "numbers behind the last tensor accepted": (
        "data/_safetensors.py",
        "    if last != size:\n",
        "    if last > size:\n",
        f"{WEIGHTS}::test_headers_that_are_not_true",
    ),
    "shape not compared with its place": (
        "data/_safetensors.py",
        "    if end - begin != wanted:\n",
        "    if end < begin:\n",
        f"{WEIGHTS}::test_headers_that_are_not_true",
    ),
    "second of two equal keys wins": (
        "data/_safetensors.py",
        "        if len(out) != len(pairs):\n",
        "        if not out and pairs:\n",
        f"{WEIGHTS}::test_headers_that_are_not_true",
    ),
    "header as long as it says": (
        "data/_safetensors.py",
        "    if length > HEADER:\n",
        "    if length > 2**40:\n",
        f"{WEIGHTS}::test_headers_longer_than_any_network",
    ),
    "size checked after reading": (
        "data/_safetensors.py",
        "            check_size((item.shape for item in entries), name)\n",
        "",
        f"{WEIGHTS}::test_size_is_refused_before_memory_is_taken",
    ),
    "bfloat16 as the lower half": (
        "data/_safetensors.py",
        'astype("<u4") << 16',
        'astype("<u4") << 0',
        f"{WEIGHTS}::test_numbers_that_are_none",
    ),
    "layers in the order of text": (
        "data/_layers.py",
        "    names = sorted(shapes, key=natural_key)\n",
        "    names = sorted(shapes)\n",
        "tests/data/test_weight_files.py::test_files_of_the_safetensors_package",
    ),
    "biases dropped whatever they are": (
        "data/_layers.py",
        "        elif np.any(array):\n",
        "        elif array is None:\n",
        "tests/data/test_weight_files.py::test_biases",
    ),
    "state dicts may run code": (
        "data/_torch_files.py",
        "mmap=True, weights_only=True)",
        "mmap=True, weights_only=False)",
        f"{WEIGHTS}::test_pickles_with_code_are_not_run",
    ),
    "PyTorch with the hole accepted": (
        "data/_torch_files.py",
        "NEEDED = (2, 6)\n",
        "NEEDED = (2, 5)\n",
        "tests/data/test_weight_files.py::test_pytorch_that_is_missing_or_not_safe",
    ),
    "packed state dicts accepted": (
        "data/_torch_files.py",
        "    if any(item.compress_type != zipfile.ZIP_STORED for item in members):\n",
        "    if not members:\n",
        f"{WEIGHTS}::test_archives_that_torch_never_writes",
    ),
    "expanded tensors accepted": (
        "data/_torch_files.py",
        "    check_size((tuple(value.shape) for value in table.values()), name)\n",
        "",
        f"{WEIGHTS}::test_tensors_that_claim_more_than_there_is",
    ),
    "batches reduced through inner products": (
        "data/_reduce.py",
        'factor = np.asarray(np.linalg.qr(stack, mode="r"), dtype=np.float64)',
        "factor = np.linalg.cholesky(stack.T @ stack + 1e-12 * np.eye(stack.shape[1])).T",
        "tests/data/test_reduction_by_batches.py::"
        "test_normal_equations_would_lose_what_orthogonal_reduction_keeps",
    ),
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
        "tests/rigorous/test_tube.py::test_defect_bounds_the_exact_one_and_little_more",
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
        "tests/rigorous/test_tube.py::test_a_step_that_may_leave_its_assumed_ball_is_refused",
    ),
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
        "tests/verify/test_verify.py::test_forged_spectra_are_not_true",
    ),
    "lock of a dead process believed": (
        "basins/_lock.py",
        "            if not _flock(handle, path):\n                holder",
        "            if True:\n                holder",
        f"{STORE}/test_crash_kills.py::test_the_whole_group_at_random_moments",
    ),
    "content of a chunk not synced before its name": (
        "basins/_disk.py",
        "            os.fsync(handle)\n            # Reading back",
        "            # Reading back",
        f"{STORE}/test_crash_failpoints.py::test_the_power_fails_at_any_moment",
    ),
    "hash of a chunk not compared": (
        "basins/_chunk_file.py",
        "    if _digest(content) != match[2]:",
        "    if not match[2]:",
        f"{STORE}/test_store_damage.py::test_four_hundred_flipped_bits",
    ),
    "pages without checksums": (
        "basins/_chunk_file.py",
        '"write_page_checksum": True',
        '"write_page_checksum": False',
        f"{STORE}/test_store_damage.py::test_checksums_of_pages_protect_other_readers",
    ),
    "chunk of another run accepted": (
        "basins/_chunk_file.py",
        '    if stamp.get(b"thalweg.run") != fingerprint.encode():',
        '    if not stamp.get(b"thalweg.run"):',
        f"{STORE}/test_store_damage.py::test_a_chunk_of_another_run",
    ),
    "chunks of a broken pool forgotten": (
        "basins/_execute.py",
        "        if self.deaths[chunk] < RETRIES:\n            self.suspects.append(chunk)\n",
        "        if self.deaths[chunk] < RETRIES:\n            pass\n",
        f"{STORE}/test_execute.py::test_lack_of_memory_is_tried_again_alone",
    ),
    "workers outlive their parent": (
        "basins/_worker.py",
        "    os._exit(1)\n",
        "    return\n",
        f"{STORE}/test_crash_kills.py::test_the_parent_alone",
    ),
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
        f"{IDENTITIES}::test_predictions_are_those_of_rational_arithmetic",
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
    "above the level counts as below it": (
        "counterexamples/_gradient_flow.py",
        "self._level.value - self.loss[k] - slack",
        "self.loss[k] - self._level.value - slack",
        "tests/counterexamples/test_gradient_flow.py::"
        "test_a_start_above_the_level_has_to_get_below_it",
    ),
    "bias left out of the law of a pair": (
        "monitor/_graph.py",
        '    if getattr(module, "bias", None) is not None:\n',
        '    if getattr(module, "bias", None) is True:\n',
        "tests/monitor/test_laws.py::test_biases_belong_to_the_first_layer",
    ),
    "all of the matrix conserved through an activation": (
        "monitor/_graph.py",
        '        path.matrix &= found != "unit"\n',
        "",
        "tests/monitor/test_laws.py::test_channels_of_convolutions",
    ),
    "laws taken on trust": (
        "monitor/_watched.py",
        "        if found > allowed:\n",
        "        if found > allowed + 9.0:\n",
        "tests/monitor/test_laws.py::test_what_does_not_commute_has_no_law_however_it_is_claimed",
    ),
    "mixed terms given to one part": (
        "monitor/_optimizers.py",
        "self.change, alpha=0.5, out=self.room)",
        "self.change, alpha=0.0, out=self.room)",
        "tests/monitor/test_identities.py::test_parts_add_up_to_the_measured_change",
    ),
    "nesterov's step taken for the buffer": (
        "monitor/_optimizers.py",
        "    if not settings.nesterov:\n",
        "    if settings.momentum:\n",
        "tests/monitor/test_identities.py::test_parts_add_up_to_the_measured_change",
    ),
    "leftover gradient counted as fresh": (
        "monitor/_step.py",
        "        update.fresh = update.fresh - update.leftover\n",
        "",
        "tests/monitor/test_training.py::test_a_leftover_gradient_is_detected",
    ),
    "heads mixed up in attention": (
        "monitor/_laws.py",
        "heads, -1).permute(1, 2, 0)",
        "-1, heads).permute(2, 1, 0)",
        "tests/monitor/test_laws.py::test_attention_within_heads",
    ),
    "random numbers of the training used": (
        "monitor/_undisturbed.py",
        "        with torch.random.fork_rng(devices=sorted(index or 0 for index in devices)):\n"
        "            yield\n",
        "        yield\n",
        "tests/monitor/test_training.py::test_losses_are_the_same_bits",
    ),
    "minibatches of shallow networks not scaled to the whole": (
        "nonlinear/_network.py",
        "            self._scale * self.n_samples / rows.size,\n",
        "            self._scale,\n",
        "tests/optimizers/test_shallow.py::"
        "test_minibatch_gradients_of_shallow_problems_average_to_the_whole",
    ),
    "squares of gradients underflow": (
        "counterexamples/_gradient_flow.py",
        "        self.norm.append(length(self._system.grad(x)))\n",
        "        self.norm.append(float(np.linalg.norm(self._system.grad(x))))\n",
        "tests/counterexamples/test_gradient_flow.py::"
        "test_gradients_whose_squares_underflow_are_no_arrival",
    ),
    "bias correction of the first moment forgotten": (
        "monitor/_optimizers.py",
        "update.scaled, update.factor = scaled, 1.0 / correction",
        "update.scaled, update.factor = scaled, 1.0",
        "tests/monitor/test_identities.py::test_the_first_step_of_adam_remembers_nothing",
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
    "dense output through one point too few": (
        "integrate/_solution.py",
        "chosen = range(first, min(first + order + 1, len(self.t)))",
        "chosen = range(first + order - 1, min(first + order + 1, len(self.t)))",
        "tests/integrate/test_bdf.py::test_dense_output_is_as_exact_as_the_points",
    ),
}

NATIVE = {
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
COMPILER = next((path for name in ("c++", "g++", "clang++") if (path := shutil.which(name))), None)


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, tmp_path):
    file, old, new, test = MUTANTS[name]
    package = tmp_path / "thalweg"
    shutil.copytree(ROOT / "src" / "thalweg", package)
    source = (package / file).read_text("utf-8")
    assert source.count(old) == 1, f"{file} has changed: write the mutant anew"
    (package / file).write_text(source.replace(old, new), "utf-8")
    run_test(test, tmp_path)


@pytest.mark.skipif(COMPILER is None, reason="no compiler")
@pytest.mark.parametrize("name", NATIVE)
def test_mutant_of_the_core_is_killed(name, tmp_path):
    file, old, new, test = NATIVE[name]
    package, sources = tmp_path / "thalweg", tmp_path / "native"
    shutil.copytree(ROOT / "src" / "thalweg", package, ignore=shutil.ignore_patterns("*.so"))
    shutil.copytree(ROOT / "src" / "native", sources)
    source = (sources / file).read_text("utf-8")
    assert source.count(old) == 1, f"{file} has changed: write the mutant anew"
    (sources / file).write_text(source.replace(old, new), "utf-8")
    library = package / "_native" / "generic.so"
    command = [COMPILER, "-O1", "-std=c++20", "-fno-math-errno", "-fPIC", "-shared", "-o", library]
    subprocess.run([*command, *sorted(sources.glob("*.cpp"))], check=True, timeout=100)
    run_test(test, tmp_path)


def run_test(test, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    command += ["-o", "addopts=--import-mode=importlib", "-p", "no:xdist"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1, done.stdout[-2000:]
