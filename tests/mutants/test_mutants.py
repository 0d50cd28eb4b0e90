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
FLOW = "tests/theorems/test_along_the_flow.py"
WEIGHTS = "tests/data/test_hostile_weights.py"
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
    "conserved matrices transposed": (
        "conserved/_imbalance.py",
        "np.swapaxes(after, -1, -2) @ after - before @ np.swapaxes(before, -1, -2)",
        "after @ np.swapaxes(after, -1, -2) - np.swapaxes(before, -1, -2) @ before",
        "tests/conserved/test_imbalance.py::test_values_are_the_definition",
    ),
    "next larger eigenvalue in the rate": (
        "certificate/_rates.py",
        "index = widths[j] - widths[j + 1]\n",
        "index = min(widths[j] - widths[j + 1] + 1, widths[j] - 1)\n",
        "tests/certificate/test_rates.py::test_rate_is_attained_by_the_tight_start",
    ),
    "positive product of negative factors": (
        "certificate/_rates.py",
        "        alpha *= max(value, 0.0)\n"
        "    sure = all(item.holds is True for item in hypotheses)\n",
        "        alpha *= value\n    sure = True\n",
        "tests/certificate/test_rates.py::test_two_negative_factors_give_no_rate",
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
        "    arrived = near.moved <= STABLE * travelled and near.unstable <= STABLE * travelled\n",
        "    arrived = True\n",
        "tests/limit/test_limits.py::test_stopped_on_a_plateau_is_undecided",
    ),
    "gauge correction applied to one layer only": (
        "integrate/_project.py",
        "        out[j + 1] = out[j + 1] + out[j + 1] @ inverse\n",
        "",
        f"{FLOW}::test_drift_is_at_rounding",
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
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, tmp_path):
    file, old, new, test = MUTANTS[name]
    package = tmp_path / "thalweg"
    shutil.copytree(ROOT / "src" / "thalweg", package)
    source = (package / file).read_text("utf-8")
    assert source.count(old) == 1, f"{file} has changed: write the mutant anew"
    (package / file).write_text(source.replace(old, new), "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    command += ["-o", "addopts=--import-mode=importlib", "-p", "no:xdist"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 1, done.stdout[-2000:]
