"""The verifier: accepts what is true, refuses every change, shares nothing with the prover."""

import ast
import json
import pathlib

import numpy as np
import pytest
from forge import altered, check, numbers, seal

import thalweg as tw
from thalweg._core import DataError
from thalweg.cli._main import run
from thalweg.rigorous import certify_rigorous, write_proof
from thalweg.verify import verify_proof

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "src" / "thalweg" / "verify"


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
