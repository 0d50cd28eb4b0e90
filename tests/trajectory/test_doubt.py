"""A start that rounding alone leads away from its saddle is not said to end at a minimum."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.certificate import levels
from thalweg.network import dense_hessian
from thalweg.problem import compress
from thalweg.trajectory import _doubt


def opposed(depth, width, rng):
    """``W_L ... W_1`` equal to a negative multiple of the identity, in turned coordinates.

    Every mode of the target shrinks to zero: in exact arithmetic the start ends at a saddle.
    """
    turns = [np.linalg.qr(rng.normal(size=(width, width)))[0] for _ in range(depth - 1)]
    frames = [np.eye(width), *turns, np.eye(width)]
    weights = [0.5 * b @ a.T for a, b in itertools.pairwise(frames)]
    weights[0] *= -1.0
    return weights


@pytest.mark.parametrize(("depth", "width"), [(2, 2), (2, 4), (3, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_a_start_on_a_stable_set_is_undecided(depth, width, seed):
    weights = opposed(depth, width, np.random.default_rng(seed))
    sigma = np.arange(width, 0.0, -1.0)
    p = tw.Problem.from_target(sigma, dims=(width,) * (depth + 1))
    run = tw.flow(p, weights)
    assert (run.limit.verdict.kind, run.limit.certified) == ("undecided", False)
    # NumPy keeps the symmetry of some to the last bit, until their steps are too small to see.
    assert run.status in {"horizon", "failed"}
    # A horizon does not make it known either.
    late = tw.flow(p, weights, t_end=300.0)
    assert (late.limit.verdict.kind, late.limit.certified) == ("undecided", False)


def test_without_the_second_run_it_would_be_called_a_minimum(monkeypatch):
    rng = np.random.default_rng(0)
    weights = [item + 1e-15 * rng.standard_normal(item.shape) for item in opposed(2, 4, rng)]
    p = tw.Problem.from_target([4.0, 3.0, 2.0, 1.0], dims=(4, 4, 4))
    assert tw.flow(p, weights).limit.decided_by == "rounding decided how a saddle was left"
    monkeypatch.setattr(_doubt, "AMPLIFIED", np.inf)
    assert tw.flow(p, weights).limit.verdict.kind == "global_minimum"


@pytest.mark.parametrize(("depth", "width"), [(2, 2), (2, 4), (3, 3)])
def test_a_start_visibly_beside_it_is_decided(depth, width):
    weights = opposed(depth, width, np.random.default_rng(0))
    weights[0] = weights[0] * (1.0 - 1e-4)
    p = tw.Problem.from_target(np.arange(width, 0.0, -1.0), dims=(width,) * (depth + 1))
    run = tw.flow(p, weights)
    assert (run.status, run.limit.verdict.kind) == ("limit", "global_minimum")


@pytest.mark.parametrize(
    ("scale", "dims"), [(1e-8, (4, 4, 3)), (1e-2, (4, 3, 3, 2)), (1.0, (6, 6, 6))]
)
def test_long_plateaus_alone_raise_no_doubt(scale, dims, monkeypatch):
    asked = []
    ask = _doubt._rounding_decides
    monkeypatch.setattr(
        _doubt, "_rounding_decides", lambda item: asked.append(ask(item)) or asked[-1]
    )
    p = tw.Problem.from_target([2.0, 1.0, 0.02][: min(dims)], dims=dims)
    for seed in range(3):
        run = tw.flow(p, tw.init.gaussian(p, scale=scale, rng=seed))
        assert run.limit.verdict.kind == "global_minimum"
    assert asked == [False] * 3


@pytest.mark.parametrize("dims", [(4, 3, 2), (4, 3, 3, 2), (3, 3, 3, 3, 3)])
def test_growth_bounds_the_negative_curvature(dims):
    rng = np.random.default_rng(len(dims))
    target, metric = rng.normal(size=(dims[-1], dims[0])), np.geomspace(0.5, 2.0, dims[0])
    for _ in range(20):
        w = [rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]
        begin = compress(w, target, metric)
        assert begin.dims == dims
        y = np.concatenate([item.ravel() for item in w])
        error = target - np.linalg.multi_dot(w[::-1]) * metric
        loss = 0.5 * float(np.sum(error**2))
        worst = -float(np.linalg.eigvalsh(dense_hessian(w, target, metric))[0])
        t = np.array([0.0, 100.0])
        bound = _doubt.growth(t, np.stack([y, y]), np.array([loss, loss]), begin)
        assert bound >= 100.0 * worst


def test_a_chain_that_vanishes_beside_another_part_is_a_saddle():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    run = tw.flow(p, [np.diag([0.5, 0.3]), np.diag([0.5, -0.3])])
    assert (run.limit.verdict.kind, run.limit.verdict.learned) == ("strict_saddle", (0,))
    known = levels(p.flow_data()[0], p.max_rank)
    assert not known.in_basin(p.reducible_loss(run.final))
