"""Wrong input ends with code 2, one line, and no traceback."""

import os

import numpy as np
import pytest

GOOD = np.random.default_rng(0).normal(size=(8, 3))
ARRAYS = {
    "nan": np.where(np.eye(8, 3) > 0, np.nan, GOOD),
    "inf": np.where(np.eye(8, 3) > 0, np.inf, GOOD),
    "empty": np.empty((0, 3)),
    "rows": GOOD[:5],
    "3-D": GOOD[None],
    "complex": GOOD + 1j,
    "objects": GOOD.astype(object),
    "text": np.full((8, 3), "a"),
    "dates": np.full((8, 3), np.datetime64("2020-01-01")),
    "huge": GOOD * 1e200,
    "tiny": GOOD * 1e-200,
    "zero": np.zeros((8, 3)),
}


def refused(done):
    assert done.code == 2, done
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("thalweg: error: "), done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    return lines[0]


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_are_no_table(thalweg, tmp_path, name):
    np.savez(tmp_path / "t.npz", X=ARRAYS[name], Y=GOOD[:, :1])
    refused(thalweg("flow", "t.npz", "--quiet"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lineru",), "did you mean 'linnerud'"),
        (("none.csv", "--target", "k"), "does not exist"),
        (("t.csv",), "--target"),
        (("t.csv", "--target", "q"), "no column 'q'"),
        (("text.csv", "--target", "k"), "column 'b' is text"),
        (("linnerud", "--widths", "0"), "positive integers"),
        (("linnerud", "--widths", "-3"), "positive integers"),
        (("linnerud", "--widths", "a"), "positive integers"),
        (("linnerud", "--widths", "99999999"), "positive integers"),
        (("linnerud", "--init", "gausian:1"), "did you mean gaussian"),
        (("linnerud", "--init", "gaussian:big"), "needs a number"),
        (("linnerud", "--init", "gaussian:-1"), "scale"),
        (("linnerud", "--metric", "white"), "metric"),
        (("linnerud", "--rtol", "0"), "rtol"),
        (("linnerud", "--t-end", "-1"), "t_end"),
        (("linnerud", "--seed", "-1"), "seed"),
        (("linnerud", "--weights", "none.npz"), "does not exist"),
        (("linnerud", "--config", "none.toml"), "cannot read"),
        (("linnerud", "--config", "bad.toml"), "not valid TOML"),
        (("linnerud", "--config", "odd.toml"), "did you mean 'widths'"),
        (("linnerud", "--nonsense"), "nonsense"),
        ((), "DATA"),
    ],
)
def test_wrong_usage(thalweg, tmp_path, arguments, words):
    (tmp_path / "t.csv").write_text("a,k\n1,2\n3,4\n")
    (tmp_path / "text.csv").write_text("a,b,k\n1,x,2\n3,y,4\n")
    (tmp_path / "bad.toml").write_text("widths = [")
    (tmp_path / "odd.toml").write_text("width = 3")
    assert words in refused(thalweg("flow", *arguments)).replace("DATA'", "DATA")


def test_unknown_command(thalweg):
    assert "nothing" in refused(thalweg("nothing"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told_before_computing(thalweg, tmp_path):
    tmp_path.chmod(0o500)
    assert "cannot write" in refused(thalweg("analyze", "linnerud"))


def test_an_output_folder_that_is_a_file(thalweg, tmp_path):
    (tmp_path / "taken").write_text("")
    assert "cannot write" in refused(thalweg("analyze", "linnerud", "--out", "taken"))


def test_escape_sequences_in_names_are_inert(thalweg, tmp_path):
    (tmp_path / "t.csv").write_text("\x1b]0;owned\x07a,k\nx,1\ny,2\n")
    text = refused(thalweg("flow", "t.csv", "--target", "k"))
    assert "\x1b" not in text
    assert "\x07" not in text
