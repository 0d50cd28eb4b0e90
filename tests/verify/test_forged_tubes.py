"""What is changed in a tube and sealed again is refused."""

import copy

import numpy as np
import pytest
from forge import altered, check, seal

import thalweg as tw
from thalweg.rigorous import certify_rigorous


@pytest.mark.parametrize(
    ("key", "change", "why"),
    [
        ("radius", lambda x: 0.5 * x, "radius"),
        ("assumed", lambda x: 1e-3 * x, "assumed"),
        ("curvature", lambda x: x + 1e-9, "curvature"),
        ("length", lambda x: 1.001 * x, "assumed"),
    ],
)
def test_forged_tube_steps(key, change, why, followed, tmp_path):
    for step in (0, len(followed["tube"]["steps"]) - 2):
        place = ("tube", "steps", step, key)
        forged = altered(followed, place, lambda text: float(change(float.fromhex(text))).hex())
        found = check(seal(forged), tmp_path)
        assert not found.verified
        assert why in found.reason


@pytest.mark.parametrize(
    ("key", "factor"), [("radius", 0.9), ("error", 0.9), ("time", 0.9), ("rate", 1.1)]
)
def test_forged_end_of_the_tube(key, factor, followed, tmp_path):
    forged = altered(followed, ("tube", key), lambda text: (float.fromhex(text) * factor).hex())
    assert not check(seal(forged), tmp_path).verified


def test_forged_start_and_jump_of_the_tube(followed, tmp_path):
    for step in (0, 2):
        place = ("tube", "steps", step, "coefficients", 0, 0, 0, 0)
        forged = altered(followed, place, lambda text: (float.fromhex(text) + 1e-9).hex())
        assert not check(seal(forged), tmp_path).verified


def test_a_dropped_tube_proves_nothing(followed, tmp_path):
    forged = copy.deepcopy(followed) | {"tube": None}
    assert not check(seal(forged), tmp_path).verified


def test_a_lost_tube_is_not_in_the_file_and_cannot_be_claimed(monkeypatch, followed, tmp_path):
    monkeypatch.setattr("thalweg.rigorous._tube.MAX_STEPS", 3)
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    rng = np.random.default_rng(1)
    c = certify_rigorous(p, [rng.normal(size=(2, 2)) for _ in range(2)], follow=True)
    assert c.status == "undecided"
    assert c.proof["tube"] is None
    found = check(c.proof, tmp_path)
    assert found.verified, found.reason
    assert not any("global" in claim for claim in found.claims)
    forged = c.proof | {"claims": c.proof["claims"] | {"entered": True}}
    assert not check(seal(forged), tmp_path).verified
    cut = copy.deepcopy(followed)
    del cut["tube"]["steps"][3:]
    assert not check(seal(cut), tmp_path).verified
