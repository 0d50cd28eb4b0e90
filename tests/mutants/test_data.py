"""Deliberate mistakes in `data`: each must make the named test fail."""

import pytest

WEIGHTS = "tests/data/test_hostile_weights.py"
MUTANTS = {
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
        "tests/data/test_hostile_pickles.py::test_pickles_with_code_are_not_run",
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
        "tests/data/test_hostile_pickles.py::test_archives_that_torch_never_writes",
    ),
    "expanded tensors accepted": (
        "data/_torch_files.py",
        "    check_size((tuple(value.shape) for value in table.values()), name)\n",
        "",
        "tests/data/test_hostile_pickles.py::test_tensors_that_claim_more_than_there_is",
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
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
