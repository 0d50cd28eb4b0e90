"""Witnesses: directions of negative curvature and curves of descent, by independent routes."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.landscape import _canonical, _escape, _nearest
from thalweg.landscape._learned import Target


def ranks_between(p, w, i, j):
    """Rank of W_{j-1} ... W_{i+1}, or through Sigma_XY if j <= i, by singular values."""
    T, D = p.flow_data()
    moments = (T * D).T
    maps = w[i : j - 1] if i < j else [*w[i:], moments, *w[: j - 1]]
    product = np.eye(p.dims[i])
    for item in maps:
        product = item @ product
    return int(np.linalg.matrix_rank(product, tol=1e-9))


def fewest_fillings(p, w, rank):
    """Smallest number of layers whose change closes a path, by trying all sets."""
    layers = range(1, p.depth + 1)
    for size in range(1, p.depth + 1):
        for chosen in itertools.combinations(layers, size):
            pairs = [*itertools.pairwise(chosen), (chosen[-1], chosen[0])]
            if all(ranks_between(p, w, i, j) > rank for i, j in pairs):
                return size
    return None


PROBLEMS = [
    tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2)),
    tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 3, 3, 4, 3)),
    tw.Problem.from_target([3.0, 2.0], dims=(3, 2, 1, 3, 2, 2), D=[2.0, 1.0, 0.5]),
    tw.Problem.from_target([2.0, 1.0], dims=(2, 3, 2, 2, 3, 2, 2)),
]


@pytest.mark.parametrize("p", PROBLEMS, ids=lambda p: "-".join(map(str, p.dims)))
def test_escape_order_is_the_least_number_of_layers_to_fill(p):
    rng = np.random.default_rng(0)
    seen = set()
    top = [item for item in tw.atlas(p) if "non_strict_saddle" in item.kinds]
    for level, _ in itertools.product(top, range(12)):
        w = tw.critical_point(p, level.learned, "non_strict_saddle", rng=rng)
        curve = tw.classify(p, w).descent_curve
        assert curve.order == len(curve.layers) == fewest_fillings(p, w, len(level.learned))
        changed = [j + 1 for j, item in enumerate(curve.direction) if np.any(item)]
        assert tuple(changed) == curve.layers
        seen.add(curve.order)
    assert max(seen) <= p.depth
    assert min(seen) >= 3


@pytest.mark.parametrize("p", PROBLEMS, ids=lambda p: "-".join(map(str, p.dims)))
def test_descent_polynomial_is_the_loss_and_falls(p):
    rng = np.random.default_rng(1)
    for _ in range(6):
        w = tw.critical_point(p, (), "non_strict_saddle", rng=rng)
        curve = tw.classify(p, w).descent_curve
        a = curve.polynomial
        assert len(a) == 2 * p.depth + 1
        assert np.all(a[: curve.order] == 0.0)
        assert a[curve.order] < 0.0
        for t in (0.0, 0.1, 0.7, -0.4):
            moved = [x + t * v for x, v in zip(w, curve.direction, strict=True)]
            value = np.polynomial.polynomial.polyval(t, a)
            assert p.loss(moved) - p.loss(w) == pytest.approx(value, abs=1e-9)
        # Nothing else comes before t^(2 (order - 1)).
        between = a[curve.order + 1 : 2 * (curve.order - 1)]
        assert np.abs(between).max(initial=0.0) <= 1e-9


def test_direction_of_negative_curvature_is_recomputed_three_ways():
    for p in PROBLEMS:
        rng = np.random.default_rng(2)
        for level in tw.atlas(p):
            if "strict_saddle" not in level.kinds:
                continue
            w = tw.critical_point(p, level.learned, "strict_saddle", rng=rng)
            v = tw.classify(p, w)
            assert sum(np.sum(item**2) for item in v.witness) == pytest.approx(1.0)
            assert v.curvature < 0.0
            assert p.hessian(w).quadratic_form(v.witness) == pytest.approx(v.curvature, rel=1e-6)
            h = 1e-4
            step = [p.loss([a + s * h * b for a, b in zip(w, v.witness)]) for s in (1, -1)]  # noqa: B905
            difference = (step[0] + step[1] - 2 * p.loss(w)) / h**2
            assert difference == pytest.approx(v.curvature, rel=1e-3, abs=1e-6)
            assert v.line[2] == pytest.approx(0.5 * v.curvature)
            assert np.linalg.eigvalsh(p.hessian(w).to_dense())[0] <= v.curvature + 1e-9


def test_a_pivot_is_left_however_strong_the_open_paths_are():
    # Pivot (3, 2) with B_1 = I: one string leads from node 2 to the outputs, another one from the
    # inputs to node 2. A change that touches both opens a path, however large its square is.
    p = tw.Problem.from_target([2.0, 1.0], dims=(3, 2, 2, 2))
    plain, metric = p.flow_data()
    rng = np.random.default_rng(6)
    for _ in range(40):
        problem = (Target.of(plain), metric, p.dims)
        w = _canonical.canonical_point(problem, (), [(3, 3), (2, 3), (0, 3)], rng)
        w = [10.0 * item for item in w]
        exact = _nearest.nearest_critical(w, metric, Target.of(plain), ())
        way = _escape.fill(exact)
        quadratic = p.line(w, exact.split.direction(way.blocks))[2]
        assert quadratic == pytest.approx(-way.rate, rel=1e-6, abs=1e-9)
        assert quadratic < 0.0


def test_mixing_direction_has_the_curvature_of_the_formula():
    # Spec 4.5: quadratic term sigma_i (sigma_i - sigma_k); the direction's norm is known too.
    p = tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2))
    w = [np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])]
    v = tw.classify(p, w)
    assert v.learned == (1,)
    assert v.curvature == pytest.approx(2 * 1.0 * (1.0 - 3.0) / 2.0)


def test_without_negative_curvature_there_is_no_such_witness():
    # The quadratic form along any direction is non-negative at a non-strict saddle.
    p = PROBLEMS[1]
    w = tw.critical_point(p, (0,), "non_strict_saddle", rng=0)
    H = p.hessian(w)
    rng = np.random.default_rng(0)
    assert tw.classify(p, w).witness is None
    for _ in range(300):
        v = [rng.normal(size=item.shape) for item in w]
        assert H.quadratic_form(v) >= -1e-10


def test_repeated_values_have_witnesses_and_a_dimension_of_choice():
    p = tw.Problem.from_target([2.0, 2.0, 2.0, 1.0], dims=(4, 4, 4, 4))
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    out = np.zeros((4, 4))
    out[:3, 0] = turn[:, 0]
    one = np.zeros((4, 4))
    one[0, 0] = 2.0
    w = [one @ out.T, np.diag([1.0, 0, 0, 0]), out]
    v = tw.classify(p, w)
    assert v.kind == "non_strict_saddle"
    assert v.learned_values == (2.0,)
    assert v.choices == 2
    assert "equal" in v.message
    losses = [
        p.loss([a + t * b for a, b in zip(w, v.descent_curve.direction, strict=True)])
        for t in np.geomspace(1e-2, 1, 20)
    ]
    assert min(losses) < p.loss(w)


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7, 1e-8])
def test_nearly_equal_values_are_told_apart_or_not_decided(gap):
    p = tw.Problem.from_target([2.0, 2.0 - gap], dims=(3, 3, 3, 2))
    rng = np.random.default_rng(3)
    for learned, kind in [((0,), "non_strict_saddle"), ((1,), "strict_saddle")]:
        for _ in range(5):
            w = tw.critical_point(p, learned, kind, rng=rng)
            assert tw.classify(p, w).kind in {kind, "undecided"}


def test_zero_singular_values_and_more_outputs_than_inputs_are_decided_by_the_inertia():
    wide = tw.Problem.from_target(np.diag([3.0, 1.0])[[0, 1, 1, 0]], dims=(2, 3, 3, 4))
    flat = tw.Problem.from_target([3.0, 1.0, 0.0], dims=(3, 3, 3, 3))
    for p, word in [(wide, "exceeds"), (flat, "zero")]:
        w = [np.zeros((b, a)) for a, b in itertools.pairwise(p.dims)]
        v = tw.classify(p, w)
        assert v.kind == "non_strict_saddle"
        assert word in v.message
        moved = [a + 0.5 * b for a, b in zip(w, v.descent_curve.direction, strict=True)]
        assert p.loss(moved) < p.loss(w)
        w[1][0, 0] = 1.0
        v = tw.classify(p, w)
        assert v.kind == "strict_saddle"
        assert p.hessian(w).quadratic_form(v.witness) < 0
