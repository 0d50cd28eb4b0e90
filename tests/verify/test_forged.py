"""What is changed in a proof and sealed again is refused: claims, facts, inputs."""

import json

import numpy as np
import pytest
from forge import altered, check, numbers, seal

import thalweg as tw
from thalweg.rigorous import certify_rigorous
from thalweg.verify import verify_proof

STRONGER = {
    "rate_remark_2": 1.01,
    "rate_anytime": 1.01,
    "reducible_loss": 0.99,
    "path_bound": 0.99,
    "root_last": 0.99,
    "root_first": 0.99,
}


@pytest.mark.parametrize("name", STRONGER)
def test_forged_claims_do_not_follow(name, proved, tmp_path):
    forged = altered(
        proved, ("claims", name), lambda text: (float.fromhex(text) * STRONGER[name]).hex()
    )
    found = check(seal(forged), tmp_path)
    assert not found.verified
    assert "checksum" not in found.reason


@pytest.mark.parametrize("name", ["norm_squares", "norm_bounds", "flow_norm_bounds"])
def test_forged_norms_do_not_follow(name, proved, tmp_path):
    for layer in range(2):
        forged = altered(
            proved, ("claims", name, layer), lambda text: (float.fromhex(text) * 0.99).hex()
        )
        assert not check(seal(forged), tmp_path).verified


FACTS = {
    "error_high": 0.99,
    "error_low": 1.01,
    "metric_low": 1.01,
    "metric_high": 0.99,
}


@pytest.mark.parametrize("name", FACTS)
def test_forged_facts_are_not_true(name, proved, tmp_path):
    forged = altered(
        proved, ("facts", name), lambda text: (float.fromhex(text) * FACTS[name]).hex()
    )
    assert not check(seal(forged), tmp_path).verified


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        ("sigma_low", 1e-9),
        ("sigma_high", -1e-9),
        ("imbalance_low", 1e-9),
        ("imbalance_high", -1e-9),
    ],
)
def test_forged_spectra_are_not_true(name, shift, proved, tmp_path):
    places = [path for path in numbers(proved) if path[:2] == ("facts", name)]
    assert places
    for path in places:
        forged = altered(proved, path, lambda text: (float.fromhex(text) + shift).hex())
        assert not check(seal(forged), tmp_path).verified, path


def test_forged_rank_and_inputs(proved, tmp_path):
    wrong = altered(proved, ("facts", "target_rank"), lambda rank: rank - 1)
    assert not check(seal(wrong), tmp_path).verified
    places = [path for path in numbers(proved) if path[:2] == ("inputs", "weights")]
    for path in places:
        moved = altered(proved, path, lambda text: (float.fromhex(text) + 1e-3).hex())
        assert not check(seal(moved), tmp_path).verified, path


def test_a_global_minimum_cannot_be_forged(tmp_path):
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    w = [np.array([[2.0, 1.0], [0.0, 1.0]]), np.eye(2)]  # the loss is exactly the level
    proof = certify_rigorous(p, w).proof
    assert proof["claims"]["converges_to_global"] is False
    forged = altered(proof, ("claims", "converges_to_global"), lambda _: True)
    assert "does not follow" in check(seal(forged), tmp_path).reason
    more = altered(proof, ("claims", "guaranteed"), lambda count: count + 1)
    assert "do not follow" in check(seal(more), tmp_path).reason


def test_rate_of_a_bottleneck_is_checked_and_forgeries_are_refused(tmp_path):
    # Near the best value of a bottleneck: the excess is 0.005 of a gap of 3/2.
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 1, 2))
    c = certify_rigorous(p, [np.array([[1.0, 0.0]]), np.array([[1.9], [0.0]])])
    assert c.rate > 0.0
    path = tmp_path / "proof.json"
    c.save_proof(path)
    found = verify_proof(path)
    assert found.verified, found.reason
    assert any("above" in line for line in found.claims)
    claims = {"rate_bottleneck": 1.01, "excess_root": 0.99, "least_loss": 0.99, "path_bound": 0.99}
    for name, factor in claims.items():
        forged = altered(
            c.proof, ("claims", name), lambda text, by=factor: (float.fromhex(text) * by).hex()
        )
        path.write_text(json.dumps(seal(forged)), "utf-8")
        assert not verify_proof(path).verified, name
