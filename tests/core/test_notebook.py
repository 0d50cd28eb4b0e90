"""What a notebook shows."""

import base64
import re

import pytest

import thalweg as tw
from thalweg.landscape import plane_slice

PICTURE = re.compile(r'<img alt="[^"]+" src="data:image/png;base64,([^"]+)">')


@pytest.fixture(scope="module")
def results():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    run = tw.flow(p, tw.init.gaussian(p))
    saddle = tw.critical_point(p, (1,))
    return {
        "run": run,
        "certificate": run.certificate,
        "atlas": tw.atlas(p),
        "verdict": tw.classify(p, saddle),
        "slice": plane_slice(p, tw.critical_point(p, ()), saddle, resolution=5),
    }


@pytest.mark.parametrize("name", ["run", "certificate", "atlas", "verdict", "slice"])
def test_results_come_with_their_key_figure_and_table(results, name):
    text = results[name]._repr_html_()
    picture = base64.b64decode(PICTURE.search(text).group(1))
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 200_000
    assert "<table>" in text


def test_results_without_a_picture_are_tables():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    for result in (p, tw.classify(p, tw.init.gaussian(p))):
        text = result._repr_html_()
        assert "<table>" in text
        assert "<img" not in text


def test_text_of_a_table_is_escaped():
    from thalweg._core import Result

    class Odd(Result):
        def summary_rows(self):
            return [("<b>", "<script>alert(1)</script>")]

    assert "<script>" not in Odd()._repr_html_()
