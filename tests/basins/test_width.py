"""Stopping by width: planned looks, the same for any workers, and intervals that still cover."""

import numpy as np
import pytest

from thalweg.basins import Plan, clopper_pearson, run_plan
from thalweg.basins.plan._family import Family
from thalweg.basins.statistics._looks import looks


def test_looks_are_planned():
    assert list(looks(1)) == [1]
    found = list(looks(40))
    assert found[:5] == [1, 2, 3, 4, 5]
    assert found[-1] == 40
    assert len(found) < 20


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_width_rule_does_not_depend_on_the_workers(p, workers, tmp_path):
    plan = Plan(
        problem=p,
        family=Family("gaussian"),
        axes=(("scale", (0.5,)),),
        n=20_000,
        until_width=0.004,
        size=100,
    )
    s = run_plan(plan, workers=workers, store=tmp_path / "a")
    assert s.status == "narrow"
    # 1 - 0.025**(1/n) <= 0.004 first at n = 921; the looks are at 800 and 1000.
    assert s.table.num_rows == 1000
    again = run_plan(plan, workers=1, store=tmp_path / "a")
    assert again.stats["computed"] == 0
    assert again.table.equals(s.table)
    assert sorted(tmp_path.glob("a/*.parquet"))[-1].name.startswith("chunk-000009")


def test_the_width_rule_covers():
    """Stopping on width alone: coverage of the intervals, by simulation of the same rule."""
    rng, level, repeats = np.random.default_rng(8), 0.95, 1500
    for p in (0.5, 0.1, 0.02):
        wrong = 0
        for _ in range(repeats):
            counts = np.cumsum(rng.binomial(50, p, size=40))
            for look in looks(40):
                n = 50 * look
                low, high = clopper_pearson(int(counts[look - 1]), n, level)
                if high - low <= 0.1:
                    break
            wrong += not low <= p <= high
        assert wrong / repeats <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)
