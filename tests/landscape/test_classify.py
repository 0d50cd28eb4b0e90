"""The complete classification, on constructed critical points, against dense Hessians."""

import dataclasses
import itertools

import numpy as np
import pytest
from points import networks, random_request

import thalweg as tw
from thalweg.landscape import _nearest


@pytest.mark.parametrize(
    "count", [250, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])]
)
def test_rule_agrees_with_the_dense_hessian_and_every_verdict_has_its_witness(count):
    for p, rng in networks(count, seed=count):
        learned, kind = random_request(p, rng)
        w = tw.critical_point(p, learned, kind, rng=rng)
        size = max(np.linalg.norm(item) for item in w)
        slope = np.sqrt(sum(np.sum(g**2) for g in p.gradient(w)))
        assert slope <= 1e-12 * p.singular_values[0] * max(1.0, size) ** (2 * p.depth)
        v = tw.classify(p, w)
        values = np.linalg.eigvalsh(p.hessian(w).to_dense())
        negative = values[0] < -1e-9 * max(1.0, np.abs(values).max())
        assert (v.kind, v.learned, v.rank) == (kind, learned, len(learned)), v.message
        assert negative == (kind == "strict_saddle")
        if kind == "strict_saddle":
            assert p.hessian(w).quadratic_form(v.witness) < 0
            line = np.asarray(p.line(w, v.witness))
            assert line[2] < 0
        if kind == "non_strict_saddle":
            curve = v.descent_curve
            assert curve.order >= 3
            losses = [
                p.loss([a + t * b for a, b in zip(w, curve.direction, strict=True)])
                for t in np.geomspace(1.0, 1e-3, 25)
            ]
            assert min(losses) < p.loss(w)


def diagonal(dims, **entries):
    out = [np.zeros((b, a)) for a, b in itertools.pairwise(dims)]
    for place, value in entries.items():
        layer, i, j = (int(c) for c in place[1:])
        out[layer][i, j] = value
    return out


SHALLOW = tw.Problem.from_target([3.0, 1.0], dims=(3, 4, 2))

DEEP = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2, 2))


def test_published_spectra():
    v = tw.classify(SHALLOW, diagonal(SHALLOW.dims))
    assert (v.kind, v.paper_case, v.inertia) == ("strict_saddle", "§4.1", (8, 4, 8))
    v = tw.classify(DEEP, diagonal(DEEP.dims))
    assert (v.kind, v.paper_case, v.inertia) == ("non_strict_saddle", "Case 1.2", (0, 14, 0))
    third = 3.0 ** (1 / 3)
    w = diagonal(DEEP.dims, w000=third, w100=third, w200=third)
    v = tw.classify(DEEP, w)
    values = np.linalg.eigvalsh(DEEP.hessian(w).to_dense())
    assert (v.kind, v.learned) == ("non_strict_saddle", (0,))
    assert v.paper_case == "Case 2.2 / Remark 3"
    # The signal is a scalar chain: its Hessian there is the square of a vector, 3 * 3^(4/3).
    assert values[-1] == pytest.approx(3.0 ** (7 / 3), abs=1e-10)
    assert values[0] == pytest.approx(0.0, abs=1e-10)
    assert v.inertia[1] == 10
    assert v.loss == pytest.approx(0.5, abs=1e-10)
    w = diagonal(DEEP.dims, w001=1.0, w100=1.0, w210=1.0)
    v = tw.classify(DEEP, w)
    values = np.linalg.eigvalsh(DEEP.hessian(w).to_dense())
    assert (v.kind, v.learned) == ("strict_saddle", (1,))
    assert values[0] == pytest.approx(-2.0, abs=1e-10)
    assert values[-1] == pytest.approx(4.0, abs=1e-10)
    assert v.inertia[0] == 1
    assert v.loss == pytest.approx(4.5, abs=1e-10)
    assert [item.loss for item in tw.atlas(DEEP)] == pytest.approx([0, 0.5, 4.5, 5], abs=1e-10)
    origin = tw.classify(SHALLOW, diagonal(SHALLOW.dims)).eigenvalues
    assert origin == pytest.approx(np.repeat([-3.0, -1.0, 0.0, 1.0, 3.0], 4), abs=1e-10)
    origin = tw.classify(DEEP, diagonal(DEEP.dims)).eigenvalues
    assert np.abs(origin).max() <= 1e-10


def test_case_1_2_needs_the_data_in_the_pivot(monkeypatch):
    # W_1 = [0 X] with X against the target's null space: without Sigma_XY its rank would count.
    p = tw.Problem.from_target([3.0, 1.0], dims=(4, 2, 2, 2))
    w = diagonal(p.dims, w002=1.0, w013=2.0)
    v = tw.classify(p, w)
    assert (v.kind, v.paper_case) == ("non_strict_saddle", "Case 1.2")
    assert v.inertia == (0, p.n_parameters, 0)
    # W_1 Sigma_XY, a product of two maps that ends at node 1, would have the rank of W_1.
    known = _nearest.nearest_critical

    def forgetful(*arguments):
        exact = known(*arguments)
        ranks = exact.ranks.copy()
        ranks[2, 1] = ranks[1, 1]
        return dataclasses.replace(exact, ranks=ranks)

    monkeypatch.setattr("thalweg.landscape._classify.nearest_critical", forgetful)
    assert tw.classify(p, w).kind != "non_strict_saddle"


