"""Signs of eigenvalues by factorization, against exact spectra."""

import fractions

import numpy as np
import pytest

import thalweg as tw
from thalweg.network import inertia, norm_bound


def exact_signs(rows):
    """Inertia of an integer symmetric matrix by congruence in rational arithmetic."""
    a = [[fractions.Fraction(int(x)) for x in row] for row in rows]
    n, negative, positive = len(a), 0, 0
    left = list(range(n))
    while left:
        pivot = next((i for i in left if a[i][i] != 0), None)
        if pivot is None:
            pair = next(((i, j) for i in left for j in left if a[i][j] != 0), None)
            if pair is None:
                break
            i, j = pair  # adding row and column j to i makes the diagonal entry 2 a_ij
            for k in range(n):
                a[i][k] += a[j][k]
            for k in range(n):
                a[k][i] += a[k][j]
            continue
        d = a[pivot][pivot]
        negative, positive = negative + (d < 0), positive + (d > 0)
        left.remove(pivot)
        for i in left:
            factor = a[i][pivot] / d
            for j in left:
                a[i][j] -= factor * a[pivot][j]
    return negative, n - negative - positive, positive


def test_singular_integer_matrices_against_rational_arithmetic():
    rng = np.random.default_rng(0)
    for _ in range(60):
        n, r = int(rng.integers(1, 9)), int(rng.integers(0, 5))
        half = rng.integers(-3, 4, size=(n, r))
        a = half @ np.diag(rng.choice([-1, 1], r)) @ half.T if r else np.zeros((n, n), int)
        zero = 64 * n * np.finfo(float).eps * max(1.0, norm_bound(a.astype(float)))
        assert inertia(a.astype(float), zero) == exact_signs(a)


@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_graded_spectra(size):
    rng = np.random.default_rng(size)
    values = 10.0 ** rng.uniform(-6, 2, size) * rng.choice([-1, 0, 1], size)
    Q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    found = inertia((Q * values) @ Q.T, 1e-10)
    assert found == (int(np.sum(values < 0)), int(np.sum(values == 0)), int(np.sum(values > 0)))


def test_the_threshold_decides_what_is_zero():
    a = np.diag([-1.0, -1e-3, 0.0, 1e-3, 2.0])
    assert inertia(a, 1e-6) == (2, 1, 2)
    assert inertia(a, 1e-2) == (1, 3, 1)
    assert inertia(np.zeros((0, 0)), 0.0) == (0, 0, 0)


def test_hessian_operator_counts_like_its_eigenvalues():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 4, 2))
    w = tw.init.gaussian(p, scale=0.7, rng=1)
    H = p.hessian(w)
    values = np.linalg.eigvalsh(H.to_dense())
    negative, positive = int(np.sum(values < -1e-9)), int(np.sum(values > 1e-9))
    assert H.inertia() == (negative, len(values) - negative - positive, positive)
    assert p.hessian([0 * item for item in w]).inertia() == (8, 4, 8)
