"""Near a critical point, and after polishing: right, or undecided."""

import numpy as np
import pytest
from points import networks, random_request

import thalweg as tw


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_random_points_are_not_critical(count):
    for p, rng in networks(count, seed=3):
        v = tw.classify(p, tw.init.gaussian(p, scale=float(rng.uniform(0.05, 2.0)), rng=rng))
        assert v.kind == "not_critical"


@pytest.mark.parametrize("polish", [False, True])
@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-7, 1e-9])
def test_near_points_are_right_or_undecided(distance, polish):
    right = 0
    for p, rng in networks(60, seed=4):
        learned, kind = random_request(p, rng)
        w = tw.critical_point(p, learned, kind, rng=rng)
        near = [item + distance * rng.normal(size=item.shape) / item.size for item in w]
        v = tw.classify(p, near, polish=polish)
        assert v.kind in {kind, "undecided", "not_critical"}
        right += v.kind == kind
    if polish and distance <= 1e-7:
        assert right == 60


def test_rounding_does_not_make_inertia_of_a_vanishing_hessian():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(5, 4, 4, 3))
    for seed in range(60):
        w = tw.critical_point(p, (), "non_strict_saddle", rng=seed)
        v = tw.classify(p, w)
        assert v.inertia == p.hessian(w).inertia() == (0, p.n_parameters, 0)
    # What is small but no rounding counts: one free unit of size 1e-4 in the last layer.
    w = [np.zeros((4, 5)), np.zeros((4, 4)), 1e-4 * np.eye(3, 4)]
    assert tw.classify(p, w).inertia[0] == p.hessian(w).inertia()[0] == 12


def test_relative_to_the_computed_norm_rounding_looks_like_curvature():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(5, 4, 4, 3))
    points = [tw.critical_point(p, (), "non_strict_saddle", rng=seed) for seed in range(60)]
    assert any(p.hessian(w).inertia(rtol=1e-10)[0] for w in points)


def test_what_was_polished_is_not_told_to_polish():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(5, 4, 4, 3))
    w = tw.critical_point(p, (0, 1), "non_strict_saddle", rng=3)
    rng = np.random.default_rng(0)
    near = [item + 1e-4 * rng.normal(size=item.shape) for item in w]
    v = tw.classify(p, near, polish=True)
    assert v.kind == "undecided"
    assert "polishing moved" in v.message
    assert "polish the weights" not in v.message


def test_the_exact_critical_point_is_where_it_is_said_to_be():
    for p, rng in networks(40, seed=8):
        learned, kind = random_request(p, rng)
        if kind == "global_minimum":
            continue
        w = tw.critical_point(p, learned, kind, rng=rng)
        near = [item + 1e-12 * rng.normal(size=item.shape) for item in w]
        v = tw.classify(p, near)
        ends = p.reduce(near), p.reduce(v.nearest)  # distances are those of the flow
        moved = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(*ends, strict=True)))
        assert moved <= v.distance <= 1e-9
        size = max(1.0, *(np.linalg.norm(item) for item in w))
        slope = np.sqrt(sum(np.sum(g**2) for g in p.gradient(v.nearest)))
        assert slope <= 1e-12 * p.singular_values[0] * size ** (2 * p.depth)
