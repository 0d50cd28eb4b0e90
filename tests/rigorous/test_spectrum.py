"""Enclosures of eigenvalues and singular values against exact and independent ones."""

import os
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from thalweg.rigorous import _spectrum
from thalweg.rigorous._balls import ball, down, library, matrix, precision, up
from thalweg.rigorous._spectrum import eigenvalues, singular_values

MULTIPLIER = int(os.environ.get("THALWEG_TEST_MULTIPLIER", "1"))


def reflection(rng, order):
    """``(v^T v) H`` with integer entries: H is orthogonal, so spectra are known exactly."""
    v = rng.integers(-3, 4, size=order)
    v[0] = v[0] or 1
    scale = int(v @ v)
    return scale * np.eye(order, dtype=int) - 2 * np.outer(v, v), scale


def known_symmetric(rng, order, values):
    """A matrix of integers (exact doubles) with eigenvalues known exactly."""
    turn, scale = reflection(rng, order)
    return (turn @ np.diag(values) @ turn.T).astype(float), [scale**2 * int(x) for x in values]


def contains(enclosure, value):
    return Fraction(down(enclosure)) <= Fraction(value) <= Fraction(up(enclosure))


@pytest.mark.parametrize("bits", [53, 106, 256])
def test_exact_spectra_are_enclosed_with_multiplicities(bits, rng):
    for _ in range(100 * MULTIPLIER):
        order = int(rng.integers(1, 7))
        values = np.sort(rng.integers(-3, 4, size=order))
        grid, truth = known_symmetric(rng, order, values)
        with precision(bits):
            found = eigenvalues(matrix(grid))
            assert all(contains(one, value) for one, value in zip(found, truth, strict=True))
            spread = max(up(one) - down(one) for one in found)
        assert spread <= 1e-11 * max(1.0, np.abs(grid).max() * order)


def test_exact_singular_values_are_enclosed(rng):
    for _ in range(100 * MULTIPLIER):
        rows, columns = (int(x) for x in rng.integers(1, 6, size=2))
        left, a = reflection(rng, rows)
        right, b = reflection(rng, columns)
        middle = np.zeros((rows, columns), dtype=int)
        values = np.sort(rng.integers(0, 5, size=min(rows, columns)))[::-1]
        np.fill_diagonal(middle, values)
        with precision(106):
            found = singular_values(matrix((left @ middle @ right).astype(float)))
            truth = [a * b * int(x) for x in values]
            assert all(contains(one, value) for one, value in zip(found, truth, strict=True))


def test_random_spectra_against_mpmath(rng):
    with mpmath.workdps(50):
        for order in (3, 8):
            grid = rng.normal(size=(order, order))
            grid = grid + grid.T
            truth = sorted(mpmath.eigsy(mpmath.matrix(grid.tolist()), eigvals_only=True))
            with precision(106):
                found = eigenvalues(matrix(grid))
                for one, value in zip(found, truth, strict=True):
                    assert mpmath.mpf(down(one)) <= value <= mpmath.mpf(up(one))
            sizes = sorted(mpmath.svd_r(mpmath.matrix(grid.tolist()), compute_uv=False))
            with precision(106):
                for one, value in zip(singular_values(matrix(grid))[::-1], sizes, strict=True):
                    assert mpmath.mpf(down(one)) <= value <= mpmath.mpf(up(one))


def stretched(vectors):
    """Not orthonormal."""
    return 1.05 * vectors


def tilted(vectors):
    """Orthonormal, but not eigenvectors."""
    out = vectors.copy()
    out[:, :2] = vectors[:, :2] @ np.array([[0.8, -0.6], [0.6, 0.8]])
    return out


@pytest.mark.parametrize("damage", [stretched, tilted])
def test_bad_eigenvectors_widen_but_never_lie(damage, rng, monkeypatch):
    """Only residuals count: with wrong vectors the enclosures must still be true."""
    honest = np.linalg.eigh

    def sloppy(grid):
        values, vectors = honest(grid)
        return values, damage(vectors)

    monkeypatch.setattr(_spectrum.np.linalg, "eigh", sloppy)
    for _ in range(30):
        grid, truth = known_symmetric(rng, 4, np.sort(rng.integers(-3, 4, size=4)))
        with precision(106):
            found = eigenvalues(matrix(grid))
            assert all(contains(one, value) for one, value in zip(found, truth, strict=True))


def test_useless_eigenvectors_prove_nothing(rng, monkeypatch):
    monkeypatch.setattr(_spectrum.np.linalg, "eigh", lambda g: (np.zeros(len(g)), 0.0 * g))
    assert eigenvalues(matrix(rng.normal(size=(3, 3)))) is None


def test_entries_that_are_not_finite_prove_nothing():
    grid = matrix(np.eye(2))
    grid[0, 0] = library().arb("nan")
    assert eigenvalues(grid) is None
    assert singular_values(grid) is None


def test_wide_input_balls_contain_every_member(rng):
    with precision(106):
        for _ in range(50):
            grid, truth = known_symmetric(rng, 3, np.sort(rng.integers(-3, 4, size=3)))
            wide = matrix(grid + rng.uniform(-0.5, 0.5) * np.eye(3))
            for i in range(3):
                wide[i, i] = wide[i, i] + library().arb(0, 0.5)
            found = eigenvalues(wide)
            assert all(contains(one, value) for one, value in zip(found, truth, strict=True))


def test_scales_beyond_the_square_root_of_the_range():
    for scale in (1e-200, 1e200):
        with precision(106):
            found = eigenvalues(matrix(np.diag([scale, 2 * scale])))
            assert contains(found[1], 2 * scale)
            assert up(found[1]) <= 2 * scale * (1 + 1e-12)


def test_radius_at_order_hundred(rng):
    grid = rng.normal(size=(100, 100))
    with precision(128):
        found = eigenvalues(matrix(grid + grid.T))
        top = max(abs(float(one.mid())) for one in found)
        assert max(up(one) - down(one) for one in found) <= 2e-11 * top
        assert ball(0) < found[-1]
