"""Killed at any moment, a sweep goes on to the very bytes of one that nobody disturbed.

The small numbers run with the suite; ``-m slow`` runs the full experiments.
"""

import sys

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.timeout(600),
]


def clean(found, kills):
    assert found["mismatches"] == 0
    assert found.get("orphans", 0) == 0
    assert found["kills"] >= kills


def test_the_whole_group_at_random_moments(lab):
    clean(lab("--kills 25 --seed 1"), 25)


@pytest.mark.slow
def test_the_whole_group_two_hundred_times(lab):
    clean(lab("--kills 200"), 200)


@pytest.mark.slow
def test_the_whole_group_with_worker_processes(lab):
    clean(lab("--kills 60 --executor processes --longest 1.5 --nap .02"), 60)


PARENT = "--victim parent --longest 1.5 --nap .05"


def test_the_parent_alone(lab):
    clean(lab(f"--kills 2 --executor processes {PARENT}"), 2)


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["fork", "spawn", "forkserver", "processes"])
def test_the_parent_alone_fifty_times(lab, executor):
    clean(lab(f"--kills 50 --executor {executor} {PARENT}"), 50)


WORKER = "--victim worker --executor fork --longest .3 --nap .02"


def test_single_workers(lab):
    clean(lab(f"--kills 4 {WORKER}"), 4)


@pytest.mark.slow
def test_single_workers_a_hundred_times(lab):
    clean(lab(f"--kills 100 {WORKER}"), 100)
