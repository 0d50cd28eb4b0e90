"""Gram matrices in lanes: against rationals, and the same bits however many there are."""

from fractions import Fraction

import numpy as np
import pytest

from thalweg.basins.plan._grams import (
    FEW,
    frobenius_squares,
    inner_gram,
    outer_gram,
    squared,
    traces,
)

SHAPES = [(1, 1), (3, 4), (4, 3), (FEW, 2), (FEW + 1, 2), (2, FEW + 1)]


def stack_of(shape, count=7):
    return np.random.default_rng(sum(shape)).standard_normal((count, *shape))


def exact(one, two):
    a, b = ([[Fraction(x) for x in row] for row in m.tolist()] for m in (one, two))
    columns = list(zip(*b, strict=True))
    return [[sum(x * y for x, y in zip(r, c, strict=True)) for c in columns] for r in a]


@pytest.mark.parametrize("shape", SHAPES)
def test_against_exact_products(shape):
    stack = stack_of(shape)
    for found, left in ((outer_gram(stack), stack), (inner_gram(stack), np.swapaxes(stack, 1, 2))):
        for n, item in enumerate(left):
            right = np.array(exact(item, item.T), dtype=float)
            assert np.allclose(found[:, :, n], right, rtol=0, atol=1e-14 * np.trace(right))
            assert np.array_equal(found[:, :, n], found[:, :, n].T)


@pytest.mark.parametrize("shape", SHAPES)
def test_norms_traces_and_squares(shape):
    lanes = outer_gram(stack_of(shape))
    for n in range(lanes.shape[2]):
        item = lanes[:, :, n]
        assert traces(lanes)[n] == pytest.approx(np.trace(item), rel=1e-14)
        assert frobenius_squares(lanes)[n] == pytest.approx(np.sum(item**2), rel=1e-13)
        size = np.linalg.norm(item) ** 2
        assert np.allclose(squared(lanes)[:, :, n], item @ item, rtol=0, atol=1e-13 * size)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("part", [1, 2, 5])
def test_a_lane_does_not_depend_on_the_others(shape, part):
    stack = stack_of(shape)
    for gram in (outer_gram, inner_gram):
        whole, few = gram(stack), gram(stack[:part].copy())
        for one, two in (
            (whole, few),
            (squared(whole), squared(few)),
            (traces(whole), traces(few)),
            (frobenius_squares(whole), frobenius_squares(few)),
        ):
            assert np.array_equal(one[..., :part], two)
