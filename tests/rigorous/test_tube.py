"""The tube against a trajectory of 40 digits, exact defects, and metamorphic relations."""

import dataclasses

import mpmath
import numpy as np
import pytest
from tubes import SHAPES, start

import thalweg as tw
from thalweg.rigorous import _tube, certify_rigorous
from thalweg.rigorous._balls import ball, precision, up
from thalweg.rigorous._flow_data import flow_data
from thalweg.rigorous._inputs import exact_inputs


def mp_matrix(array):
    return np.array([[mpmath.mpf(float(x)) for x in row] for row in array], dtype=object)


def mp_taylor(weights, target, metric, time):
    """Integrate the flow by Taylor series in many digits, written from Spec 2.1 alone."""
    now, left, step, degree = [w.copy() for w in weights], time, mpmath.mpf(1) / 50, 30
    while left > 0:
        h = min(step, left)
        now = [
            sum((c * h**k for k, c in enumerate(layer)), start=0 * layer[0])
            for layer in mp_series(now, target, metric, degree)
        ]
        left -= h
    return now


def mp_series(weights, target, metric, degree):
    """Return the Taylor coefficients of every layer."""

    def coefficient(one, two, n):
        return sum((one[i].dot(two[n - i]) for i in range(n + 1)), start=0 * one[0].dot(two[0]))

    depth = len(weights)
    series = [[w] for w in weights]
    front, pull = [[] for _ in weights], [[] for _ in weights]
    for n in range(degree):
        front[0].append(series[0][n])
        for j in range(1, depth):
            front[j].append(coefficient(series[j], front[j - 1], n))
        whole = front[-1][n] * metric * metric
        pull[-1].append(whole - target * metric if n == 0 else whole)
        for j in range(depth - 1, 0, -1):
            pull[j - 1].append(coefficient([c.T for c in series[j]], pull[j], n))
        for j in range(depth):
            slope = coefficient(pull[j], [c.T for c in front[j - 1]], n) if j else pull[0][n]
            series[j].append(-slope / (n + 1))
    return series


@pytest.mark.parametrize("seed", [1, 2])
def test_the_true_trajectory_is_inside_the_tube(seed):
    p, w = start((2, 2, 2), seed)
    c = certify_rigorous(p, w, follow=True)
    assert c.status == "proved"
    steps = c.proof["tube"]["steps"]
    assert len(steps) >= 5
    with mpmath.workdps(40):
        truth = [mp_matrix(layer) for layer in w]
        target, metric = mp_matrix(np.diag(p.singular_values)), mp_matrix(np.ones((1, 2)))
        for step in steps:
            truth = mp_taylor(truth, target, metric, mpmath.mpf(float.fromhex(step["length"])))
            distance = mpmath.mpf(0)
            for layer, coefficients in zip(truth, step["coefficients"], strict=True):
                ends = [[0] * len(layer[0]) for _ in layer]
                for part in coefficients:
                    for i, row in enumerate(part):
                        for k, text in enumerate(row):
                            ends[i][k] += mpmath.mpf(float.fromhex(text))
                distance += sum((layer - np.array(ends, dtype=object)).ravel() ** 2)
            radius = float.fromhex(step["radius"])
            assert mpmath.sqrt(distance) <= radius
            assert radius < 1e-9


@pytest.mark.parametrize("dims", SHAPES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_random_starts_are_proved(dims, seed):
    p, w = start(dims, seed)
    c = certify_rigorous(p, w, follow=True)
    assert c.status == "proved"
    assert c.converges_to_global is True
    if c.entered_at is None:
        assert c.rate > 0.0  # proved without following
        return
    assert c.tube_radius < 1e-6
    run = tw.flow(p, w, t_end=c.entered_at, rtol=1e-11)
    again = tw.certify(p, list(run.weights_at(run.t[-1])))
    assert again.converges_to_global is True


def test_followed_data_with_mean_loss(rng):
    X, Y = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    for metric, source in (("raw", "data"), ("whitened", "reduced")):
        p = tw.Problem.from_data(X, Y, (2,), loss="mean", metric=metric)
        w = [rng.normal(size=(2, 2)), 0.5 * rng.normal(size=(2, 2))]
        c = certify_rigorous(p, w, follow=True)
        assert c.status == "proved"
        assert c.source == source


def test_a_saddle_is_undecided():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    exact = certify_rigorous(p, [np.diag([2.0, 0.0]), np.diag([1.0, 0.0])], follow=True)
    assert exact.status == "undecided"
    assert exact.lost_at is not None
    assert exact.converges_to_global is None
    zero = certify_rigorous(p, [np.zeros((2, 2)), np.zeros((2, 2))], follow=True)
    assert zero.status == "undecided"


def test_the_stable_set_of_a_saddle_is_never_proved(monkeypatch):
    """Aligned with one direction only: the limit is a saddle, however long one follows."""
    monkeypatch.setattr(_tube, "MAX_STEPS", 150)
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    c = certify_rigorous(p, [np.diag([1.0, 0.0]), np.diag([0.5, 0.0])], follow=True)
    assert c.status == "undecided"
    assert c.lost_at > 0.0
    assert "followed to t" in c.message


def test_fewer_steps_give_an_earlier_prefix_of_the_same_tube(monkeypatch):
    p, w = start((3, 3, 3), 1)
    whole = certify_rigorous(p, w, follow=True)
    monkeypatch.setattr(_tube, "MAX_STEPS", 5)
    part = certify_rigorous(p, w, follow=True)
    assert part.status == "undecided"
    assert part.lost_at < whole.entered_at
    lengths = [float.fromhex(step["length"]) for step in whole.proof["tube"]["steps"][:5]]
    assert part.lost_at == pytest.approx(sum(lengths), rel=1e-14)
    assert part.tube_radius == float.fromhex(whole.proof["tube"]["steps"][4]["radius"])


def test_a_wider_tube_is_never_proved_where_a_narrower_was_lost():
    """Growing the radius at the start: proved, ..., proved, lost, ..., lost."""
    p, w = start((2, 2, 2), 1)
    inputs = exact_inputs(p, w)
    with precision(_tube.BITS):
        data = flow_data(inputs)
        ends = []
        for radius in (0.0, 1e-6, 1e-3, 1e-2, 1e-1, 1.0, 10.0):
            step = _tube._advance(list(w), ball(radius), data, ball(1))
            ends.append(up(step.radius) / step.length if step else np.inf)
            if step:
                assert up(step.radius) >= 0.0
    assert ends == sorted(ends)


def test_too_many_weights_are_not_followed(monkeypatch):
    monkeypatch.setattr(_tube, "MAX_WEIGHTS", 7)
    p, w = start((2, 2, 2), 1)
    c = certify_rigorous(p, w, follow=True)
    assert c.status == "undecided"
    assert "too many to follow" in c.message
    assert c.lost_at == 0.0


def test_result_says_what_is_proved():
    p, w = start((2, 2, 2), 1)
    c = certify_rigorous(p, w, follow=True)
    assert "enters the basin" in c.message
    assert c.rate_after_entry > 0.0
    document = c.to_dict()
    assert document["status"] == "proved"
    assert "_proof" not in document
    assert dataclasses.is_dataclass(c)
