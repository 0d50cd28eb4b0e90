"""Two proofs: what a start certifies by itself, and one that had to be followed."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.rigorous import certify_rigorous


@pytest.fixture(scope="module")
def proved():
    """Remark 2, anytime and basin all hold."""
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    return certify_rigorous(p, [np.diag([1.5, 1.0]), np.diag([1.0, 0.5])]).proof


@pytest.fixture(scope="module")
def followed():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    rng = np.random.default_rng(1)
    c = certify_rigorous(p, [rng.normal(size=(2, 2)) for _ in range(2)], follow=True)
    assert c.status == "proved"
    assert c.entered_at is not None
    return c.proof
