"""The commands of the landscape."""

import json

import numpy as np

import thalweg as tw


def test_levels_and_a_sample_that_classify_confirms(thalweg, tmp_path):
    options = ("linnerud", "--widths", "4,4", "--standardize")
    done = thalweg(
        "landscape", *options, "--lowest", "3", "--sample", "non_strict_saddle", "--out", "kept",
        "--json",
    )  # fmt: skip
    document = json.loads(done.out)
    assert done.code == 0
    assert done.err == ""
    assert len(document["levels"]) == 3
    assert document["n_levels"] == 8
    assert document["levels"][0]["kinds"] == ["global_minimum"]
    p = tw.datasets.load("linnerud").problem(widths=(4, 4), standardize=True)
    sigma = np.sort(p.singular_values)
    assert np.isclose(document["levels"][1]["loss"], 0.5 * sigma[0] ** 2)
    done = thalweg("classify", *options, "--weights", "kept/critical.npz", "--json")
    verdict = json.loads(done.out)
    assert verdict["kind"] == "non_strict_saddle"
    assert verdict["descent_curve"]["order"] >= 3
    text = thalweg("classify", *options, "--weights", "kept/critical.npz").out
    assert "tightened" in text
    assert "σ₁" not in text.splitlines()[0]


def test_plain_text_of_the_atlas(thalweg):
    text = thalweg("landscape", "linnerud", "--standardize", "--lowest", "2").out
    assert "global minimum" in text
    assert len(text.splitlines()) == 3


def test_a_kind_that_does_not_occur(thalweg):
    done = thalweg("landscape", "linnerud", "--sample", "non_strict_saddle")
    assert done.code == 2
    assert "no non_strict_saddle" in done.err


def test_weights_are_needed(thalweg):
    assert thalweg("classify", "linnerud").code == 2
