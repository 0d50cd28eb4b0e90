import numpy as np
import pytest

import thalweg as tw


@pytest.fixture
def generic():
    """Data in general position: correlated samples, more of them than features."""
    rng = np.random.default_rng(7)
    return rng.normal(size=(12, 3)), rng.normal(size=(12, 2))


@pytest.fixture
def orthogonal():
    """Samples that are orthogonal, of different lengths."""
    rng = np.random.default_rng(8)
    frame = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    return frame * np.array([1.0, 2.0, 0.5, 1.5])[:, np.newaxis], rng.normal(size=(4, 2))


@pytest.fixture
def net():
    def build(data, activation, hidden=4, **options):
        return tw.nonlinear.ShallowProblem(*data, hidden, activation, **options)

    return build
