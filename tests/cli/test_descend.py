"""The command `thalweg descend`."""

import json

import numpy as np
import pytest

import thalweg as tw

BASE = ("descend", "linnerud", "--widths", "4", "--standardize", "--loss", "mean")


def test_document_holds_the_series_by_their_names(thalweg):
    done = thalweg(*BASE, "--method", "sgd", "--batch-size", "5", "--lr", "0.001", "--json")
    assert done.code == 0
    assert done.err == ""
    document = json.loads(done.out)
    p = tw.datasets.load("linnerud").problem(widths=(4,), standardize=True, loss="mean")
    d = tw.descend(p, tw.init.gaussian(p, scale=0.1), method="sgd", batch_size=5, lr=0.001)
    assert document["loss"][-1] == d.loss[-1]
    assert document["predicted_drift"][-1] == d.predicted_drift[-1]
    assert document["largest_residual"] < 1e-14
    assert document["method"] == "sgd"
    assert document["batch_size"] == 5
    assert document["seed"] == 0


def test_folder_holds_numbers_page_and_pictures(thalweg, tmp_path):
    done = thalweg(*BASE, "--method", "momentum", "--lr", "0.001", "--out", "o", "--quiet")
    assert done.code == 0
    folder = tmp_path / "o"
    assert {path.name for path in folder.iterdir()} == {
        "run.npz",
        "summary.json",
        "report.html",
        "figures",
    }
    assert {path.name for path in (folder / "figures").iterdir()} == {
        f"{name}.{suffix}" for name in ("loss", "drift", "identity") for suffix in ("png", "svg")
    }
    with np.load(folder / "run.npz") as kept:
        assert kept["drift"].shape == (1001,)
    assert "identity" in done.out
    assert done.out.strip().splitlines()[-1].endswith("report.html")


def test_adam_has_null_where_nothing_is_predicted(thalweg):
    done = thalweg(*BASE, "--method", "adamw", "--weight-decay", "0.1", "--steps", "20", "--json")
    document = json.loads(done.out)
    assert set(document["predicted_drift"]) == {None}
    assert document["decay"] == "decoupled"


def test_divergence_is_a_numerical_failure(thalweg, tmp_path):
    done = thalweg(*BASE, "--lr", "10", "--out", "o", "--quiet")
    assert done.code == 3
    assert "diverged" in done.out
    assert (tmp_path / "o" / "report.html").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--method", "lbfgs"), "lbfgs"),
        (("--lr", "-1"), "lr must be"),
        (("--batch-size", "3"), "sgd"),
        (("--steps", "0"), "steps"),
    ],
)
def test_wrong_options_are_one_line(thalweg, options, words):
    done = thalweg(*BASE, *options)
    assert done.code == 2
    assert words in done.err
    assert done.err.count("\n") == 1
