"""Rigorous certificates against floating-point ones, exact cases, and trajectories."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import DataError
from thalweg.rigorous import certify_rigorous
from thalweg.rigorous._inputs import exact_inputs
from thalweg.verify import verify_proof


def random_case(rng):
    """Random depth, widths in all orders, scales and metrics."""
    depth = int(rng.integers(1, 5))
    dims = tuple(int(d) for d in rng.integers(1, 6, size=depth + 1))
    scale = 10.0 ** rng.uniform(-1.3, 0.6)
    if rng.random() < 0.5:
        p = tw.Problem.from_target(rng.normal(size=(dims[-1], dims[0])), dims=dims)
    else:
        m = dims[0] + int(rng.integers(1, 8))
        X, Y = rng.normal(size=(m, dims[0])), rng.normal(size=(m, dims[-1]))
        metric, loss = rng.choice(["raw", "whitened"]), rng.choice(["sum", "mean"])
        p = tw.Problem.from_data(X, Y, dims[1:-1], metric=str(metric), loss=str(loss))
    return p, [scale * rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]


def test_agrees_with_floating_point_wherever_the_margin_is_clear(rng):
    undecided = compared = 0
    for _ in range(200):
        p, w = random_case(rng)
        floating, proved = tw.certify(p, w), certify_rigorous(p, w)
        twins = {item.name: item for item in floating.hypotheses}
        scale = 1e-9 * max(1.0, 2.0 * floating.reducible_loss)
        for item in proved.hypotheses:
            twin = twins.get(item.name)
            undecided += item.holds is None
            if twin is None:
                continue
            if not twin.strict or abs(twin.value - twin.threshold) > scale:
                assert item.holds is twin.holds, (item, twin)
                compared += 1
        assert proved.rate <= floating.rate * (1 + 1e-7)
        if floating.rule == "remark-2":
            assert proved.rate == pytest.approx(floating.rate, rel=1e-6)
        assert proved.reducible_loss == pytest.approx(floating.reducible_loss, rel=1e-9)
        assert set(proved.guaranteed) <= set(floating.guaranteed)
        assert np.all(proved.norm_bounds >= floating.norm_bounds * (1 - 1e-9))
    assert undecided <= 4
    assert compared > 400


def test_statements_about_data_and_about_the_reduction(rng):
    X, Y = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    w = [rng.normal(size=(3, 3)), rng.normal(size=(2, 3))]
    p = tw.Problem.from_data(X, Y, (3,))
    assert certify_rigorous(p, w).source == "data"
    twice = np.column_stack([X[:, :2], X[:, 0] + X[:, 1]])  # rank 2 but for rounding
    q = tw.Problem.from_data(twice, Y, (3,))
    assert q.rank == 2
    c = certify_rigorous(q, w)
    assert c.source == "reduced"
    assert "reduced problem" in c.message
    unseen = np.column_stack([X[:, :2], np.zeros(12)])
    r = tw.Problem.from_data(unseen, Y, (3,))
    c, f = certify_rigorous(r, w), tw.certify(r, w)
    assert c.source == "data"
    assert c.norm_bounds[0] >= np.linalg.norm(w[0][:, 2])
    assert c.norm_bounds == pytest.approx(f.norm_bounds, rel=0.3)
    assert c.reducible_loss == pytest.approx(f.reducible_loss, rel=1e-9)
    assert certify_rigorous(p.reduced, p.reduce(w)).reducible_loss == pytest.approx(
        tw.certify(p, w).reducible_loss, rel=1e-9
    )


@pytest.mark.parametrize("condition", [1e3, 1e7, 1e11])
def test_ill_conditioned_data_are_certified_with_more_digits(condition, rng, tmp_path):
    left, _ = np.linalg.qr(rng.normal(size=(12, 3)))
    right, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    X = left * [1.0, condition**-0.5, 1.0 / condition] @ right
    p = tw.Problem.from_data(X, rng.normal(size=(12, 2)), (3,))
    w = [rng.normal(size=(3, 3)), rng.normal(size=(2, 3))]
    c, f = certify_rigorous(p, w), tw.certify(p, w)
    assert c.source == "data"
    assert c.reducible_loss == pytest.approx(f.reducible_loss, rel=1e-16 * condition + 1e-9)
    assert c.norm_bounds == pytest.approx(f.norm_bounds, rel=1e-15 * condition + 1e-9)
    assert verify_proof(c.save_proof(tmp_path / "proof.json")).verified


def test_large_tables_are_not_kept(monkeypatch, rng):
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    monkeypatch.setattr("thalweg.problem._tables.KEPT", 10)
    p = tw.Problem.from_data(X, Y, (3,))
    assert p.tables() is None
    assert exact_inputs(p, tw.init.gaussian(p)).source == "reduced"


@pytest.mark.parametrize("metric", ["raw", "whitened"])
@pytest.mark.parametrize("loss", ["sum", "mean"])
def test_bounds_hold_along_trajectories(metric, loss, rng):
    for seed in range(5):
        X, Y = rng.normal(size=(15, 3)) * [1.0, 2.0, 0.5], rng.normal(size=(15, 2))
        p = tw.Problem.from_data(X, Y, (3,), metric=metric, loss=loss)
        w = tw.init.gaussian(p, scale=0.5, rng=seed)
        c = certify_rigorous(p, w)
        run = tw.flow(p, w, t_end=3.0, rtol=1e-10)
        assert np.all(run.layer_norms.max(axis=0) <= c.flow_norm_bounds * (1 + 1e-8))
        for t in np.linspace(0.0, run.t[-1], 9):
            norms = [np.linalg.norm(layer, 2) for layer in run.weights_at(t)]
            assert np.all(norms <= c.norm_bounds * (1 + 1e-8))
        assert np.all(run.reducible_loss <= c.loss_bound(run.t) * (1 + 1e-8) + 1e-12)


def test_exact_equality_is_never_a_yes():
    """The loss is exactly the level: 0.5 * 1**2 with singular values 2 and 1."""
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    w = [np.array([[2.0, 1.0], [0.0, 1.0]]), np.eye(2)]
    named = {item.name: item for item in certify_rigorous(p, w).hypotheses}
    assert named["basin: the loss is below every non-global critical value"].holds is not True
    assert named["anytime: the error is below the smallest singular value"].holds is not True
    assert certify_rigorous(p, w).guaranteed == (0,)


def test_two_negative_factors_give_no_rate():
    """Each of two layers may lose rank; the product of their negative bounds is positive."""
    p = tw.Problem.from_target([1.0], dims=(1, 1, 1, 1, 1))
    w = [np.full((1, 1), value) for value in (3.0, 1.0, 1.0, 4.0)]
    c = certify_rigorous(p, w)
    assert c.rate == 0.0
    assert tw.certify(p, w).rate == 0.0


def test_rank_of_the_target_is_exact():
    """A tiny singular value is not zero, an absent one is."""
    w = [np.diag([2.5, 0.5]), np.eye(2)]
    zero = certify_rigorous(tw.Problem.from_target([3.0, 0.0], dims=(2, 2, 2)), w)
    assert zero.converges_to_global is True
    tiny = certify_rigorous(tw.Problem.from_target([3.0, 1e-40], dims=(2, 2, 2)), w)
    named = {item.name: item.holds for item in tiny.hypotheses}
    assert named["basin: the loss is below every non-global critical value"] is False
    assert tiny.guaranteed == (0,) or tiny.rule == "remark-2"


def test_starts_without_certificate_get_an_honest_none():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    zero = certify_rigorous(p, [np.zeros((2, 2)), np.zeros((2, 2))])
    assert (zero.status, zero.rate, zero.converges_to_global) == ("undecided", 0.0, None)
    assert zero.guaranteed == ()
    narrow = tw.Problem.from_target([2.0, 1.0], dims=(2, 1, 2))
    assert certify_rigorous(narrow, tw.init.gaussian(narrow, scale=0.1)).rate == 0.0


def test_wider_input_is_never_proved_where_narrower_is_refuted(rng):
    """Metamorphic: more noise added to the error cannot turn a refuted basin into a proved one."""
    p = tw.Problem.from_target([3.0, 2.0], dims=(2, 2, 2))
    name = "basin: the loss is below every non-global critical value"
    for size in np.linspace(1.9, 2.1, 21):
        w = [np.diag([3.0, 2.0]) + size * np.array([[0.0, 1.0], [0.0, 0.0]]), np.eye(2)]
        holds = next(i.holds for i in certify_rigorous(p, w).hypotheses if i.name == name)
        assert holds is (True if size < 2.0 else False if size > 2.0 else holds)
        if size == 2.0:
            assert holds is not True


def test_hopeless_data_are_undecided_in_one_sentence(monkeypatch, rng):
    monkeypatch.setattr("thalweg.rigorous._certify.quantities", lambda inputs: None)
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    c = certify_rigorous(p, [np.eye(2), np.eye(2)])
    assert c.status == "undecided"
    assert not c.certified
    with pytest.raises(DataError, match="no proof to write"):
        c.save_proof("nowhere.json")


def test_envelope_is_rounded_upwards():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    c = certify_rigorous(p, [np.diag([1.5, 1.0]), np.diag([1.0, 0.5])])
    assert c.rate > 0.0
    assert np.isnan(c.loss_bound(-1.0))
    assert c.loss_bound(np.inf) == 0.0
    assert c.loss_bound(0.0) == c.reducible_loss
    when = c.time_to_reach(1e-3)
    assert c.loss_bound(when) <= 1e-3 * (1 + 1e-12)
    assert c.time_to_reach(0.0) == np.inf
    assert np.all(np.diff(c.loss_bound(np.linspace(0, 3, 7))) < 0)


@pytest.mark.parametrize(
    ("size", "level"), [(1e-95, 1.0), (1e62, 1.0), (1e98, 1e-90), (1e-33, 1e-4)]
)
def test_extreme_scales_end_in_words(size, level, rng, tmp_path):
    dims = (2, 2, 1, 1)
    p = tw.Problem.from_target(level * rng.normal(size=(1, 2)), dims=dims)
    w = [size * rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]
    c = certify_rigorous(p, w)
    assert c.message
    assert c.converges_to_global is None
    if c.proof:
        assert verify_proof(c.save_proof(tmp_path / "proof.json")).verified
