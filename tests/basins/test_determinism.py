"""A row depends on the problem, the plan and its index alone."""

import dataclasses
import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import thalweg as tw
from thalweg.basins import Plan, compute, run_plan
from thalweg.basins.plan._family import Family


def plan_of(p, name="gaussian", n=150, **axes):
    return Plan(problem=p, family=Family(name), axes=tuple(axes.items()), n=n, seed=5)


PLANS = {
    "whitened": lambda: plan_of(
        tw.Problem.from_target([3.0, 1.5], dims=(4, 3, 3, 2)), scale=(1.0, 0.05)
    ),
    "raw data": lambda: plan_of(
        tw.Problem.from_data(
            np.random.default_rng(1).standard_normal((30, 6)),
            np.random.default_rng(2).standard_normal((30, 2)),
            widths=(4,),
        ),
        scale=(0.3,),
    ),
    "wide layers": lambda: plan_of(
        tw.Problem.from_target([3.0, 1.5], dims=(9, 16, 3, 2)), scale=(0.3,)
    ),
    "one by one": lambda: plan_of(
        tw.Problem.from_target([2.0, 1.0], dims=(3, 3, 2)), "orthogonal", 60, scale=(0.5,)
    ),
    "short": lambda: dataclasses.replace(
        plan_of(tw.Problem.from_target([3.0, 1.5], dims=(4, 3, 3, 2)), scale=(1.0, 0.05)), t_end=1.0
    ),
}


@pytest.fixture(scope="module", params=list(PLANS))
def plan(request):
    return PLANS[request.param]()


@pytest.fixture(scope="module")
def reference(plan):
    return run_plan(dataclasses.replace(plan, size=plan.count), workers=1).table


@pytest.mark.parametrize(("size", "workers"), [(1, 2), (64, 1), (64, 2), (100, 3), (1000, 2)])
def test_chunks_and_threads_do_not_matter(plan, reference, size, workers):
    if size == 1:
        plan = dataclasses.replace(plan, n=10)
        reference = reference.slice(0, plan.count)
    table = run_plan(dataclasses.replace(plan, size=size), workers=workers).table
    assert table.equals(reference)


def test_executors_do_not_matter(plan, reference):
    with ThreadPoolExecutor(2) as pool:
        table = run_plan(dataclasses.replace(plan, size=70), executor=pool).table
    assert table.equals(reference)


def test_more_starts_keep_the_first(plan, reference):
    longer = dataclasses.replace(plan, n=plan.n + 20, size=500)
    assert run_plan(longer, workers=1).table.slice(0, plan.count).equals(reference)


def test_a_plan_comes_back_from_its_document(plan, reference):
    document = json.loads(json.dumps(plan.to_dict(), allow_nan=False))
    again = Plan.from_dict(document)
    assert again.fingerprint == plan.fingerprint
    assert compute(dataclasses.replace(again, size=plan.count), 0).equals(
        reference.combine_chunks()
    )
    copy = pickle.loads(pickle.dumps(plan))
    assert compute(copy, 0).equals(compute(plan, 0))


def test_the_start_is_the_one_that_was_followed(plan):
    table = run_plan(plan, workers=1).table
    for index in (0, 7, plan.count - 1):
        alone = tw.basins.from_starts(plan.problem, [plan.start(index)], t_end=plan.t_end)
        row, other = table.slice(index, 1).to_pylist()[0], alone.table.to_pylist()[0]
        assert other["kind"] == row["kind"]
        # Drawn in the flow's coordinates, a whitened start differs by rounding when it comes back.
        assert other["t_decision"] == pytest.approx(row["t_decision"], rel=1e-6)


def test_the_fingerprint_sees_every_setting():
    plan = PLANS["whitened"]()
    changes = [
        {"seed": 6},
        {"n": 151},
        {"rtol": 1e-7},
        {"t_end": 5.0},
        {"size": 99},
        {"axes": (("scale", (1.0, 0.06)),)},
        {"problem": tw.Problem.from_target([3.0, 1.5 + 1e-15], dims=(4, 3, 3, 2))},
        {"family": Family("orthogonal")},
        {"until_width": 0.1},
    ]
    prints = [dataclasses.replace(plan, **change).fingerprint for change in changes]
    assert len({plan.fingerprint, *prints}) == len(changes) + 1


def test_a_plan_of_another_version_is_refused():
    document = PLANS["whitened"]().to_dict() | {"thalweg": "0.0.1"}
    with pytest.raises(tw.DataError, match=r"written by thalweg 0\.0\.1"):
        Plan.from_dict(document)
