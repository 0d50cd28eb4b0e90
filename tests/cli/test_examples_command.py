"""The command `examples`."""

import json

import pytest


def test_examples_are_listed(thalweg):
    done = thalweg("examples")
    assert done.code == 0
    assert done.out.startswith("eq1 ")
    document = json.loads(thalweg("examples", "--json").out)
    assert [item["name"] for item in document["examples"]] == ["eq1"]


def test_eq1_shows_both_with_argument_and_picture(thalweg, tmp_path):
    done = thalweg("examples", "eq1", "--out", "kept")
    assert done.code == 0
    assert done.err == ""
    assert "They are not" in done.out
    assert "(z^2)/dt = -4f" in " ".join(done.out.split())
    assert "limit, y = 99.95" in done.out
    assert "diverged, g = 0.3750 < 1/2" in done.out
    assert (tmp_path / "kept" / "eq1.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "kept" / "eq1.svg").read_text("utf-8")


def test_eq1_as_json(thalweg):
    document = json.loads(thalweg("examples", "eq1", "--json").out)
    runs = document["bounded"]["runs"]
    assert [run["status"] for run in runs] == ["limit"] * 3
    assert all(run["x"][-1][1] < run["bounds"][1] for run in runs)
    (escape,) = document["unbounded"]["runs"]
    assert escape["status"] == "diverged"
    assert escape["evidence"]["level"]["value"] == 0.5
    assert document["files"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("eq2",), "unknown example 'eq2'"), (("--out", "x"), "--out needs an example")],
)
def test_wrong_use(thalweg, arguments, words):
    done = thalweg("examples", *arguments)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.splitlines()) == 1