def test_case_1_1_and_prop_3():
    w = diagonal(DEEP.dims, w000=1.0)
    assert tw.classify(DEEP, w).paper_case == "Case 1.1"
    w = diagonal(DEEP.dims, w100=1.0)
    assert tw.classify(DEEP, w).paper_case == "Prop. 3 (iii), r_Z > r"


def turned(p, w, rng):
    """The same point in other hidden and output coordinates, and with other data."""
    moved = [item.copy() for item in w]
    for j in range(p.depth - 1):
        Q = np.linalg.qr(rng.normal(size=(p.dims[j + 1], p.dims[j + 1])))[0]
        moved[j], moved[j + 1] = Q @ moved[j], moved[j + 1] @ Q.T
    return moved


def test_gauge_rotation_metric_scale_and_time_change_nothing():
    for p, rng in networks(60, seed=5):
        learned, kind = random_request(p, rng)
        w = p.reduce(turned(p, tw.critical_point(p, learned, kind, rng=rng), rng))
        T, D = p.flow_data()
        U = np.linalg.qr(rng.normal(size=(p.dims[-1], p.dims[-1])))[0]
        scale, other = float(rng.uniform(0.3, 3.0)), rng.uniform(0.5, 2.0, len(D))
        root = scale ** (1.0 / p.depth)
        X, Y = np.diag(D), T
        versions = {
            "gauge": (tw.Problem.from_target(T, dims=p.dims, D=D), w),
            "rotation": (
                tw.Problem.from_target(U @ T, dims=p.dims, D=D),
                [*w[:-1], U @ w[-1]],
            ),
            "metric": (
                tw.Problem.from_target(T, dims=p.dims, D=other),
                [w[0] * D / other, *w[1:]],
            ),
            "targets": (
                tw.Problem.from_target(scale * T, dims=p.dims, D=D),
                [root * item for item in w],
            ),
            "time": (tw.Problem.from_data(X.T, Y.T, widths=p.dims[1:-1], loss="mean"), w),
            "whitened": (
                tw.Problem.from_data(X.T, Y.T, widths=p.dims[1:-1], metric="whitened"),
                w,
            ),
        }
        for name, (problem, weights) in versions.items():
            v = tw.classify(problem, weights)
            assert (v.kind, v.learned, v.rank) == (kind, learned, len(learned)), name


def test_whitened_and_raw_agree_on_the_kind():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(40, 4)) * np.array([3.0, 1.0, 0.5, 0.2])
    Y = X @ rng.normal(size=(4, 2))
    raw = tw.Problem.from_data(X, Y, widths=(3, 3))
    white = tw.Problem.from_data(X, Y, widths=(3, 3), metric="whitened")
    for level, seed in itertools.product(tw.atlas(raw), range(3)):
        for kind in level.kinds:
            w = tw.critical_point(raw, level.learned, kind, rng=seed)
            one, two = tw.classify(raw, w), tw.classify(white, w)
            assert one.kind == two.kind == kind
            assert one.learned == two.learned == level.learned


def test_ties_are_decided_by_the_inertia_and_say_so():
    p = tw.Problem.from_target([2.0, 2.0], dims=(3, 3, 2))
    v = tw.classify(p, diagonal(p.dims))
    assert v.kind == "strict_saddle"
    assert "equal" in v.message


def test_many_parameters_need_no_dense_hessian():
    p = tw.Problem.from_target(np.linspace(5.0, 1.0, 100), dims=(100, 100, 100))
    w = tw.critical_point(p, range(40), rng=0)
    v = tw.classify(p, w)
    assert v.kind == "strict_saddle"
    assert v.inertia is None
    assert p.n_parameters == 20_000
    assert p.hessian(w).quadratic_form(v.witness) < 0


@pytest.mark.parametrize(
    ("dims", "learned", "kind", "words"),
    [
        ((3, 4, 2), (0,), "non_strict_saddle", "one hidden layer"),
        ((3, 4, 2), (1,), "global_minimum", "largest"),
        ((3, 4, 2), (0, 1), "strict_saddle", "global minima"),
        ((3, 2, 2, 2), (1,), "non_strict_saddle", "larger direction"),
        ((3, 4, 2), (0, 1, 2), None, "at most 2"),
        ((3, 1, 2), (0, 1), None, "bottleneck 1"),
        ((3, 4, 2), (0,), "maximum", "kind must be"),
        ((3, 2), (), None, "convex"),
    ],
)
def test_impossible_requests_say_why(dims, learned, kind, words):
    p = tw.Problem.from_target([3.0, 1.0], dims=dims)
    with pytest.raises(ValueError, match=words):
        tw.critical_point(p, learned, kind)
