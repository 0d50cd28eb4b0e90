"""`classify` and `flow` read weights of every format, and say what they read."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

import thalweg as tw
from thalweg.data import write_weights

OPTIONS = ("linnerud", "--standardize", "--widths", "2")


@pytest.fixture
def minimum():
    p = tw.datasets.load("linnerud").problem(widths=(2,), standardize=True)
    return tw.critical_point(p, learned=(0, 1), kind="global_minimum", rng=1)


def refused(done, words):
    assert done.code == 2, done
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("thalweg: error: ")
    assert done.err.strip().isprintable()
    assert words in done.err


def test_file_format_and_layers_are_named(thalweg, tmp_path, minimum):
    named = {"layers.0.weight": minimum[0], "layers.0.bias": np.zeros(2)}
    save_file({**named, "layers.1.weight": minimum[1]}, tmp_path / "w.safetensors")
    done = thalweg("classify", *OPTIONS, "--weights", "w.safetensors", "--quiet")
    assert (done.code, done.err) == (0, "")
    rows = [line.split("  ", 1) for line in done.out.splitlines()]
    shown = {row[0].strip(): row[1].strip() for row in rows[1:]}
    assert shown["weights"] == "w.safetensors (safetensors)"
    assert shown["layer 1"] == "layers.0.weight, 2 x 3"
    assert shown["layer 2"] == "layers.1.weight, 3 x 2"
    assert shown["note"] == "dropped as zero: layers.0.bias"
    assert shown["kind"] == "global_minimum"


@pytest.mark.torch
def test_every_format_gives_the_same_verdict(thalweg, tmp_path, minimum):
    torch = pytest.importorskip("torch")
    write_weights(tmp_path / "w.npz", minimum)
    write_weights(tmp_path / "w.safetensors", minimum)
    torch.save({f"{j}.weight": torch.tensor(w) for j, w in enumerate(minimum)}, tmp_path / "w.pt")
    documents = []
    for name, kind in [("npz", "NumPy"), ("safetensors", "safe"), ("pt", "PyTorch")]:
        done = thalweg("classify", *OPTIONS, "--weights", f"w.{name}", "--json")
        assert (done.code, done.err) == (0, "")
        assert done.out.count("\n") == 1
        document = json.loads(done.out)
        weights = document.pop("weights")
        assert weights["format"].startswith(kind)
        assert [item["shape"] for item in weights["layers"]] == [[2, 3], [3, 2]]
        documents.append(document)
        run = json.loads(thalweg("flow", *OPTIONS, "--weights", f"w.{name}", "--json").out)
        assert run["start"]["kind"] == f"weights from w.{name}"
    assert documents[0]["kind"] == "global_minimum"
    assert documents[0] == documents[1] == documents[2]


def test_polishing_moves_to_the_critical_point_first(thalweg, tmp_path, minimum):
    rng = np.random.default_rng(0)
    options = ("linnerud", "--standardize", "--widths", "2", "--weights", "w.npz", "--json")
    write_weights(tmp_path / "w.npz", [w + 1e-6 * rng.normal(size=w.shape) for w in minimum])
    plain = json.loads(thalweg("classify", *options).out)
    polished = json.loads(thalweg("classify", *options, "--polish").out)
    assert plain["kind"] == "not_critical"
    assert polished["kind"] == "global_minimum"
    assert "polishing moved" in polished["message"]
    write_weights(tmp_path / "w.npz", [w + 1.0 for w in minimum])
    far = json.loads(thalweg("classify", *options, "--polish").out)
    assert far["kind"] in {"undecided", "not_critical"}


def test_names_are_inert_in_text_and_json(thalweg, tmp_path, minimum):
    odd = "\x1b[2J\u202e\x07"
    save_file({f"{odd}{j}": w for j, w in enumerate(minimum)}, tmp_path / "w.safetensors")
    for more in ((), ("--json",)):
        done = thalweg("classify", *OPTIONS, "--weights", "w.safetensors", *more)
        assert done.code == 0
        assert all(line.isprintable() for line in done.out.splitlines())
        assert "u001b[2J" in done.out


@pytest.mark.parametrize("command", ["classify", "flow"])
def test_bad_files_end_in_one_line(thalweg, tmp_path, command, minimum):
    def run(name):
        return thalweg(command, *OPTIONS, "--weights", name, "--json")

    refused(run("none.safetensors"), "does not exist")
    refused(run("."), "no known format")
    (tmp_path / "w.safetensors").write_bytes((2**63).to_bytes(8, "little") + b"{}")
    refused(run("w.safetensors"), "a header of 9223372036854775808 bytes does not fit")
    (tmp_path / "w.pt").write_bytes(b"\x80\x04N.")
    refused(run("w.pt"), "older formats are pickles")
    write_weights(tmp_path / "w.npz", [np.eye(4, 3), np.eye(3, 4)])
    refused(run("w.npz"), "layers 3-2-3 are needed; set the hidden widths to 4")
    save_file({"\x1b[31m": np.ones(3)}, tmp_path / "w.safetensors")
    refused(run("w.safetensors"), "\\u001b[31m in w.safetensors has shape (3,)")


def test_help_names_the_formats(thalweg):
    text = thalweg("classify", "--help").out
    assert all(word in text for word in (".npz", ".safetensors", "PyTorch state dict", ".pth"))
