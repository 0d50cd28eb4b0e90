"""The identities of the steps in exact rationals."""

import itertools
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import thalweg as tw


def product(a, b):
    return [
        [sum(x * y for x, y in zip(row, col, strict=True)) for col in zip(*b, strict=True)]
        for row in a
    ]


def transpose(a):
    return [list(row) for row in zip(*a, strict=True)]


def plus(a, b, factor=1):
    return [[x + factor * y for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)]


def times(a, factor):
    return [[factor * x for x in row] for row in a]


def exact_gradient(w, X, Y):
    """Of half the sum of squares, samples in columns, by back-propagation."""
    layers = [X]
    for item in w:
        layers.append(product(item, layers[-1]))
    signal, out = plus(layers[-1], Y, -1), []
    for j in range(len(w) - 1, -1, -1):
        out.append(product(signal, transpose(layers[j])))
        signal = product(transpose(w[j]), signal)
    return out[::-1]


def exact_form(w):
    return [
        plus(product(transpose(b), b), product(a, transpose(a)), -1)
        for a, b in itertools.pairwise(w)
    ]


def exact_run(asked, w, X, Y, steps):
    """Weights and momenta of every step, in rational arithmetic."""
    eta, beta, decay = asked.eta, asked.beta, asked.decay
    velocity, points, velocities = None, [w], []
    for _ in range(steps):
        g = exact_gradient(w, X, Y)
        if asked.how == "loss":
            g = [plus(a, b, decay) for a, b in zip(g, w, strict=True)]
        velocity = (
            g if velocity is None else [plus(a, b, beta) for a, b in zip(g, velocity, strict=True)]
        )
        update = velocity
        if asked.nesterov:
            update = [plus(a, b, beta) for a, b in zip(g, velocity, strict=True)]
        if asked.how == "decoupled":
            w = [times(a, 1 - eta * decay) for a in w]
        w = [plus(a, b, -eta) for a, b in zip(w, update, strict=True)]
        points.append(w)
        velocities.append(velocity)
    return points, velocities


INTEGERS = SimpleNamespace(
    w=[[[1, -2], [0, 1], [2, 1]], [[1, 0, -1], [2, 1, 0]], [[1, -1], [0, 2]]],
    X=[[1, 2, 0], [0, 1, -1]],
    Y=[[1, 0, 2], [-1, 1, 1]],
)


def rational(table):
    return [[Fraction(x) for x in row] for row in table]


@pytest.mark.parametrize("how", ["none", "loss", "decoupled"])
@pytest.mark.parametrize(
    ("nesterov", "beta"), [(False, 0), (False, Fraction(1, 2)), (True, Fraction(1, 2))]
)
def test_predictions_are_those_of_rational_arithmetic(nesterov, how, beta):
    asked = SimpleNamespace(
        eta=Fraction(1, 1024), beta=beta, decay=Fraction(1, 4), how=how, nesterov=nesterov
    )
    w, X, Y = [rational(item) for item in INTEGERS.w], rational(INTEGERS.X), rational(INTEGERS.Y)
    points, _ = exact_run(asked, w, X, Y, 3)
    p = tw.Problem.from_data(INTEGERS.X, INTEGERS.Y, (3, 2), samples="columns")
    method = "nesterov" if nesterov else "momentum" if beta else "gd"
    d = tw.descend(
        p,
        [np.array(item, float) for item in INTEGERS.w],
        method=method,
        lr=1 / 1024,
        steps=3,
        momentum=float(beta) or None,
        weight_decay=0.0 if how == "none" else 0.25,
        decay=None if how == "none" else how,
    )
    for one, two in zip(d.weights, points[-1], strict=True):
        np.testing.assert_allclose(one, np.array(two, float), rtol=1e-13, atol=1e-14)
    for one, two in zip(d.predicted_invariants, exact_form(points[-1]), strict=True):
        np.testing.assert_allclose(one, np.array(two, float), rtol=1e-13, atol=1e-14)


def test_identity_of_gradient_descent_holds_exactly_in_rationals():
    asked = SimpleNamespace(eta=Fraction(1, 7), beta=0, decay=0, how="none", nesterov=False)
    w, X, Y = [rational(item) for item in INTEGERS.w], rational(INTEGERS.X), rational(INTEGERS.Y)
    points, gradients = exact_run(asked, w, X, Y, 1)
    for one, two, square in zip(
        *(exact_form(item) for item in (points[0], points[1], gradients[0])), strict=True
    ):
        assert plus(two, one, -1) == times(square, asked.eta**2)
        assert plus(two, one, -1) != times(square, -(asked.eta**2))


def test_heavy_ball_drifts_by_all_its_past_momenta_exactly_in_rationals():
    """``Delta C_n = eta^2 (Q(V_n) + 2 sum_{k<n} beta^(n-k) Q(V_k))``."""
    beta, eta = Fraction(2, 3), Fraction(1, 100)
    asked = SimpleNamespace(eta=eta, beta=beta, decay=0, how="none", nesterov=False)
    w, X, Y = [rational(item) for item in INTEGERS.w], rational(INTEGERS.X), rational(INTEGERS.Y)
    points, velocities = exact_run(asked, w, X, Y, 4)
    squares = [exact_form(item) for item in velocities]
    for n in range(4):
        for j, (one, two) in enumerate(
            zip(exact_form(points[n]), exact_form(points[n + 1]), strict=True)
        ):
            total = squares[n][j]
            for k in range(n):
                total = plus(total, squares[k][j], 2 * beta ** (n - k))
            assert plus(two, one, -1) == times(total, eta**2)
            assert n == 0 or plus(two, one, -1) != times(squares[n][j], eta**2)
