"""Deliberate mistakes in `basins`: each must make the named test fail."""

import pytest

SWEEP = "tests/basins/test_sweep.py"
ENDINGS = "tests/basins/test_verdicts.py"
INTERVALS = "tests/basins/test_intervals.py"
STORE = "tests/basins/store"
MUTANTS = {
    "numbers of a start by its place in the chunk": (
        "basins/plan/_streams.py",
        "stream.advance(first * blocks(count))",
        "stream.advance(0)",
        "tests/basins/test_streams.py::test_any_piece_gives_the_same_numbers",
    ),
    "one tail of an interval": (
        "basins/statistics/_intervals.py",
        "    tail = 0.5 * (1.0 - level)\n    low = float(betaincinv",
        "    tail = 1.0 - level\n    low = float(betaincinv",
        f"{INTERVALS}::test_clopper_pearson_covers_every_fraction",
    ),
    "level left out of the anytime interval": (
        "basins/statistics/_intervals.py",
        "    goal += math.log(1.0 - level)\n",
        "",
        f"{INTERVALS}::test_the_anytime_interval_survives_looking_all_the_time",
    ),
    "undecided starts left out of the denominator": (
        "basins/statistics/_fractions.py",
        "fraction=count / n if n else 0.0",
        "fraction=count / max(1, n - lost)",
        f"{SWEEP}::test_undecided_starts_are_a_class_of_their_own",
    ),
    "starts of a smaller network in the batch": (
        "basins/rows/_compute.py",
        "    usual = ~degenerate(inner)\n",
        "    usual = degenerate(inner) | True\n",
        f"{ENDINGS}::test_starts_on_stable_sets_are_right_or_undecided",
    ),
    "rounding at saddles ignored": (
        "basins/rows/_compute.py",
        "near = done.least_gradient <= NEAR *",
        "near = done.least_gradient < -NEAR *",
        f"{ENDINGS}::test_starts_on_stable_sets_are_right_or_undecided",
    ),
    "saddles of one hidden layer accepted": (
        "basins/statistics/_theorems.py",
        "return self._hidden <= 1 or learned",
        "return learned",
        f"{SWEEP}::test_a_row_against_a_theorem_is_a_defect",
    ),
    "the error left out of the floor": (
        "basins/rows/_rates.py",
        "    best = (float(known.lowered[d_y - 1]) - error) / float(metric.max())\n",
        "    best = float(known.sigma[0]) / float(metric.min())\n",
        f"{ENDINGS}::test_rates_are_bounds",
    ),
    "lock of a dead process believed": (
        "basins/store/_lock.py",
        "            if not _flock(handle, path):\n                holder",
        "            if True:\n                holder",
        f"{STORE}/test_crash_kills.py::test_the_whole_group_at_random_moments",
    ),
    "content of a chunk not synced before its name": (
        "basins/store/_disk.py",
        "            os.fsync(handle)\n            # Reading back",
        "            # Reading back",
        f"{STORE}/test_crash_failpoints.py::test_the_power_fails_at_any_moment",
    ),
    "hash of a chunk not compared": (
        "basins/store/_chunk_file.py",
        "    if _digest(content) != match[2]:",
        "    if not match[2]:",
        f"{STORE}/test_store_damage.py::test_four_hundred_flipped_bits",
    ),
    "pages without checksums": (
        "basins/store/_chunk_file.py",
        '"write_page_checksum": True',
        '"write_page_checksum": False',
        f"{STORE}/test_store_damage.py::test_checksums_of_pages_protect_other_readers",
    ),
    "chunk of another run accepted": (
        "basins/store/_chunk_file.py",
        '    if stamp.get(b"thalweg.run") != fingerprint.encode():',
        '    if not stamp.get(b"thalweg.run"):',
        f"{STORE}/test_store_damage.py::test_a_chunk_of_another_run",
    ),
    "chunks of a broken pool forgotten": (
        "basins/executors/_execute.py",
        "        if self.deaths[chunk] < RETRIES:\n            self.suspects.append(chunk)\n",
        "        if self.deaths[chunk] < RETRIES:\n            pass\n",
        f"{STORE}/test_execute.py::test_lack_of_memory_is_tried_again_alone",
    ),
    "workers outlive their parent": (
        "basins/executors/_worker.py",
        "    os._exit(1)\n",
        "    return\n",
        f"{STORE}/test_crash_kills.py::test_the_parent_alone",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_killed(name, kill):
    kill(*MUTANTS[name])
