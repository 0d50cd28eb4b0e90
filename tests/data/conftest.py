import numpy as np
import pytest


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 4)), rng.normal(size=(40, 2))


@pytest.fixture
def csv(tmp_path):
    """Write text to a .csv file."""

    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write
