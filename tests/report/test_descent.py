"""The page of a descent."""

import re

import markupsafe
import pytest

import thalweg as tw
from thalweg import report

HOSTILE = "</title></style><script>alert(1)</script>&\"'"


@pytest.fixture(scope="module")
def p():
    return tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))


def page(p, tmp_path, **options):
    d = tw.descend(p, tw.init.gaussian(p, scale=0.3, rng=0), steps=300, **options)
    path = report.write_descent(d, tmp_path, name=HOSTILE, command=f"thalweg {HOSTILE}", formats=())
    return d, path.read_text("utf-8")


def test_page_says_what_was_conserved(p, tmp_path):
    d, text = page(p, tmp_path, lr=0.05)
    assert "global minimum (proved)" in text
    assert "as the steps were bound to do" in text
    assert text.count("<svg") == 3
    assert "<math" in text
    for _, value in d.summary_rows():
        assert str(markupsafe.escape(value)) in text


def test_page_needs_nothing_from_outside(p, tmp_path):
    _, text = page(p, tmp_path)
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert "default-src 'none'" in text
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "adam"}, "for this method that can only be measured"),
        ({"lr": 100.0}, "The training blew up"),
        ({"method": "sgd", "batch_size": 2}, "as the steps were bound to do"),
        ({"lr": 1e-4}, "before it was decided"),
    ],
)
def test_page_of_every_ending(p, tmp_path, options, words):
    _, text = page(p, tmp_path, **options)
    assert words in text


def test_unknown_formats_are_refused(p, tmp_path):
    d = tw.descend(p, tw.init.gaussian(p, scale=0.3), steps=3)
    with pytest.raises(tw.DataError, match="formats"):
        report.write_descent(d, tmp_path, name="x", formats=("gif",))
