"""Rates and levels: tight cases, and cases where a hypothesis is missing (Spec 3.2-3.4)."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.certificate import levels


def tight_start():
    """First layer zero, error along the direction that the second layer transmits worst."""
    p = tw.Problem.from_target(np.array([[0.0, 0.0], [0.0, 1.5]]), dims=(2, 3, 2))
    return p, [np.zeros((3, 2)), np.array([[2.0, 0.0, 0.0], [0.0, 0.5, 0.0]])]


def test_rate_is_attained_by_the_tight_start():
    p, w = tight_start()
    c = tw.certify(p, w)
    assert c.rule == "remark-2"
    assert c.rate == pytest.approx(0.25, rel=1e-8)
    # With W_1 = 0 only W_1 moves: dL/dt = -||W_2^T M||^2 = -0.25 * 1.5^2 = -2 * 0.25 * L.
    slope = sum(float(np.sum(g**2)) for g in p.gradient(w))
    assert slope == pytest.approx(2 * c.rate * p.reducible_loss(w), rel=1e-8)


def test_two_negative_factors_give_no_rate():
    # Three inputs, width two: only the first layer can be the pivot.
    p = tw.Problem.from_target(np.diag([3.0, 2.0, 1.0])[:2], dims=(3, 2, 2, 2))
    w = [3.0 * np.eye(2, 3), np.eye(2), np.diag([2.0, 0.5])]
    first, second = (np.linalg.eigvalsh(c) for c in tw.invariants(w))
    assert first[0] < 0
    assert second[0] < 0
    assert first[0] * second[0] > 0
    c = tw.certify(p, w)
    assert c.rule == "none"
    assert [item.holds for item in c.hypotheses if "keeps full rank" in item.name] == [False, False]
    assert [item.value for item in c.hypotheses[1:3]] == pytest.approx([-3.0, -0.75])
    zero = [np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((2, 2))]
    assert tw.certify(p, zero).rate == 0.0
    assert tw.certify(p, zero).rule == "none"


def test_the_rate_is_the_product_of_all_factors():
    # C_1 = diag(3, 3), C_2 = diag(5, 5) with W_1 = 0: one factor alone would say 3 or 8.
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2, 2))
    w = [np.zeros((2, 2)), np.sqrt(3.0) * np.eye(2), np.sqrt(8.0) * np.eye(2)]
    c = tw.certify(p, w)
    assert c.rate == pytest.approx(24.0, rel=1e-8)
    slope = sum(float(np.sum(g**2)) for g in p.gradient(w))
    assert slope == pytest.approx(2 * c.rate * p.reducible_loss(w), rel=1e-8)
    small = [np.zeros((2, 2)), 0.5 * np.eye(2), 0.6 * np.eye(2)]
    slope = sum(float(np.sum(g**2)) for g in p.gradient(small))
    assert slope == pytest.approx(2 * tw.certify(p, small).rate * p.reducible_loss(small), rel=1e-8)


def test_sizes_that_fall_and_rise_have_no_rate_from_the_start():
    p = tw.Problem.from_target([2.0, 1.0], dims=(3, 3, 2, 3, 2))
    w = tw.init.gaussian(p, scale=[0.3, 0.6, 1.2, 2.4], rng=0)
    named = {item.name: item for item in tw.certify(p, w).hypotheses}
    sizes = named["remark-2: sizes rise up to a pivot layer and fall after it"]
    assert sizes.holds is False
    assert sizes.value == -1.0
    assert tw.certify(p, w).pivot is None


def test_what_rounding_cannot_decide_is_undecided():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    equal = [np.eye(2), np.eye(2)]
    held = [item.holds for item in tw.certify(p, equal).hypotheses if "layer" in item.name]
    assert None in held
    assert True not in held[1:]
    assert tw.certify(p, equal).rule == "none"
    tie = tw.Problem.from_target([2.0, 1.0], dims=(2, 1, 2))
    at_level = [np.array([[np.sqrt(2.0), 0.0]]), np.array([[0.0], [0.0]])]
    basin = tw.certify(tie, at_level).hypotheses[-1]
    assert basin.name.startswith("basin")
    assert basin.holds is False
    level = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    saddle = [np.diag([np.sqrt(2.0), 0.0])] * 2
    basin = tw.certify(level, saddle).hypotheses[-1]
    assert basin.holds is None


def test_levels_of_a_bottleneck():
    target = np.diag([4.0, 3.0, 2.0, 1.0])
    found = levels(target, 2)
    # Least: directions 3 and 4 stay. Next: 1 and 3 learned instead of 1 and 2.
    assert found.least == pytest.approx(0.5 * (4 + 1))
    assert found.basin == pytest.approx(0.5 * (9 + 1))
    assert found.in_basin(4.99)
    assert not found.in_basin(5.0)
    assert not found.in_basin(5.01)


def test_basin_is_the_gap_to_the_next_level():
    found = levels(np.diag([3.0, 2.0]), 2)
    assert found.least == 0.0
    assert found.basin == pytest.approx(2.0)
    assert not found.in_basin(2.0)
    assert found.guaranteed(1.9) == 2
    assert found.guaranteed(2.1) == 1
    assert found.guaranteed(4.6) == 0


def test_tied_and_zero_singular_values_lower_what_is_guaranteed():
    tied = levels(np.diag([3.0, 3.0, 0.0]), 3)
    assert tied.rank == 2
    assert tied.basin == pytest.approx(4.5)
    assert tied.guaranteed(4.6) == 0


def test_norm_bounds_hold_for_the_worst_of_many_layers():
    p = tw.Problem.from_target([5.0, 1.0], dims=(2, 3, 3, 2))
    w = tw.init.gaussian(p, scale=1.0, rng=3)
    c = tw.certify(p, w)
    run = tw.flow(p, w, t_end=20.0)
    assert np.all(run.layer_norms.max(axis=0) <= c.norm_bounds * (1 + 1e-9))
    assert np.all(c.norm_bounds < 100)


def test_certificate_holds_after_its_time_only():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 3, 2))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.05, rng=0))
    c = run.certificate
    assert c.time > 0
    assert c.converges_to_global is True
    assert np.isnan(c.loss_bound(0.5 * c.time))
    after = run.t >= c.time
    assert np.all(run.reducible_loss[after] <= c.loss_bound(run.t[after]) * (1 + 1e-9))
