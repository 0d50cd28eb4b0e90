"""`thalweg certify`."""

import json
import sys
import types

import numpy as np
import pytest

import thalweg as tw

DATA = ("linnerud", "--standardize", "--widths", "4,3")


def no_constants(text):
    raise AssertionError(f"{text} is not JSON")


def test_a_certified_start(thalweg):
    done = thalweg("certify", *DATA, "--init", "exponential:0.5", "--json")
    assert done.code == 0
    assert done.err == ""
    document = json.loads(done.out, parse_constant=no_constants)
    assert document["rule"] == "remark-2"
    assert document["rate"] >= 0.5
    assert document["certified"] is True
    assert document["converges_to_global"] is True
    assert len(document["norm_bounds"]) == 3
    assert {item["name"].split(":")[0] for item in document["hypotheses"]} == {
        "remark-2",
        "anytime",
        "basin",
    }
    assert document["start"] == {"kind": "exponential, rate 0.5, seed 0", "seed": 0}
    assert document["lojasiewicz_log10"] < -10
    assert "missing" not in thalweg("certify", *DATA, "--init", "exponential:0.5").out


def test_nothing_certified_is_exit_code_one_and_says_what_is_missing(thalweg):
    done = thalweg("certify", *DATA, "--init", "gaussian:0.01", "--quiet")
    assert done.code == 1
    assert "nothing beyond boundedness" in done.out
    assert "missing: basin" in done.out
    assert "missing: anytime: the error is below the smallest singular value" in done.out
    done = thalweg("certify", *DATA, "--init", "gaussian:0.01", "--json")
    assert done.code == 1
    document = json.loads(done.out, parse_constant=no_constants)
    assert document["rule"] == "none"
    assert document["path_bound"] is None


def test_weights_from_a_file_are_those_of_the_library(thalweg, tmp_path):
    p = tw.datasets.load("linnerud").problem(widths=(4, 3), standardize=True)
    w = tw.init.exponential(p, rate=3.0, rng=7)
    np.savez(tmp_path / "w.npz", **{f"W{j}": item for j, item in enumerate(w, 1)})
    done = thalweg("certify", *DATA, "--weights", "w.npz", "--json")
    document = json.loads(done.out)
    c = tw.certify(p, w)
    assert document["rate"] == c.rate
    assert document["norm_bounds"] == c.norm_bounds.tolist()
    assert document["safe_step"] == c.safe_step


def test_out_keeps_the_document_and_the_picture(thalweg, tmp_path):
    done = thalweg("certify", *DATA, "--init", "exponential:0.5", "--out", "kept", "--quiet")
    assert done.code == 0
    kept = json.loads((tmp_path / "kept" / "certificate.json").read_text())
    assert kept["rule"] == "remark-2"
    assert (tmp_path / "kept" / "certificate.png").read_bytes().startswith(b"\x89PNG")
    assert "certificate.png" in done.out
    assert "99 % of the avoidable loss has provably gone by flow time" in done.out


def test_impossible_start_is_one_line(thalweg):
    done = thalweg("certify", "linnerud", "--widths", "1", "--init", "exponential:1")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "below 3" in done.err


def test_rigorous_without_its_extra_is_one_line(thalweg, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = thalweg("certify", *DATA, "--rigorous")
    assert done.code == 2
    assert "pip install 'thalweg[rigorous]'" in done.err
    p = tw.Problem.from_target([1.0], dims=(1, 1, 1))
    w = tw.init.gaussian(p)
    with pytest.raises(tw.MissingExtraError):
        tw.certify(p, w, rigorous=True)


@pytest.mark.parametrize(("flags", "follow"), [(["--rigorous"], False), (["--follow"], True)])
def test_rigorous_hands_over_to_ball_arithmetic(thalweg, monkeypatch, flags, follow):
    seen = []

    def certify_rigorous(p, w, *, follow):
        seen.append(follow)
        return tw.certify(p, w)

    stage = types.ModuleType("thalweg.rigorous")
    stage.certify_rigorous = certify_rigorous
    monkeypatch.setitem(sys.modules, "thalweg.rigorous", stage)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    done = thalweg("certify", *DATA, "--init", "exponential:0.5", "--json", *flags)
    assert done.code == 0
    assert seen == [follow]


def test_analyze_proves_its_certificate_at_the_same_point(thalweg, monkeypatch):
    stage = types.ModuleType("thalweg.rigorous")
    stage.certify_rigorous = lambda p, w, *, follow: tw.certify(p, w)
    monkeypatch.setitem(sys.modules, "thalweg.rigorous", stage)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    done = thalweg("analyze", *DATA, "--rigorous", "--json", "--no-report")
    document = json.loads(done.out, parse_constant=no_constants)
    one, two = document["certificate"], document["rigorous"]
    assert done.code == 0
    assert one["time"] == two["time"] > 0.0
    assert two["rate"] == pytest.approx(one["rate"], rel=1e-6)


def test_analyze_says_what_is_missing_for_a_rate(thalweg):
    done = thalweg("analyze", *DATA, "--t-end", "1e-6", "--no-report", "--quiet")
    assert "missing for a rate" in done.out
    assert "smallest singular value" in done.out
