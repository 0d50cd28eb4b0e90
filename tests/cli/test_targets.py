"""Targets given by their singular values, wherever DATA is taken."""

import json
import re

import numpy as np
import pytest

import thalweg as tw
from thalweg.data import write_weights

TARGET = ("--sigma", "3,2,1", "--dims", "4,4,4,3")
PROBLEM = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))
COMMANDS = {
    "analyze": ("--no-report",),
    "flow": (),
    "certify": ("--init", "exponential:0.5"),
    "landscape": (),
    "classify": ("--weights", "w.npz"),
    "descend": ("--steps", "20"),
    "sweep": ("--n", "4"),
    "push": (),
    "slice": ("--a", "none", "--b", "0", "--resolution", "5"),
}


@pytest.fixture
def saddle(tmp_path):
    weights = tw.critical_point(PROBLEM, learned=0, kind="strict_saddle", rng=1)
    write_weights(tmp_path / "w.npz", weights)


@pytest.mark.usefixtures("saddle")
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_one(thalweg, name):
    done = thalweg(name, *TARGET, *COMMANDS[name], "--json")
    assert (done.code, done.err) == (0, "")
    json.loads(done.out)
    done = thalweg(name, *TARGET, *COMMANDS[name], "--quiet")
    assert done.code == 0
    assert "4-4-4-3" in done.out
    assert "4 samples" not in done.out
    if name not in {"landscape", "classify"}:
        assert "singular values 3, 2, 1; no samples" in done.out


def test_numbers_are_those_of_the_library(thalweg):
    document = json.loads(thalweg("flow", *TARGET, "--init", "gaussian:0.1", "--json").out)
    run = tw.flow(PROBLEM, tw.init.gaussian(PROBLEM, 0.1, rng=0))
    assert document["t"] == run.t.tolist()
    assert document["problem"]["fingerprint"] == PROBLEM.fingerprint
    assert document["data"] == {
        "type": "Target", "sigma": [3.0, 2.0, 1.0], "dims": [4, 4, 4, 3]
    }  # fmt: skip


def test_what_is_no_singular_value_exactly_comes_through(thalweg):
    third = 1 / 3
    options = ("--sigma", f"{third!r},1e-3", "--dims", "2,2", "--json")
    document = json.loads(thalweg("flow", *options).out)
    wanted = tw.Problem.from_target([third, 1e-3], dims=(2, 2))
    assert document["problem"]["fingerprint"] == wanted.fingerprint


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name DATA"),
        (("linnerud", "--sigma", "3"), "were both given"),
        (("linnerud", "--dims", "3,3"), "hidden widths for data are --widths"),
        (("--sigma", "3,2"), "needs --dims"),
        (("--dims", "3,2"), "needs --sigma"),
        ((*TARGET, "--target", "a"), "--target is for data"),
        ((*TARGET, "--y", "y.npy"), "--y is for data"),
        ((*TARGET, "--standardize", "--center"), "--standardize, --center are for data"),
        ((*TARGET, "--widths", "3"), "--dims has all layers"),
        ((*TARGET, "--metric", "whitened"), "--metric is for data"),
        ((*TARGET, "--loss", "mean"), "--loss is for data"),
        (("--sigma", "3,x", "--dims", "3,3"), "numbers like 3,2,1, got 'x'"),
        (("--sigma", "3,nan", "--dims", "3,3"), "got 'nan'"),
        (("--sigma", "", "--dims", "3,3"), "got ''"),
        (("--sigma", "3,-2", "--dims", "3,3"), "not negative, got -2"),
        (("--sigma", "3", "--dims", "3"), "at least two sizes"),
        (("--sigma", "3", "--dims", ""), "at least two sizes"),
        (("--sigma", "3", "--dims", "3,0"), "--dims must be positive integers"),
        (("--sigma", "3,2,1", "--dims", "3,4,2"), "leave some out or change --dims"),
    ],
)
@pytest.mark.parametrize("command", ["flow", "landscape"])
def test_wrong_targets(thalweg, command, arguments, words):
    done = thalweg(command, *arguments, "--quiet")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("thalweg: error: ")
    assert done.err.count("\n") == 1
    assert words in done.err


def test_from_a_file_of_settings(thalweg, tmp_path):
    (tmp_path / "c.toml").write_text("sigma = [3, 2, 1]\ndims = [4, 4, 4, 3]\n")
    told = json.loads(thalweg("landscape", "--config", "c.toml", "--json").out)
    assert [item["loss"] for item in told["levels"]] == [
        item.loss for item in tw.atlas(PROBLEM).lowest(10)
    ]
    assert "both given" in thalweg("landscape", "linnerud", "--config", "c.toml").err


def test_the_report_speaks_of_no_samples(thalweg, tmp_path):
    options = ("--sigma", "3,2,1", "--dims", "4,4,3", "--quiet")
    done = thalweg("analyze", *options)
    assert done.code == 0
    text = (tmp_path / "thalweg-target-4-4-3" / "report.html").read_text()
    assert "there are no samples" in text
    assert not re.search(r"from\s+4\s+samples", text)
    assert thalweg("descend", *options, "--steps", "20", "--out", "d").code == 0
    text = (tmp_path / "d" / "report.html").read_text()
    assert "there are no samples" in text
    assert not re.search(r"on\s+4\s+samples", text)


def test_a_proof_can_be_verified(thalweg):
    options = ("--init", "exponential:0.5", "--rigorous", "--out", "kept")
    done = thalweg("certify", "--sigma", "3,2,1", "--dims", "4,4,3", *options)
    assert done.code == 0
    done = thalweg("verify", "kept/proof.json")
    assert done.code == 0
    assert "the limit is a global minimum" in done.out


def test_a_store_rebuilds_the_problem(thalweg):
    plan = (*TARGET, "--n", "30", "--init", "gaussian:0.1,1", "--seed", "2")
    first = json.loads(thalweg("sweep", *plan, "--store", "kept", "--json").out)
    for word in ("--resume", "--open"):
        again = json.loads(thalweg("sweep", word, "kept", "--json").out)
        assert again["fractions"] == first["fractions"]
    assert tw.basins.open_plan("kept").problem.fingerprint == PROBLEM.fingerprint
    assert thalweg("sweep", *plan, "--store", "kept").code == 0
    other = thalweg("sweep", "--sigma", "3,2", *plan[2:], "--store", "kept")
    assert other.code == 2


def test_open_only_reads(thalweg, tmp_path):
    plan = ("linnerud", "--n", "40")
    thalweg("sweep", *plan, "--store", "kept", "--chunk", "0", "--of", "2")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.parquet")}
    done = thalweg("sweep", "--open", "kept", "--report")
    assert done.code == 0
    assert "opened" in done.out
    assert (tmp_path / "kept" / "_report" / "report.html").exists()
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.parquet")}
    assert after == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--open", "a", "--resume", "a"), "--open DIR"),
        (("linnerud", "--open", "a"), "--open DIR"),
        (("--open", "a", "--dims", "3,3"), "--open DIR"),
        (("--open", "a", "--store", "a"), "names the store already"),
        (("--open", "a", "--chunk", "0", "--of", "2"), "computes nothing"),
        (("--open", "a"), "is missing"),
    ],
)
def test_wrong_ways_to_open(thalweg, arguments, words):
    done = thalweg("sweep", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_zero_target(thalweg):
    told = json.loads(thalweg("flow", "--sigma", "0", "--dims", "2,2", "--json").out)
    assert np.isclose(told["limit"]["verdict"]["loss"], 0.0)
