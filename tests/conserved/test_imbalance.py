"""Lemma 1: the conserved matrices, and what breaks them."""

import itertools

import numpy as np
import pytest

import thalweg as tw
from thalweg.conserved import imbalance

SHAPES = [(3, 4, 2), (5, 2, 3, 4), (3, 3, 3, 3)]


def problem(dims, seed=0):
    rng = np.random.default_rng(seed)
    return tw.Problem.from_data(
        rng.normal(size=(30, dims[0])) * 2.0, rng.normal(size=(30, dims[-1])), widths=dims[1:-1]
    )


def rate_of_change(weights, velocity):
    """Derivative of ``W_{j+1}^T W_{j+1} - W_j W_j^T`` by the product rule, written out."""
    out = []
    for j in range(len(weights) - 1):
        above = velocity[j + 1].T @ weights[j + 1] + weights[j + 1].T @ velocity[j + 1]
        below = velocity[j] @ weights[j].T + weights[j] @ velocity[j].T
        out.append(above - below)
    return out


@pytest.mark.parametrize("dims", SHAPES)
def test_conserved_matrices_stand_still_along_the_gradient(dims):
    p = problem(dims)
    w = tw.init.gaussian(p, scale=0.8, rng=1)
    velocity = [-g for g in p.gradient(w)]
    size = max(np.abs(v).max() for v in velocity)
    for change in rate_of_change(w, velocity):
        assert np.abs(change).max() <= 1e-12 * size


def test_sign_descent_moves_them():
    p = problem((3, 4, 2))
    w = tw.init.gaussian(p, scale=0.8, rng=1)
    velocity = [-np.sign(g) for g in p.gradient(w)]
    assert max(np.abs(change).max() for change in rate_of_change(w, velocity)) > 0.1


@pytest.mark.parametrize("dims", SHAPES)
def test_values_are_the_definition(dims):
    p = problem(dims)
    w = tw.init.gaussian(p, scale=0.8, rng=2)
    for j, c in enumerate(tw.invariants(w)):
        for a in range(dims[j + 1]):
            for b in range(dims[j + 1]):
                above = sum(w[j + 1][k, a] * w[j + 1][k, b] for k in range(dims[j + 2]))
                below = sum(w[j][a, k] * w[j][b, k] for k in range(dims[j]))
                assert c[a, b] == pytest.approx(above - below, abs=1e-13)


def test_transposed_products_are_not_conserved_even_when_square():
    p = problem((3, 3, 3, 3))
    w = tw.init.gaussian(p, scale=0.5, rng=3)
    run = tw.flow(p, w, t_end=0.05)
    end = run.final

    def wrong(weights):
        return [b @ b.T - a.T @ a for a, b in itertools.pairwise(weights)]

    right = max(np.abs(a - b).max() for a, b in zip(imbalance(w), imbalance(end), strict=True))
    moved = max(np.abs(a - b).max() for a, b in zip(wrong(w), wrong(end), strict=True))
    assert right < 1e-12
    assert moved > 1e-2


def test_norms_differ_by_constants():
    # Eq. 8: the squared Frobenius norms of all layers differ by constants along the flow.
    p = problem((5, 2, 3, 4))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.5, rng=4), t_end=0.02)
    squares = [
        [np.sum(item**2) for item in run.weights_at(float(t))] for t in run.t[:: len(run.t) // 5]
    ]
    gaps = np.diff(np.array(squares), axis=1)
    np.testing.assert_allclose(gaps, gaps[:1].repeat(len(gaps), axis=0), atol=1e-11)
    assert np.ptp(np.array(squares)[:, 0]) > 1e-2
