"""Random networks of every kind against their trajectories: no bound is ever violated."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from thalweg.certificate import certified_share

FILE = Path(__file__).parents[2] / "benchmarks" / "certificates.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("certificates", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "count", [50, pytest.param(5000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_no_bound_is_violated(bench, count):
    wrong, rules, ratios = [], set(), {}
    for seed in range(20_000, 20_000 + count):
        found, values, names = bench.audit(seed)
        wrong += found
        rules |= set(names)
        ratios = {key: max(ratios.get(key, 0.0), values.get(key, 0.0)) for key in ratios | values}
    assert wrong == []
    assert rules == {"remark-2", "anytime", "none"}
    assert ratios["norm (data)"] > 0.99
    assert ratios["loss (remark-2)"] > 0.9


def test_the_audit_itself_sees_violations(bench):
    """Negative control: a rate twice as large is found out on a start that attains it."""
    import dataclasses

    p = tw.Problem.from_target([[0.5]], dims=(1, 1, 1))
    w = [np.array([[0.0]]), np.array([[2.0]])]
    c = tw.certify(p, w)
    run = tw.flow(p, w, t_end=2.0, rtol=1e-12)
    for factor, expected in ((1.0, False), (1.2, True)):
        told = dataclasses.replace(c, rate=factor * c.rate)
        found = bench.comparisons(run, told, 0.0)
        worst = max(value / bound for name, value, bound in found if name.startswith("loss"))
        assert (worst > 1.0 + 1e-9) is expected


def test_everything_that_the_paper_certifies_is_certified_better(bench):
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(300):
        dims = [(4, 4, 3, 2), (3, 3, 3, 3), (2, 4, 3, 2), (3, 5, 2)][rng.integers(4)]
        p = tw.Problem.from_target(rng.normal(size=(dims[-1], dims[0])), dims=dims)
        scales = [0.4 * 3.0**j for j in range(len(dims) - 1)]
        w = tw.init.gaussian(p, scale=scales, rng=rng)
        paper = bench.paper_rate(w, p.flow_data()[1])
        seen += paper > 0.0
        assert tw.certify(p, w).rate >= paper * (1.0 - 1e-8)
    assert seen > 50


def test_share_of_certified_starts_has_a_closed_form():
    # Two inputs, one unit: w_2^2 > |w_1|^2 with |w_1|^2 exponential.
    p = tw.Problem.from_target([[1.0, 0.0]], dims=(2, 1, 1))
    for ratio in (0.5, 1.0, 3.0):
        found = certified_share(p, [0.01, 0.01 * ratio], n=2000, rng=1)
        truth = 1.0 - (1.0 + ratio**2) ** -0.5
        low, high = found.interval
        assert low - 0.02 <= truth <= high + 0.02
        assert found.fraction == pytest.approx(truth, abs=0.05)
        assert sum(found.by_rule.values()) == found.n == 2000


def test_share_counts_every_start_once_and_is_repeatable():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 3, 2))
    one, two = (certified_share(p, 0.5, n=40) for _ in range(2))
    assert one.to_dict() == two.to_dict()
    assert one.global_limits >= one.n - one.by_rule["none"]
    with pytest.raises(tw.DimensionError, match="one for each layer"):
        certified_share(p, [0.1, 0.2, 0.3], n=2)
