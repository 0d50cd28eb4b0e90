"""The verifier: accepts what is true, refuses every change, shares nothing with the prover."""

import ast
import copy
import hashlib
import json
import pathlib

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import DataError
from thalweg.cli._main import run
from thalweg.rigorous import certify_rigorous, write_proof
from thalweg.verify import verify_proof

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "verify"


def seal(proof):
    """Recompute both checksums, as somebody who forges a file would."""
    out = copy.deepcopy(proof)
    data = hashlib.sha256()
    inputs = out["inputs"]
    for grid in (inputs["x"], inputs["y"], *inputs["weights"]):
        array = np.array([[float.fromhex(x) for x in row] for row in grid])
        data.update(repr(array.shape).encode() + array.astype("<f8").tobytes())
    data.update(f"{inputs['divisor']} {inputs['metric']} {inputs['source']}".encode())
    inputs["sha256"] = data.hexdigest()
    out.pop("digest")
    text = json.dumps(out, sort_keys=True, separators=(",", ":"))
    out["digest"] = hashlib.sha256(text.encode()).hexdigest()
    return out


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


def check(proof, tmp_path):
    return verify_proof(write_proof(proof, tmp_path / "proof.json"))


def numbers(node, path=()):
    """Yield the place of every number in a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from numbers(value, (*path, key))
    elif isinstance(node, list):
        for key, value in enumerate(node):
            yield from numbers(value, (*path, key))
    elif isinstance(node, (int, float)) or (isinstance(node, str) and "0x" in node):
        yield path


def altered(proof, path, change):
    out = copy.deepcopy(proof)
    node = out
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = change(node[path[-1]])
    return out


def nudge(value):
    """The next double, the other truth value, or the next integer."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return float(np.nextafter(float.fromhex(value), np.inf)).hex()


def test_proofs_are_accepted(proved, followed, tmp_path):
    for proof in (proved, followed):
        found = check(proof, tmp_path)
        assert found.verified, found.reason
        assert any("global minimum" in claim for claim in found.claims)


def test_own_seal_agrees(proved):
    assert seal(proved) == proved


def test_every_number_is_sealed(proved, tmp_path):
    places = list(numbers(proved))
    assert len(places) > 40
    for path in places:
        assert not check(altered(proved, path, nudge), tmp_path).verified, path


def test_every_number_of_a_tube_is_sealed(followed, tmp_path):
    places = [path for path in numbers(followed) if path[0] == "tube"]
    for path in places[:: max(1, len(places) // 60)]:
        assert not check(altered(followed, path, nudge), tmp_path).verified, path


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


@pytest.mark.parametrize("metric", ["raw", "whitened"])
@pytest.mark.parametrize("loss", ["sum", "mean"])
def test_random_proofs_of_all_kinds(metric, loss, tmp_path):
    rng = np.random.default_rng(5)
    for dims in [(3, 2), (2, 3, 2), (3, 3, 2), (2, 2, 3), (3, 1, 2), (2, 2, 2, 2)]:
        X, Y = rng.normal(size=(8, dims[0])), rng.normal(size=(8, dims[-1]))
        X[:, -1] *= rng.random() < 0.7  # sometimes an input that never occurs
        p = tw.Problem.from_data(X, Y, dims[1:-1], metric=metric, loss=loss)
        w = tw.init.gaussian(p, scale=0.6, rng=1)
        found = check(certify_rigorous(p, w).proof, tmp_path)
        assert found.verified, (dims, found.reason)


BAD = {
    "empty": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "other schema": b'{"schema": "thalweg.proof/99"}',
    "nothing else": b'{"schema": "thalweg.proof/1"}',
    "deep": b"[" * 10**5,
    "not text": b"\xff\xfe\x00",
    "huge integer": b'{"schema": "thalweg.proof/1", "inputs": ' + b"9" * 10**5 + b"}",
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_no_proof(name, tmp_path, capsys):
    path = tmp_path / "bad.json"
    path.write_bytes(BAD[name])
    with pytest.raises(DataError):
        verify_proof(path)
    assert run(["verify", str(path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_oversized_files_are_refused_unread(tmp_path):
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(2**28 + 1)
    with pytest.raises(DataError, match="bytes"):
        verify_proof(path)


def test_shapes_and_numbers_are_checked(proved, tmp_path):
    for path, change in [
        (("inputs", "x", 0), lambda row: row[:-1]),
        (("inputs", "weights", 0), lambda grid: grid[:-1]),
        (("inputs", "divisor"), lambda _: 0),
        (("inputs", "metric"), lambda _: "other"),
        (("inputs", "x", 0, 0), lambda _: "nan"),
        (("inputs", "x", 0, 0), lambda _: "zero"),
        (("inputs", "x", 0, 0), lambda _: 1.0),
    ]:
        with pytest.raises(DataError):
            check(altered(proved, path, change), tmp_path)
    for path, change in [
        (("facts", "error_high"), lambda _: "inf"),
        (("facts", "sigma_low"), lambda values: values[:-1]),
        (("facts", "imbalance_low"), lambda _: []),
        (("facts", "dims"), lambda _: [2, 2]),
        (("claims", "norm_squares"), lambda _: []),
        (("claims", "rate_anytime"), lambda _: None),
    ]:
        assert not check(seal(altered(proved, path, change)), tmp_path).verified


def test_command(proved, tmp_path, capsys):
    path = write_proof(proved, tmp_path / "p.json")
    assert run(["verify", str(path)]) == 0
    assert "verified" in capsys.readouterr().out
    assert run(["verify", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"] is True
    forged = altered(proved, ("claims", "guaranteed"), nudge)
    path = write_proof(forged, tmp_path / "q.json")
    assert run(["verify", str(path)]) == 1
    assert capsys.readouterr().out.startswith("not verified")
    assert run(["verify", str(tmp_path / "absent.json")]) == 2


def test_certify_writes_what_verify_reads(tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", X=rng.normal(size=(9, 2)), Y=rng.normal(size=(9, 2)))
    folder = tmp_path / "out"
    arguments = ["certify", str(tmp_path / "data.npz"), "--widths", "2", "--quiet"]
    arguments += ["--init", "gaussian:0.7", "--follow", "--out", str(folder)]
    assert run(arguments) == 0
    assert str(folder / "proof.json") in capsys.readouterr().out
    assert run(["verify", str(folder / "proof.json")]) == 0
    assert "the limit is a global minimum" in capsys.readouterr().out


def test_nothing_is_shared_with_the_prover():
    for path in SOURCE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert not name.startswith(("flint", "numpy", "scipy")), path
                own = ("thalweg.verify", "thalweg._core")
                assert not name.startswith("thalweg") or name.startswith(own), path


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
