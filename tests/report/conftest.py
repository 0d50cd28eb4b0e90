import numpy as np
import pytest

import thalweg as tw


@pytest.fixture(scope="session")
def learned():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    return tw.flow(p, tw.init.gaussian(p, scale=1e-3, rng=0))


@pytest.fixture(scope="session")
def at_rest():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    return tw.flow(p, [np.zeros((2, 3)), np.zeros((2, 2))])


@pytest.fixture(scope="session")
def cut_short():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    return tw.flow(p, [np.full((2, 3), 1e-3), np.full((2, 2), 1e-3)], t_end=0.1)


@pytest.fixture(scope="session")
def narrow():
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 2, 3))
    return tw.flow(p, tw.init.gaussian(p, scale=0.01, rng=0))


@pytest.fixture(scope="session")
def one_hot():
    """Centred one-hot targets: one direction has nothing to learn."""
    rng = np.random.default_rng(2)
    labels = np.arange(60) % 3
    x = rng.normal(size=(60, 4)) + 2.0 * np.eye(3, 4)[labels]
    y = np.eye(3)[labels]
    p = tw.Problem.from_data(x - x.mean(axis=0), y - y.mean(axis=0), (4,), loss="mean")
    return tw.flow(p, tw.init.gaussian(p, scale=0.05, rng=0))
