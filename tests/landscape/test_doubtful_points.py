"""Points where rounding, units or small numbers might decide: never the wrong kind."""

import itertools

import numpy as np
import pytest

import thalweg as tw


@pytest.mark.parametrize("ratio", [3e-5, 1e-6, 1e-8])
@pytest.mark.parametrize("kind", ["strict_saddle", "non_strict_saddle"])
def test_a_saddle_that_lacks_only_a_small_direction_is_no_global_minimum(ratio, kind):
    p = tw.Problem.from_target([3.0, 3.0 * ratio], dims=(3, 2, 2, 2))
    v = tw.classify(p, tw.critical_point(p, (0,), kind, rng=1))
    assert v.kind in {kind, "undecided"}
    assert (v.learned, v.rank) == ((0,), 1)
    small = tw.classify(p, tw.critical_point(p, (1,), rng=1))
    assert (small.kind, small.learned, small.rank) == ("strict_saddle", (1,), 1)


def test_many_layers_in_a_bad_gauge_are_not_taken_for_a_global_minimum():
    rng = np.random.default_rng(4)
    p = tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2, 2, 2, 2, 2, 2, 2))
    w = [np.diag([3.0 ** (1 / 8), 0.0]) for _ in range(8)]
    for j in range(7):
        frame = np.linalg.qr(rng.normal(size=(2, 2)))[0] * [30.0, 1.0 / 30.0]
        frame = frame @ np.linalg.qr(rng.normal(size=(2, 2)))[0]
        w[j], w[j + 1] = frame @ w[j], w[j + 1] @ np.linalg.inv(frame)
    v = tw.classify(p, w)
    assert v.kind in {"non_strict_saddle", "undecided"}, v.message


def test_least_squares_on_badly_conditioned_data_is_a_global_minimum():
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.normal(size=(30, 3)))[0] * [1e5, 300.0, 1.0]
    Y = rng.normal(size=(30, 2))
    fit = np.linalg.lstsq(X, Y, rcond=None)[0].T
    for w in ([fit], [fit, np.eye(2)]):
        p = tw.Problem.from_data(X, Y, widths=[len(item) for item in w[:-1]])
        v = tw.classify(p, w)
        assert v.kind == "global_minimum", v.message
        w[0] = w[0] + 1e-3 * np.abs(w[0]).max()
        assert tw.classify(p, w).kind == "not_critical"


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
@pytest.mark.parametrize("learned", [(), (0,), (1,), (0, 1)])
def test_the_unit_of_the_data_changes_no_verdict(scale, learned):
    rng = np.random.default_rng(7)
    X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    plain = tw.Problem.from_data(X, Y, (3, 2, 2))
    small = tw.Problem.from_data(scale * X, Y, (3, 2, 2))
    for seed in range(5):
        w = tw.critical_point(plain, learned, rng=seed)
        want = tw.classify(plain, w)
        got = tw.classify(small, [scale**-0.25 * item for item in w])
        assert (got.kind, got.learned) == (want.kind, want.learned), got.message
        assert (got.witness is None) == (want.witness is None)


@pytest.mark.parametrize("gap", [0.5, 1e-3, 1e-6])
@pytest.mark.parametrize("dims", [(3, 5, 3, 2), (3, 4, 4, 4, 2), (2, 2, 2, 4, 1, 2)])
def test_a_small_layer_is_not_taken_for_none(dims, gap):
    """Exactly critical and strict, and next to a non-strict point where that layer vanishes."""
    p = tw.Problem.from_target([2.0, 2.0 * (1.0 - gap)], dims=dims)
    w = [np.zeros((above, below)) for below, above in itertools.pairwise(dims)]
    w[1:-1] = [np.eye(*item.shape) for item in w[1:-1]]
    for small in np.geomspace(1e-3, 1e-12, 28):
        v = tw.classify(p, [w[0], small * w[1], *w[2:]])
        assert v.kind == "strict_saddle" or (v.kind == "undecided" and small < 1e-5), v.message
