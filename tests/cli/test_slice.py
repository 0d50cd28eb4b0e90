"""The loss on a plane, from the command line."""

import json

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import DataError
from thalweg.cli._points import Point, parse_learned, parse_point
from thalweg.landscape import plane_slice

TARGET = ("--sigma", "3,2,1", "--dims", "4,4,4,3")
PROBLEM = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))
PLACES = ("--a", "none:2", "--b", "0:non_strict_saddle:3", "--resolution", "7")


@pytest.fixture
def plane():
    a = tw.critical_point(PROBLEM, (), rng=2)
    b = tw.critical_point(PROBLEM, (0,), "non_strict_saddle", rng=3)
    return plane_slice(PROBLEM, a, b, resolution=7)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("none", Point(())),
        ("0,1", Point((0, 1))),
        (" 0 , 1 ", Point((0, 1))),
        ("none:2", Point((), None, 2)),
        ("0:strict_saddle", Point((0,), "strict_saddle")),
        ("0,2:non_strict_saddle:9223372036854775807",
         Point((0, 2), "non_strict_saddle", 2**63 - 1)),
    ],
)  # fmt: skip
def test_points_in_words(text, point):
    assert parse_point(text, "--a") == point


@pytest.mark.parametrize(
    "text",
    ["", "x", "0,", "-1", "0:", "0::3", "0:3:strict_saddle", "0:strict_saddle:-1", "0:maximum",
     "none,1", "0:strict_saddle:3:4", "0.5", "²", "0:²", "0:1" + 30 * "0"],
)  # fmt: skip
def test_what_is_no_point(text):
    with pytest.raises(DataError, match="--a"):
        parse_point(text, "--a")


def test_learned_sets():
    assert parse_learned("none", "--learned") == ()
    assert parse_learned("2,0", "--learned") == (2, 0)


def test_grid_points_and_files(thalweg, tmp_path, plane):
    done = thalweg("slice", *TARGET, *PLACES, "--out", "kept", "--json")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["reducible_loss"] == plane.reducible_loss.tolist()
    assert (told["x"], told["y"]) == (plane.x.tolist(), plane.y.tolist())
    assert told["marks"]["x"] == plane.marks.x.tolist()
    assert told["points"][1] == {
        "name": "b", "learned": [0], "kind": "non_strict_saddle", "seed": 3
    }  # fmt: skip
    assert [item["kind"] for item in told["verdicts"]] == ["strict_saddle", "non_strict_saddle"]
    assert told["data"]["type"] == "Target"
    assert "drop" not in told
    with np.load(tmp_path / "kept" / "plane.npz", allow_pickle=False) as kept:
        for name in ("x", "y", "reducible_loss", "loss"):
            assert np.array_equal(kept[name], getattr(plane, name))
        assert np.array_equal(kept["marks"][:, 0], plane.marks.x)
        assert json.loads(str(kept["summary"]))["verdicts"][0]["learned"] == []
    assert (tmp_path / "kept" / "plane.svg").read_text().startswith("<?xml")
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"plane.npz", "plane.svg"}


def test_a_dropped_start(thalweg, tmp_path, plane):
    done = thalweg("slice", *TARGET, *PLACES, "--drop", "-0.5,0.7", "--out", "kept", "--json")
    told = json.loads(done.out)["drop"]
    run = tw.flow(PROBLEM, plane.weights_at(-0.5, 0.7))
    assert (told["x"], told["y"]) == (-0.5, 0.7)
    assert told["run"]["t"] == run.t.tolist()
    assert told["run"]["limit"]["verdict"]["learned"] == list(run.limit.verdict.learned)
    assert told["path"]["x"][0] == pytest.approx(-0.5)
    assert told["path"]["y"][0] == pytest.approx(0.7)
    assert told["path"]["distance"][0] == pytest.approx(0.0, abs=1e-12)
    assert told["path"]["t"][-1] == run.t[-1]
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    assert names == {"plane.npz", "plane.svg", "run.npz"}


def test_in_words(thalweg):
    options = ("linnerud", "--standardize", "--widths", "3", "--resolution", "5")
    places = ("--a", "none", "--b", "0", "--toward", "0,1:4", "--drop", "0.1,0.1")
    done = thalweg("slice", *options, *places, "--quiet")
    assert done.code == 0
    first = next(line for line in done.out.splitlines() if line.startswith("a "))
    assert first.split("  ", 1)[1].strip().startswith("strict saddle, nothing learned")
    assert "at (0, 0)" in done.out
    assert "σ₁, σ₂ learned" in done.out
    assert "5 values" in done.out
    assert "the path leaves the plane by at most" in done.out
    assert "limit" in done.out


def test_from_a_file_of_settings(thalweg, tmp_path, plane):
    (tmp_path / "c.toml").write_text(
        'a = "none:2"\nb = "0:non_strict_saddle:3"\nresolution = 7\nsigma = [3, 2, 1]\n'
        "dims = [4, 4, 4, 3]\ndrop = [0.5, 0.5]\n"
    )
    told = json.loads(thalweg("slice", "--config", "c.toml", "--json").out)
    assert told["reducible_loss"] == plane.reducible_loss.tolist()
    assert told["drop"]["x"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--a", "none"), "--b"),
        (("--b", "none"), "--a"),
        (("--a", "none", "--b", "none"), "a and b are the same point"),
        (("--a", "none", "--b", "0:maximum"), "--b has kind 'maximum'"),
        (("--a", "none", "--b", "0:strict_saddle:x"), "--b needs LEARNED[:KIND][:SEED]"),
        (("--a", "none", "--b", "7"), "different directions among 0..2"),
        (("--a", "none", "--b", "0", "--toward", "none"), "parallel"),
        (("--a", "none", "--b", "0", "--toward", "q"), "--toward needs directions"),
        (("--a", "none", "--b", "0", "--drop", "1"), "--drop needs two coordinates"),
        (("--a", "none", "--b", "0", "--drop", "1,2,3"), "--drop needs two coordinates"),
        (("--a", "none", "--b", "0", "--drop", "1,x"), "--drop needs numbers like"),
        (("--a", "none", "--b", "0", "--drop", "1,inf"), "--drop needs numbers like"),
        (("--a", "none", "--b", "0", "--drop", "1e200,0"), "rescale"),
        (("--a", "none", "--b", "0", "--resolution", "1"), "resolution"),
        (("--a", "none", "--b", "0", "--out", "taken"), "cannot write"),
    ],
)
def test_wrong_slices(thalweg, tmp_path, arguments, words):
    (tmp_path / "taken").write_text("")
    done = thalweg("slice", *TARGET, *arguments, "--quiet")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert words in done.err
