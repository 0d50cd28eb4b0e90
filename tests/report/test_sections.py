"""One page with everything: run, other starts, training."""

import collections
import re

import pytest

import thalweg as tw
from thalweg import report
from thalweg.cli._main import run as command


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    p = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))
    start = tw.init.gaussian(p, scale=0.1, rng=0)
    path = report.write(
        tw.flow(p, start),
        folder,
        name="all",
        formats=(),
        sweep=tw.sweep(p, tw.init.gaussian, n=60, scale=[0.1, 1.0], rng=0),
        descent=tw.descend(p, start, lr=0.01, steps=50),
    )
    return path.read_text("utf-8")


def test_all_sections_are_there_once(text):
    assert all(
        f'<h2 id="{name}"' in text for name in ("limit", "certificate", "basins", "optimizer")
    )
    ids = collections.Counter(re.findall(r'\sid="([^"]+)"', text))
    assert {name for name, count in ids.items() if count > 1} == set()


def test_page_is_self_contained_and_small(text):
    assert len(text.encode()) < 2_000_000
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text).group(1)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert all(item.startswith(("data:image/png;base64,", "#")) for item in sources)


def test_without_them_nothing_is_said(tmp_path):
    p = tw.Problem.from_target([1.0], dims=(1, 1, 1))
    path = report.write(tw.flow(p, tw.init.gaussian(p)), tmp_path, name="one", formats=())
    assert 'id="basins"' not in path.read_text("utf-8")


def test_analyze_writes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["analyze", "linnerud", "--standardize", "--basins", "20", "--train", "gd:1e-4:50"]
    assert command([*words, "--out", "out", "--quiet"]) == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert 'id="basins"' in page
    assert 'id="optimizer"' in page


@pytest.mark.parametrize("given", ["gd", "gd:x:5", "gd:0.1", "gd:0.1:2.5"])
def test_training_is_said_in_one_line(given, capsys):
    assert command(["analyze", "linnerud", "--train", given]) == 2
    assert "--train needs METHOD:LR:STEPS" in capsys.readouterr().err


def test_start_seed_and_proof_are_told_when_they_are_given(tmp_path, learned):
    pytest.importorskip("flint")
    time = learned.certificate.time
    proof = tw.certify(learned.problem, learned.weights_at(time), rigorous=True)
    plain = report.write(learned, tmp_path / "plain", name="x", formats=()).read_text()
    assert "ball arithmetic" not in plain
    page = report.write(
        learned, tmp_path / "proof", name="x", formats=(), proof=proof, start="gaussian <1>, seed 7"
    ).read_text()
    assert "ball arithmetic, " in page
    assert "<dt>start</dt><dd><code>gaussian &lt;1&gt;, seed 7</code></dd>" in page
