"""What the start's invariants rule out (Spec 5.3; paper Eqs. 24-25)."""

import itertools

import numpy as np
import pytest

import thalweg as tw

P = tw.Problem.from_target([3.0, 1.0], dims=(4, 3, 3, 2))


def listed(p, w):
    return {(item.learned, item.kind) for item in tw.excluded(p, w)}


ORIGIN = ((), "non_strict_saddle")


def unit(rows, columns, *values):
    out = np.zeros((rows, columns))
    np.fill_diagonal(out, [*values, *[0.0] * (min(rows, columns) - len(values))])
    return out


@pytest.mark.parametrize(
    ("layers", "possible"),
    [
        (([], [], [0.7]), False),  # C_2 has a positive eigenvalue
        (([0.7], [0.7], []), False),  # C_2 has a negative one, C_1 = 0
        (([], [0.7], [0.7]), False),  # C_2 = 0, C_1 has a positive eigenvalue
        (([0.7, 0.6, 0.5], [], []), False),  # C_2 = 0, C_1 <= 0, but of rank 3 > d_x - d_y
        (([0.7, 0.6], [], []), True),
        (([0.7], [0.7], [0.7]), True),  # balanced
        (([], [], []), True),
    ],
)
def test_equations_24_and_25_decide_about_the_paper_s_v_0(layers, possible):
    # The flow can only end in V_0 if C_2 = 0 and C_1 <= 0 with rank at most d_x - d_y.
    w = [unit(P.dims[j + 1], P.dims[j], *values) for j, values in enumerate(layers)]
    assert (ORIGIN not in listed(P, w)) == possible


def test_violated_condition_is_named_with_its_numbers():
    w = [np.zeros((3, 4)), np.zeros((3, 3)), np.eye(2, 3)]
    found = next(item for item in tw.excluded(P, w) if (item.learned, item.kind) == ORIGIN)
    assert found.condition == "positive eigenvalues of C_2 <= rank W_3"
    assert (found.layer, found.needed, found.possible) == (3, 2, 0)
    assert "C_2" in found.message


def test_balanced_starts_exclude_nothing():
    assert tw.excluded(P, tw.init.balanced(P, scale=0.3, rng=1)) == ()


@pytest.mark.parametrize("dims", [(3, 2, 2), (3, 2, 2, 2), (4, 3, 2, 2), (3, 2, 3, 2, 2)])
def test_no_critical_point_is_excluded_by_its_own_invariants(dims):
    # The flow from a critical point ends there, so its own stratum must stay possible.
    p = tw.Problem.from_target([3.0, 1.0], dims=dims)
    rng = np.random.default_rng(0)
    for level in tw.atlas(p):
        for kind, _ in itertools.product(level.kinds, range(15)):
            w = tw.critical_point(p, level.learned, kind, rng=rng)
            assert (level.learned, kind) not in listed(p, w)


def test_what_is_excluded_is_not_reached_from_starts_on_stable_sets():
    # First layer zero on the signal: such a start stays at the origin's level unless excluded.
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))
    rng = np.random.default_rng(4)
    ended = set()
    for _ in range(40):
        w = [np.zeros((2, 3)), np.zeros((2, 2)), np.zeros((2, 2))]
        for j in rng.choice(3, size=int(rng.integers(0, 3)), replace=False):
            w[j] = rng.normal(size=w[j].shape) * float(rng.uniform(0.1, 1.0))
        w[0][:, :2] = 0.0 if rng.random() < 0.5 else w[0][:, :2]
        verdict = tw.flow(p, w).limit.verdict
        ended.add((verdict.learned, verdict.kind))
        assert (verdict.learned, verdict.kind) not in listed(p, w)
    assert len(ended) >= 2


def test_a_generic_start_is_kept_from_most_saddles():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 3, 3, 2))
    w = tw.init.gaussian(p, scale=0.3, rng=0)
    found = listed(p, w)
    assert ORIGIN in found
    kinds = {(item.learned, kind) for item in tw.atlas(p) for kind in item.kinds}
    assert ((0, 1), "global_minimum") not in found
    assert found < kinds


def test_one_hidden_layer():
    # At the origin's level W_2 = 0, so C_1 = -W_1 W_1^T has no positive eigenvalue.
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    assert ((), "strict_saddle") in listed(p, [np.zeros((2, 3)), np.eye(2)])
    assert ((), "strict_saddle") not in listed(p, [np.zeros((2, 3)), np.zeros((2, 2))])
