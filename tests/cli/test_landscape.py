"""The commands of the landscape."""

import json

import numpy as np
import pytest

import thalweg as tw
from thalweg.data import write_weights


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


def test_strata_of_each_kind_agree_with_json(thalweg):
    options = ("landscape", "linnerud", "--widths", "2,2", "--standardize")
    lines = thalweg(*options).out.splitlines()[1:]
    levels = json.loads(thalweg(*options, "--json").out)["levels"]
    assert len(lines) == len(levels)
    for line, level in zip(lines, levels, strict=True):
        rows = zip(level["kinds"], level["n_strata"], level["dimensions"], strict=True)
        for kind, count, size in rows:
            words = f"({count} strata, dimension <= {size})"
            if count == 1:
                words = f"(1 stratum, dimension {size})"
            assert f"{kind.replace('_', ' ')} {words}" in line


def test_strata_too_many_to_count_are_left_out(thalweg):
    text = thalweg("landscape", "digits", "--widths", "32,32", "--lowest", "2").out
    assert text.splitlines()[2].endswith("learned: strict saddle, non strict saddle")


@pytest.mark.parametrize("out", ["kept.safetensors", "kept.npz", "kept"])
def test_samples_are_kept_where_one_says(thalweg, tmp_path, out):
    options = ("linnerud", "--standardize", "--widths", "3")
    done = thalweg("landscape", *options, "--sample", "strict_saddle", "--out", out)
    path = done.out.splitlines()[-1].split()[-1]
    assert path == (out if "." in out else f"{out}/critical.npz")
    verdict = json.loads(thalweg("classify", *options, "--weights", path, "--json").out)
    assert verdict["kind"] == "strict_saddle"


def test_what_the_start_excludes(thalweg, tmp_path):
    options = ("landscape", "linnerud", "--standardize", "--widths", "4,4", "--excluded")
    done = thalweg(*options, "--init", "gaussian:1", "--seed", "3", "--json")
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["start"]["seed"] == 3
    p = tw.datasets.load("linnerud").problem(widths=(4, 4), standardize=True)
    w = tw.init.gaussian(p, scale=1.0, rng=3)
    wanted = tw.excluded(p, w)
    assert wanted
    assert document["excluded"] == [item.to_dict() for item in wanted]
    write_weights(tmp_path / "w.safetensors", w)
    done = thalweg(*options, "--weights", "w.safetensors")
    assert f"{len(wanted)} sets of critical points" in done.out
    assert all(item.message in done.out for item in wanted)
    done = thalweg(*options, "--init", "balanced:1")
    assert "0 sets of critical points" in done.out


def test_options_that_go_together(thalweg):
    done = thalweg("landscape", "linnerud", "--weights", "w.npz")
    assert (done.code, done.out) == (2, "")
    assert "add --excluded" in done.err
    done = thalweg("landscape", "linnerud", "--out", "kept")
    assert (done.code, done.out) == (2, "")
    assert "add --sample KIND" in done.err


def test_a_kind_that_does_not_occur(thalweg):
    done = thalweg("landscape", "linnerud", "--sample", "non_strict_saddle")
    assert done.code == 2
    assert "no non_strict_saddle" in done.err


def test_a_sample_on_a_chosen_level(thalweg, tmp_path):
    options = ("linnerud", "--standardize", "--widths", "4,4", "--sample", "strict_saddle")
    p = tw.datasets.load("linnerud").problem(widths=(4, 4), standardize=True)
    for text, learned in (("none", []), ("0", [0]), ("0,2", [0, 2]), ("2,1", [1, 2])):
        done = thalweg("landscape", *options, "--learned", text, "--seed", "5", "--json")
        assert (done.code, done.err) == (0, "")
        verdict = json.loads(done.out)["sample"]
        assert (verdict["kind"], verdict["learned"]) == ("strict_saddle", learned)
        w = tw.critical_point(p, learned, "strict_saddle", rng=5)
        assert verdict["eigenvalues"] == tw.classify(p, w).eigenvalues.tolist()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--learned", "0"), "--learned says what it learned; add --sample KIND"),
        (("--sample", "strict_saddle", "--learned", "a"), "counted from 0 like 0,1, or none"),
        (("--sample", "strict_saddle", "--learned", "9"), "different directions among 0..2"),
        (("--sample", "strict_saddle", "--learned", "0,1,2"), "no strict_saddle learned"),
        (("--sample", "global_minimum", "--learned", "0"), "a global minimum learns the 3"),
        (("--sample", "non_strict_saddle", "--learned", "1"), "a larger direction is unlearned"),
    ],
)
def test_a_level_that_cannot_be(thalweg, arguments, words):
    done = thalweg("landscape", "linnerud", "--widths", "4,4", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert words in done.err


def test_texts_do_not_cite_what_users_do_not_have(thalweg):
    """Sections of the theory are named in the reference, not in answers."""
    for kind in ("strict_saddle", "non_strict_saddle"):
        options = ("linnerud", "--widths", "4,4", "--sample", kind)
        assert "Spec" not in thalweg("landscape", *options, "--excluded").out
    assert "Spec" not in thalweg("landscape", "--sigma", "2,2", "--dims", "3,3,3").out


def test_weights_are_needed(thalweg):
    assert thalweg("classify", "linnerud").code == 2
