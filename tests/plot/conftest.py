import numpy as np
import pytest

import thalweg as tw

SIGMA = (3.0, 2.0, 1.0)


@pytest.fixture(scope="session")
def stairs():
    """A run from a small start that passes every nested saddle, few enough steps to draw all."""
    p = tw.Problem.from_target(SIGMA, dims=(4, 4, 3))
    return tw.flow(p, tw.init.gaussian(p, scale=1e-4, rng=0), rtol=1e-4)


@pytest.fixture(scope="session")
def at_rest():
    """A run of one point: the origin is a critical point."""
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    return tw.flow(p, [np.zeros((2, 3)), np.zeros((2, 2))])


@pytest.fixture(scope="session")
def one_layer():
    """Nothing hidden, nothing conserved, mean loss, stopped early."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    p = tw.Problem.from_data(x, y, widths=(), loss="mean")
    return tw.flow(p, [np.ones((2, 3))], t_end=1.0)


@pytest.fixture(scope="session")
def wide_spectrum():
    p = tw.Problem.from_target(np.linspace(12.0, 1.0, 12), dims=(14, 12, 12))
    return tw.flow(p, tw.init.gaussian(p, scale=1e-3, rng=0))
