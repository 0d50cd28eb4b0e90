"""The result of a sweep: fractions beside theorems, defects, refusals, stopping by width."""

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest

import thalweg as tw
from thalweg.basins import COLUMNS, Plan, clopper_pearson, run_plan
from thalweg.basins.plan._family import Family
from thalweg.basins.rows._compute import schema_of
from thalweg.basins.statistics._theorems import Watch


def test_the_table_has_the_columns_in_order(s):
    names = s.table.column_names
    assert [name for name in names if name != "scale"] == list(COLUMNS)
    assert s.table["index"].to_pylist() == list(range(300))
    assert s.table["scale"].to_pylist()[:4] == [0.01, 1.0, 0.01, 1.0]
    assert s.table["t_certificate"].null_count == 0


def test_fractions_by_point_with_intervals(s):
    found = s.fractions()
    assert [row.parameters for row in found] == [{"scale": 0.01}, {"scale": 1.0}]
    for row in found:
        assert (row.kind, row.learned, row.count, row.n) == ("global_minimum", (0, 1), 150, 150)
        assert (row.low, row.high) == clopper_pearson(150, 150)
    assert found["global_minimum"].n == 300
    assert found["strict_saddle"].count == 0
    assert found["strict_saddle"].high == pytest.approx(1 - 0.025 ** (1 / 300))
    wide = s.fractions(anytime=True)
    assert all(a.low < b.low for a, b in zip(wide, found, strict=True))
    both = s.fractions(simultaneous=True)
    assert both.rows[0].low == pytest.approx(clopper_pearson(150, 150, 0.975)[0])
    with pytest.raises(KeyError):
        found["nonsense"]


def test_what_is_known_stands_beside_the_estimate(s):
    text = repr(s)
    assert "[theorem" in text
    assert "almost every start ends at a global minimum" in text
    assert "DEFECT" not in text
    json.dumps(s.to_dict(), allow_nan=False)


def fake(plan, indices, learned, kind="strict_saddle", status="limit"):
    """Return a table in which some rows are saddles that nobody computed."""
    real = run_plan(plan).table.to_pylist()
    for index in indices:
        real[index] |= {"kind": kind, "learned": learned, "status": status, "certified": False}
    return pa.Table.from_pylist(real, schema=schema_of(plan))


@pytest.mark.parametrize(
    ("dims", "learned", "kind", "defect"),
    [
        ((3, 2, 2), [0], "strict_saddle", True),
        ((3, 2, 2), [], "strict_saddle", True),
        ((3, 2, 2, 2), [1], "strict_saddle", True),
        ((3, 2, 2, 2), [0], "non_strict_saddle", False),
        ((3, 2), [0], "strict_saddle", True),
    ],
)
def test_a_row_against_a_theorem_is_a_defect(dims, learned, kind, defect):
    """Negative control: what the run cannot produce, planted."""
    plan = Plan(
        problem=tw.Problem.from_target([3.0, 1.0], dims=dims),
        family=Family("gaussian"),
        axes=(("scale", (0.5,)),),
        n=40,
    )
    watch = Watch(plan)
    watch.look(fake(plan, [7, 11], learned, kind))
    found = watch.defects()
    if not defect:
        assert found == ()
        return
    assert found[0].indices == (7, 11)
    assert "7, 11" in found[0].message


def test_structured_families_are_no_defect_and_say_so(p):
    s = tw.sweep(p, tw.init.balanced, n=20, scale=0.3)
    assert "not Lebesgue measure" in s.plan.measure_note
    assert not s.theorems()[1].applies
    watch = Watch(s.plan)
    watch.look(fake(s.plan, [3], [0]))
    assert watch.defects() == ()


def test_undecided_starts_are_a_class_of_their_own():
    p = tw.Problem.from_target([3.0, 1.5], dims=(4, 3, 3, 2))
    s = tw.sweep(p, n=200, scale=0.02, t_end=12.0)
    found = s.fractions()
    kinds = {row.kind: row for row in found.totals}
    assert sum(row.count for row in found.totals) == 200
    undecided = kinds["undecided"]
    assert 0 < undecided.count < 200
    least = kinds["global_minimum"]
    assert least.fraction == least.count / 200
    assert least.highest == clopper_pearson(200, 200)[1] > least.high
    assert set(
        s.table.filter(pa.compute.equal(s.table["kind"], "undecided"))["status"].to_pylist()
    ) == {"horizon"}
    late = s.decision_times((0.5,))[0]
    assert late.censored == undecided.count


def test_failures_are_rows():
    p = tw.Problem.from_target([1e60, 1e59], dims=(2, 2, 2))

    s = tw.basins.from_starts(p, [[np.full((2, 2), 1e99), np.full((2, 2), 1e99)]])
    assert s.table["status"].to_pylist()[0] in {"failed", "diverged"}
    assert s.table["kind"].to_pylist() == ["undecided"]
    assert sum(s.counts().values()) == 1


def constant(p, *, rng):
    return tw.init.gaussian(p, 0.1, rng=0)


