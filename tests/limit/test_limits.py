"""Where the flow ends, against least squares and reduced-rank regression."""

import itertools

import numpy as np
import pytest

import thalweg as tw


def best_loss(X, Y, rank):
    """Loss of reduced-rank regression, by least squares and truncation."""
    fit = X @ np.linalg.lstsq(X, Y, rcond=None)[0]
    left, values, right = np.linalg.svd(fit, full_matrices=False)
    kept = (left[:, :rank] * values[:rank]) @ right[:rank]
    return 0.5 * np.sum((Y - kept) ** 2)


@pytest.mark.parametrize("widths", [(8,), (16, 16), (12, 2, 12)])
@pytest.mark.parametrize("name", ["linnerud", "diabetes", "wine", "macrodata"])
def test_limit_on_standardized_data_is_the_best_fit(name, widths):
    data = tw.datasets.load(name)
    p = data.problem(widths=widths, standardize=True)
    run = tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0))
    X = data.X - data.X.mean(axis=0)
    X, Y = X / X.std(axis=0), data.Y - data.Y.mean(axis=0)
    assert p.loss(run.final) == pytest.approx(best_loss(X, Y, min(p.dims)), rel=1e-9)
    assert run.status == "limit"
    assert run.limit.verdict.kind == "global_minimum"
    if p.max_rank == p.dims[-1] == p.target_rank:
        assert run.limit.certified


def test_raw_data_of_large_spread():
    data = tw.datasets.load("wine")
    p = data.problem(widths=(8,))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0))
    assert p.loss(run.final) == pytest.approx(best_loss(data.X, data.Y, 3), rel=1e-9)
    assert run.limit.certified
    assert run.drift.max() <= 1e-12


def test_centred_one_hot_targets_have_a_zero_singular_value_and_say_so():
    p = tw.datasets.load("wine").problem(widths=(8,), center=True)
    assert p.singular_values[-1] < 1e-10 * p.singular_values[0]
    failing = [item for item in p.assumptions if not item.holds]
    assert failing
    assert all(len(item.message) > 20 for item in failing)


T = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(6, 5, 4))
DEEP = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(6, 5, 5, 4))


def rank_one(i, j, size=0.01):
    a = np.random.default_rng(0).normal(size=5)
    return [size * np.outer(a, np.eye(6)[j]), size * np.outer(np.eye(4)[i], a)]


def test_zero_start_is_the_saddle_where_it_starts():
    run = tw.flow(T, [np.zeros((5, 6)), np.zeros((4, 5))])
    verdict = run.limit.verdict
    assert (run.status, verdict.kind, verdict.learned) == ("limit", "strict_saddle", ())
    assert verdict.loss == pytest.approx(7.0)
    assert not run.limit.certified


@pytest.mark.parametrize("direction", [0, 1, 2])
def test_aligned_rank_one_start_learns_its_direction_only(direction):
    run = tw.flow(T, rank_one(direction, direction))
    verdict = run.limit.verdict
    assert (run.status, verdict.kind, verdict.learned) == ("limit", "strict_saddle", (direction,))
    assert verdict.loss == pytest.approx(7.0 - 0.5 * (3.0 - direction) ** 2, rel=1e-9)
    assert np.linalg.matrix_rank(run.final[1] @ run.final[0], tol=1e-9) == 1


def test_generic_rank_one_start_learns_the_largest_direction():
    rng = np.random.default_rng(1)
    a = rng.normal(size=5)
    w = [0.01 * np.outer(a, rng.normal(size=6)), 0.01 * np.outer(rng.normal(size=4), a)]
    verdict = tw.flow(T, w).limit.verdict
    assert verdict.kind == "strict_saddle"
    assert verdict.learned == (0,)


def test_first_layer_zero_leaves_and_two_zero_layers_stay():
    w = tw.init.gaussian(DEEP, scale=0.3, rng=0)
    w[0][:] = 0.0
    assert tw.flow(DEEP, w).limit.verdict.kind == "global_minimum"
    w[1][:] = 0.0
    verdict = tw.flow(DEEP, w).limit.verdict
    assert verdict.kind in {"strict_saddle", "non_strict_saddle"}
    assert verdict.learned == ()


def test_all_zero_deep_network_is_a_non_strict_saddle():
    verdict = tw.flow(DEEP, [np.zeros((5, 6)), np.zeros((5, 5)), np.zeros((4, 5))]).limit.verdict
    assert verdict.kind == "non_strict_saddle"
    assert verdict.inertia == (0, DEEP.n_parameters, 0)


def test_plateaus_are_passed_in_order_and_are_not_limits():
    run = tw.flow(T, tw.init.gaussian(T, scale=1e-4, rng=0))
    assert [item.learned for item in run.plateaus] == [(), (0,), (0, 1)]
    assert [item.loss for item in run.plateaus] == pytest.approx([7.0, 2.5, 0.5], rel=1e-6)
    times = [(item.t_enter, item.t_exit) for item in run.plateaus]
    assert all(a[1] <= b[0] and a[0] < a[1] for a, b in itertools.pairwise(times))
    assert run.limit.verdict.learned == (0, 1, 2)
    # A small start leaves the first saddle after about log(1/scale)/sigma_1.
    assert times[0][1] == pytest.approx(np.log(1e4) / 3.0, rel=0.35)


def test_stopped_on_a_plateau_is_undecided():
    run = tw.flow(T, tw.init.gaussian(T, scale=1e-4, rng=0), t_end=1.0)
    assert run.status == "horizon"
    assert run.limit.verdict.kind == "undecided"
    assert "longer" in run.limit.message


def test_a_bottleneck_learns_the_largest_directions_only():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 5, 2, 5, 3))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.4, rng=0))
    assert run.limit.verdict.kind == "global_minimum"
    assert run.limit.verdict.learned == (0, 1)
    assert p.reducible_loss(run.final) == pytest.approx(0.5, rel=1e-9)


def test_exhausted_steps_are_a_status_with_a_remedy():
    run = tw.flow(T, tw.init.gaussian(T, scale=1e-4, rng=0), max_steps=5)
    assert run.status == "horizon"
    assert run.stats["steps"] == 5
    assert "max_steps" in run.message
