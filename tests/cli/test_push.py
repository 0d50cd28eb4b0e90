"""Off a saddle, from the command line."""

import json

import numpy as np
import pytest

import thalweg as tw

TARGET = ("--sigma", "3,2,1", "--dims", "4,4,4,3")
PROBLEM = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))


def by_hand(learned, kind, seed, step):
    """Follow the flow off a saddle, moved without the helper of the library."""
    w = tw.critical_point(PROBLEM, learned=learned, kind=kind, rng=seed)
    v = tw.classify(PROBLEM, w)
    down = v.descent_curve.direction if v.descent_curve else v.witness
    return tw.flow(PROBLEM, [a + step * b for a, b in zip(w, down, strict=True)])


@pytest.mark.parametrize(("kind", "step"), [("strict_saddle", 1e-3), ("non_strict_saddle", 0.3)])
def test_the_run_is_that_from_the_moved_point(thalweg, kind, step):
    options = ("--learned", "0", "--kind", kind, "--seed", "3", "--step", step, "--json")
    done = thalweg("push", *TARGET, *options)
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    run = by_hand((0,), kind, 3, step)
    assert told["t"] == run.t.tolist()
    assert told["loss"] == run.loss.tolist()
    assert (told["from"]["kind"], told["from"]["learned"]) == (kind, [0])
    assert told["from"]["loss"] == pytest.approx(2.5)
    assert told["step"] == step
    assert told["start"]["seed"] == 3
    assert told["limit"]["verdict"]["learned"] == list(run.limit.verdict.learned)
    assert [item["learned"] for item in told["plateaus"]] == [
        list(item.learned) for item in run.plateaus
    ]


def test_words_and_files(thalweg, tmp_path):
    options = ("linnerud", "--standardize", "--widths", "3", "--learned", "0,1")
    done = thalweg("push", *options, "--out", "kept", "--quiet")
    assert done.code == 0
    rows = dict(line.split("  ", 1) for line in done.out.splitlines() if "  " in line)
    rows = {key.strip(): text.strip() for key, text in rows.items()}
    assert rows["from"].startswith("strict saddle, σ₁, σ₂ learned")
    assert rows["push"].startswith("changes the loss by -")
    assert rows["limit"].startswith("global minimum")
    assert "20 samples" in rows["data"]
    assert "plateaus" in rows
    assert "time" in rows
    assert (tmp_path / "kept" / "run.svg").read_text().startswith("<?xml")
    with np.load(tmp_path / "kept" / "run.npz", allow_pickle=False) as kept:
        assert kept["W1"].shape == (3, 3)


def test_nothing_learned_is_the_default(thalweg):
    told = json.loads(thalweg("push", *TARGET, "--t-end", "0.5", "--json").out)
    assert told["from"]["learned"] == []
    assert told["t"][-1] == 0.5


def test_from_a_file_of_settings(thalweg, tmp_path):
    (tmp_path / "c.toml").write_text('learned = [0, 1]\nstep = 0.01\nkind = "strict_saddle"\n')
    told = json.loads(thalweg("push", *TARGET, "--config", "c.toml", "--json").out)
    assert (told["from"]["learned"], told["step"]) == ([0, 1], 0.01)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--learned", "0,1,2"), "nothing is known to lead down from here (global minimum)"),
        (("--learned", "x"), "--learned needs directions counted from 0 like 0,1, or none"),
        (("--learned", ""), "--learned needs directions"),
        (("--learned", "7"), "different directions among 0..2"),
        (("--learned", "1", "--kind", "non_strict_saddle"), "no non_strict_saddle learned (1,)"),
        (("--kind", "saddle"), "saddle"),
        (("--step", "0"), "step must be positive"),
        (("--step", "-1"), "step must be positive"),
        (("--step", "nan"), "step must be a finite number"),
        (("--out", "taken"), "cannot write"),
    ],
)
def test_wrong_pushes(thalweg, tmp_path, arguments, words):
    (tmp_path / "taken").write_text("")
    done = thalweg("push", *TARGET, *arguments, "--quiet")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert words in done.err
