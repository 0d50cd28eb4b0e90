"""Starts for tubes."""

import itertools

import numpy as np

import thalweg as tw

SHAPES = [(2, 2, 2), (3, 3, 3), (4, 3, 3, 2), (3, 2, 2, 2)]

STDS = (0.5, 0.75, 1.0)


def start(dims, seed):
    """Singular values k, ..., 1 and a Gaussian start."""
    p = tw.Problem.from_target(np.arange(min(dims[0], dims[-1]), 0, -1.0), dims=dims)
    rng = np.random.default_rng(seed)
    scale = STDS[seed % 3]
    return p, [scale * rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]
