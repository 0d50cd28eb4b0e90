"""What goes in is checked, what comes out can be kept."""

import json

import numpy as np
import pytest

import thalweg as tw


@pytest.fixture
def p():
    rng = np.random.default_rng(0)
    return tw.Problem.from_data(rng.normal(size=(9, 3)), rng.normal(size=(9, 2)), (4,))


@pytest.fixture
def w(p):
    return tw.init.gaussian(p, scale=0.3, rng=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "lbfgs"}, "method must be one of gd"),
        ({"lr": 0.0}, "lr is 0"),
        ({"lr": float("nan")}, "finite number"),
        ({"steps": 0}, "steps must be a positive integer"),
        ({"momentum": 0.9}, 'use method="momentum"'),
        ({"method": "momentum", "momentum": 1.0}, "below 1"),
        ({"method": "nesterov", "momentum": 0.0}, "positive momentum"),
        ({"method": "adam", "betas": (0.9,)}, "two numbers"),
        ({"method": "adam", "betas": (0.9, 1.0)}, "two numbers"),
        ({"method": "adamw", "decay": "loss"}, 'use method="adam"'),
        ({"decay": "half"}, "decay must be one of"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"batch_size": 3}, 'use method="sgd"'),
        ({"method": "sgd", "batch_size": 10}, "there are 9 samples"),
        ({"every": 0}, "every must be"),
        ({"method": "sgd", "rng": "x"}, "rng must be a seed"),
    ],
)
def test_wrong_input_is_one_line(p, w, options, words):
    with pytest.raises(tw.DataError, match=words) as caught:
        tw.descend(p, w, **options)
    assert "\n" not in str(caught.value)


def test_weights_and_problems_are_checked(p, w):
    with pytest.raises(tw.DimensionError):
        tw.descend(p, w[:1])
    with pytest.raises(tw.DataError, match="is needed"):
        tw.descend(3, w)


def test_batches_need_their_samples(w):
    rng = np.random.default_rng(0)
    reduced = tw.Problem.from_data(
        rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), (4,), n_samples=100
    )
    with pytest.raises(tw.DataError, match="stand for 100 samples"):
        tw.descend(reduced, w, method="sgd", batch_size=2)
    large = tw.Problem.from_data(rng.normal(size=(60000, 3)), rng.normal(size=(60000, 2)), (4,))
    with pytest.raises(tw.DataError, match="has not kept its table"):
        tw.descend(large, w, method="sgd")


def test_columns_of_a_target_are_samples():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    d = tw.descend(p, tw.init.gaussian(p, scale=0.3, rng=0), method="sgd", batch_size=1, steps=9)
    assert d.residual.max() < 1e-14
    assert d.seed == 0


def test_the_start_is_not_touched_and_seeds_decide(p, w):
    before = [item.copy() for item in w]
    runs = [tw.descend(p, w, method="sgd", batch_size=2, steps=20, rng=seed) for seed in (1, 1, 2)]
    for one, two in zip(before, w, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(runs[0].loss, runs[1].loss)
    assert runs[0].loss[-1] != runs[2].loss[-1]
    assert [run.seed for run in runs] == [1, 1, 2]


def test_measuring_rarely_gives_the_same_numbers(p, w):
    often = tw.descend(p, w, method="nesterov", lr=1e-3, steps=100, weight_decay=0.1)
    rarely = tw.descend(p, w, method="nesterov", lr=1e-3, steps=100, weight_decay=0.1, every=30)
    rows = [0, 30, 60, 90, 100]
    assert np.flatnonzero(np.isfinite(rarely.drift)).tolist() == rows
    np.testing.assert_allclose(rarely.drift[rows], often.drift[rows], rtol=1e-12)
    np.testing.assert_allclose(rarely.predicted_drift[rows], often.predicted_drift[rows])
    assert np.nanmax(rarely.residual) < 1e-14
    np.testing.assert_array_equal(rarely.loss, often.loss)


def test_one_layer_conserves_nothing_and_drifts_by_nothing():
    p = tw.Problem.from_target([3.0, 1.0], dims=(2, 2))
    d = tw.descend(p, [np.ones((2, 2))], lr=0.1, steps=100)
    assert d.invariants == ()
    assert np.all(d.drift == 0.0)
    assert d.limit.verdict.kind == "global_minimum"


@pytest.mark.parametrize("method", ["gd", "sgd", "momentum", "nesterov", "adam", "adamw"])
def test_results_are_immutable_and_json(p, w, method, tmp_path):
    d = tw.descend(p, w, method=method, lr=1e-3, steps=500)
    with pytest.raises(ValueError, match="read-only"):
        d.loss[0] = 0.0
    document = json.loads(json.dumps(d.to_dict(), allow_nan=False))
    assert document["method"] == method
    assert len(document["loss"]) == len(document["step"]) == 400
    assert (document["predicted_drift"][-1] is None) == (method in {"adam", "adamw"})
    assert len(repr(d).splitlines()) <= 15
    assert "<table>" in d._repr_html_()
    with np.load(d.save(tmp_path / "run")) as kept:
        np.testing.assert_array_equal(kept["W2"], d.weights[1])
        np.testing.assert_array_equal(kept["start1"], w[0])
        assert json.loads(str(kept["summary"]))["method"] == method
