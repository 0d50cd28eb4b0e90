"""A small problem and a sweep of it."""

import pytest

import thalweg as tw


@pytest.fixture(scope="module")
def p():
    return tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))


@pytest.fixture(scope="module")
def s(p):
    return tw.sweep(p, tw.init.gaussian, n=150, scale=[0.01, 1.0], rng=4)