def uniform(p, *, rng, width=0.5):
    return [rng.uniform(-width, width, (b, a)) for a, b in itertools.pairwise(p.dims)]


def test_chosen_starts_estimate_no_measure(p):
    s = tw.basins.from_starts(p, [tw.init.gaussian(p, 0.1, rng=i) for i in range(4)])
    with pytest.raises(tw.DataError, match="chosen"):
        s.fractions()
    assert s.counts() == {"global_minimum": 4}
    named = tw.sweep(p, constant, n=3, experiment="the same start thrice")
    with pytest.raises(tw.DataError, match="the same start thrice"):
        named.fractions()
    assert "no measure" in repr(named)


def test_starts_that_are_all_the_same_are_refused(p):
    with pytest.raises(tw.DataError, match="all the same"):
        tw.sweep(p, constant, n=10)
    with pytest.raises(tw.DataError, match="all the same"):
        tw.sweep(p, tw.init.gaussian, n=10, scale=[0.1, 0.0])
    with pytest.raises(tw.DataError, match="no parameter rng"):
        tw.sweep(p, lambda p: None, n=10)


def test_any_function_draws_starts(p):
    s = tw.sweep(p, uniform, n=20, width=[0.2, 1.0], rng=1)
    assert s.counts() == {"global_minimum": 40}
    assert s.plan.family.name.endswith(":uniform")
    assert "density is not known" in s.plan.measure_note
    assert np.abs(np.concatenate([w.ravel() for w in s.start(0)])).max() <= 0.2


@pytest.mark.parametrize(
    ("init", "parameters"),
    [
        ("orthogonal", {"scale": [0.3, 1.0]}),
        ("balanced", {"scale": 0.3}),
        ("lambda_balanced", {"lam": [0.1, 1.0]}),
        ("exponential", {"rate": [0.5]}),
        ("with_imbalance", {"C": (np.diag([0.5, 0.1]),)}),
    ],
)
def test_every_family_runs(p, init, parameters):
    s = tw.sweep(p, init, n=5, **parameters)
    assert set(s.counts()) <= {"global_minimum", "undecided"}
    again = Plan.from_dict(json.loads(json.dumps(s.plan.to_dict())))
    assert again.fingerprint == s.plan.fingerprint
    assert run_plan(again).table.equals(s.table)


def test_one_scale_for_each_layer_is_a_tuple(p):
    s = tw.sweep(p, n=4, scale=[(0.1, 1.0), (1.0, 0.1)])
    assert s.table["scale"].to_pylist()[:2] == ["0.1, 1", "1, 0.1"]
    small, large = s.start(0)
    assert np.abs(small).mean() < np.abs(large).mean()
    with pytest.raises(tw.DataError, match="one for each layer"):
        tw.sweep(p, n=4, scale=(0.1, 0.1, 0.1))


def test_a_column_of_results_is_not_overwritten(p):
    s = tw.sweep(p, "exponential", n=3, rate=[0.5, 1.0])
    assert s.table["init_rate"].to_pylist()[:2] == [0.5, 1.0]
    assert "rate" in s.table.column_names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n "),
        ({"scale": []}, "empty"),
        ({"scale": -1.0}, "scale"),
        ({"t_end": 0.0}, "t_end"),
        ({"rtol": 2.0}, "rtol"),
        ({"until_width": 2.0}, "until_width"),
        ({"rng": "x"}, "rng"),
        ({"nonsense": 1.0}, "nonsense"),
        ({"scale": [object()]}, "scale"),
    ],
)
def test_wrong_arguments(p, arguments, message):
    with pytest.raises(tw.ThalwegError, match=message):
        tw.sweep(p, **({"n": 5} | arguments))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 2**70}, "more than the"),
        ({"n": 10**15}, "more than the"),
        ({"workers": 0}, "workers must be a positive integer"),
        ({"workers": -1}, "workers must be a positive integer"),
        ({"store": 3}, "store must be the name of a folder"),
        ({"store": ""}, "store must be the name of a folder"),
        ({"store": "a\0b"}, "store must be the name of a folder"),
        ({"experiment": 1}, "experiment must be a name"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(options, words):
    p = tw.Problem.from_target([3.0, 1.5], dims=(4, 3, 3, 2))
    with pytest.raises(tw.DataError, match=words) as caught:
        tw.sweep(p, tw.init.gaussian, **{"n": 4, **options})
    assert "\n" not in str(caught.value)


def test_things_that_are_no_problem_and_no_starts():
    p = tw.Problem.from_target([3.0, 1.5], dims=(4, 3, 3, 2))
    with pytest.raises(tw.DataError, match=r"must be a tw\.Problem"):
        tw.sweep(None, n=4)
    with pytest.raises(tw.DimensionError, match="a sequence of starts"):
        tw.basins.from_starts(p, None)
    with pytest.raises(tw.DataError, match=r"no start 1\.5"):
        tw.sweep(p, n=4).start(1.5)
