"""Starts have the properties that their names promise."""

import numpy as np
import pytest

import thalweg as tw

P = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(3, 4, 4, 5))
KINDS = ("gaussian", "orthogonal", "balanced", "lambda_balanced", "exponential")


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_start_and_no_global_randomness(kind, monkeypatch):
    monkeypatch.setattr(np.random, "standard_normal", lambda *_: pytest.fail("global generator"))
    make = getattr(tw.init, kind)
    one, two, default = make(P, rng=0), make(P, rng=0), make(P)
    other = make(P, rng=1)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(one, default, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert [item.shape for item in one] == [(4, 3), (4, 4), (5, 4)]


def test_gaussian_entries_have_the_scale_asked_for():
    wide = tw.Problem.from_target([1.0], dims=(200, 200, 1))
    w = tw.init.gaussian(wide, scale=0.3, rng=0)
    assert np.std(w[0]) == pytest.approx(0.3, rel=0.02)
    assert abs(np.mean(w[0])) < 0.01


def test_orthogonal_layers_have_equal_singular_values():
    for item in tw.init.orthogonal(P, scale=0.7, rng=0):
        np.testing.assert_allclose(np.linalg.svd(item, compute_uv=False), 0.7, rtol=1e-12)


def test_balanced_start_has_no_imbalance():
    w = tw.init.balanced(P, scale=0.5, rng=0)
    size = max(np.linalg.norm(item) ** 2 for item in w)
    assert max(np.abs(c).max() for c in tw.invariants(w)) <= 1e-14 * size
    gaussian = tw.init.gaussian(P, scale=0.5, rng=0)
    assert max(np.abs(c).max() for c in tw.invariants(gaussian)) > 0.1


@pytest.mark.parametrize("lam", [0.5, 2.0])
def test_lambda_balanced_imbalance_is_a_multiple_of_the_identity(lam):
    square = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 3, 3, 3))
    w = tw.init.lambda_balanced(square, lam=lam, rng=0)
    for c in tw.invariants(w):
        np.testing.assert_allclose(c, lam * np.eye(3), atol=1e-12)


def test_prescribed_imbalance_is_reached():
    square = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 3, 3, 3))
    wanted = tw.invariants(tw.init.gaussian(square, scale=0.6, rng=5))
    w = tw.init.with_imbalance(square, wanted, rng=1)
    for have, want in zip(tw.invariants(w), wanted, strict=True):
        np.testing.assert_allclose(have, want, atol=1e-10)


def test_negative_scale_is_refused():
    with pytest.raises(tw.DataError, match="scale"):
        tw.init.gaussian(P, scale=-1.0)
