"""The bounds a tube is made of: each contains what it bounds, and is not wildly loose."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from tubes import SHAPES, start

from thalweg.network import dense_hessian
from thalweg.rigorous import _tube
from thalweg.rigorous._balls import ball, down, matrix, precision, up
from thalweg.rigorous._certify import LADDER
from thalweg.rigorous._defect import defect, excursion, polynomials
from thalweg.rigorous._flow_data import flow_data
from thalweg.rigorous._growth import centre, hessian, least_curvature
from thalweg.rigorous._inputs import exact_inputs
from thalweg.rigorous._taylor import taylor
from thalweg.verify._facts import Setting
from thalweg.verify._read import Proof
from thalweg.verify._tube import defect as exact_defect


def prepared(dims=(3, 2, 2, 2), seed=4, std=0.8):
    p, _ = start(dims, 0)
    rng = np.random.default_rng(seed)
    w = [std * rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]
    inputs = exact_inputs(p, w)
    return p, w, inputs, flow_data(inputs)


def as_setting(inputs):
    """The verifier's view of the same numbers."""
    return Setting(
        Proof(
            x=inputs.x.tolist(),
            y=inputs.y.tolist(),
            weights=[item.tolist() for item in inputs.weights],
            divisor=inputs.divisor,
            metric=inputs.metric,
            source=inputs.source,
            facts={},
            claims={},
            tube=None,
            sealed=True,
        )
    )


@pytest.mark.parametrize("length", [0.01, 0.5])
def test_defect_bounds_the_exact_one_and_little_more(length):
    """The same polynomial, its defect computed exactly in integers."""
    _, w, inputs, _ = prepared()
    with precision(LADDER[1]):
        data = flow_data(inputs)
        series = taylor(w, inputs.x @ inputs.x.T, inputs.y @ inputs.x.T, 8)
        powers = length ** np.arange(9)
        scaled = [item * powers[:, None, None] for item in series]
        bound = up(defect([polynomials(item) for item in scaled], data, length))
    exact = float(
        exact_defect([item.tolist() for item in scaled], as_setting(inputs), Fraction(length))
    )
    assert exact * (1 - 1e-12) <= bound <= exact * (1 + 1e-9)


def test_defect_sees_every_coefficient():
    """A polynomial of degree 0: its defect is the gradient itself."""
    p, w, _, data = prepared()
    with precision(LADDER[1]):
        layers = [polynomials(item[np.newaxis]) for item in w]
        bound = up(defect(layers, data, 0.25))
        centres, moved = excursion(layers)
        assert up(moved) == 0.0
        assert len(centres) == 3
    size = np.sqrt(sum(float(np.sum(g**2)) for g in p.gradient(w)))
    assert bound == pytest.approx(0.25 * size, rel=1e-12)


def test_excursion_contains_the_curve(rng):
    coefficients = rng.normal(size=(6, 2, 2))
    with precision(LADDER[1]):
        centres, moved = excursion([polynomials(coefficients)])
        middle = np.array([[float(x.mid()) for x in row] for row in centres[0].tolist()])
        bound = up(moved)
    for s in np.linspace(0.0, 1.0, 101):
        here = np.tensordot(s ** np.arange(6), coefficients, axes=1)
        assert np.linalg.norm(here - middle) <= bound


def test_hessian_and_its_least_eigenvalue():
    for dims in SHAPES:
        p, w, _, data = prepared(dims)
        target, metric = p.flow_data()
        dense = dense_hessian(w, target, metric)
        with precision(LADDER[1]):
            found = hessian([matrix(item) for item in w], data)
            middle = np.array([float(x.mid()) for x in found.entries()]).reshape(dense.shape)
            lowest = least_curvature(w, data)
            assert up(lowest) <= np.linalg.eigvalsh(dense)[0] + 1e-13
            assert down(lowest) == pytest.approx(np.linalg.eigvalsh(dense)[0], abs=1e-11)
        assert np.abs(middle - dense).max() < 1e-12


@pytest.mark.parametrize("dims", SHAPES)
def test_lipschitz_bound_holds_and_is_not_wildly_loose(dims, rng):
    p, w, _, data = prepared(dims)
    target, metric = p.flow_data()
    with precision(LADDER[1]):
        at = centre(w, data, ball(1))
        bound = up(at.lipschitz(ball(0.3)))
        error = up(at.error_within(ball(0.3)))
    here, worst = dense_hessian(w, target, metric), 0.0
    for _ in range(200):
        step = [rng.normal(size=item.shape) for item in w]
        size = np.sqrt(sum(float(np.sum(s**2)) for s in step))
        length = rng.uniform(1e-3, 0.3)
        there = [a + length / size * s for a, s in zip(w, step, strict=True)]
        gap = np.linalg.norm(dense_hessian(there, target, metric) - here, 2)
        worst = max(worst, gap / length)
        assert gap <= bound * length
        assert np.sqrt(2 * p.reducible_loss(there)) <= error
    assert bound <= 60 * worst


def test_a_step_that_may_leave_its_assumed_ball_is_refused():
    """The same step is proved when it is short and refused when it is long."""
    p, w = start((2, 2, 2), 1)
    inputs = exact_inputs(p, w)
    with precision(_tube.BITS):
        data = flow_data(inputs)
        series = taylor(w, inputs.x @ inputs.x.T, inputs.y @ inputs.x.T, _tube.DEGREE)
        flow = (data, ball(1))
        assert _tube._prove(list(w), ball(1e-3), series, flow, 1e-3) is not None
        assert _tube._prove(list(w), ball(1e-3), series, flow, 0.3) is None
        assert _tube._prove(list(w), ball(1.0), series, flow, 0.1) is None
