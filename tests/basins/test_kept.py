"""Sweeps that are kept: read again, joined from parts, interrupted, repeated to the bit."""

import dataclasses
import resource
import subprocess
import sys

import pytest

import thalweg as tw
from thalweg.basins import open_sweep, run_plan
from thalweg.basins.statistics._fractions import Tally


def test_a_store_is_read_without_computing(s, tmp_path):
    kept = run_plan(s.plan, store=tmp_path / "store")
    found = open_sweep(tmp_path / "store")
    assert found.status == "complete"
    assert found.table.equals(kept.table)
    assert found.table.equals(s.table)
    assert found.fractions().to_dict() == s.fractions().to_dict()


def test_parts_join_to_the_whole(s, tmp_path):
    from thalweg.basins import Shard

    plan = dataclasses.replace(s.plan, size=32)
    parts = [run_plan(plan, store=tmp_path / "store", shard=Shard(k, 3)) for k in (2, 0, 1)]
    assert [part.status for part in parts] == ["part", "part", "complete"]
    assert open_sweep(tmp_path / "store").table.equals(s.table)


def test_interruption_keeps_what_is_there(s, tmp_path):
    plan = dataclasses.replace(s.plan, size=16)

    def stop(done, total, now):
        if done > 60:
            raise KeyboardInterrupt

    part = run_plan(plan, store=tmp_path / "store", progress=stop, workers=1)
    assert part.status == "interrupted"
    assert 60 < part.table.num_rows < 300
    assert run_plan(plan, store=tmp_path / "store").table.equals(s.table)


def test_counting_does_not_depend_on_the_chunks(s):
    whole, parts = Tally(2), Tally(2)
    whole.add(s.table)
    for first in range(0, 300, 37):
        parts.add(s.table.slice(first, 37))
    assert whole.counts == parts.counts
    assert whole.sizes == parts.sizes


PEAK = """
import sys, resource, thalweg as tw
p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
s = tw.sweep(p, n=int(sys.argv[1]), scale=1.0, store=sys.argv[2])
assert s.fractions()["global_minimum"].count == int(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_is_flat(tmp_path):
    assert resource.RUSAGE_SELF is not None
    peaks = []
    for n in (100_000, 1_000_000):
        out = subprocess.run(
            [sys.executable, "-c", PEAK, str(n), str(tmp_path / str(n))],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
        peaks.append(int(out.stdout) * 1024)
    assert peaks[1] < 1e9
    assert peaks[1] < 1.3 * peaks[0]


def test_starts_near_saddles_repeat_to_the_bit():
    # These take the implicit steps of a single run, in slices that a clock ends.
    p = tw.Problem.from_target([30.0, 1.0, 0.03], dims=(3, 3, 3, 3))
    plan = tw.basins.make_plan(p, tw.init.gaussian, 16, scale=0.01)
    tables = [tw.basins.run_plan(plan, workers=k).table for k in (1, 3)]
    assert tables[0].equals(tables[1])
