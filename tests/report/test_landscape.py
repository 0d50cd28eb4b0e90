import dataclasses
import re

import numpy as np
import pytest

import thalweg as tw
from thalweg import report
from thalweg.report._landscape import landscape


@pytest.fixture(scope="module")
def deep():
    return tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))


@pytest.fixture(scope="module")
def flat(deep):
    return tw.flow(deep, [np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((3, 4))])


def ending(run, limit):
    """The same run with another limit."""
    other = dataclasses.replace(run)
    vars(other)["limit"] = limit
    return other


@pytest.fixture(scope="module")
def pass_(deep):
    w = tw.critical_point(deep, (1,), rng=1)
    run = tw.flow(deep, w, t_end=1e-3)
    verdict = tw.classify(deep, w)
    return ending(run, dataclasses.replace(run.limit, verdict=verdict))


def section(run, folder):
    """Return the words of the section, without marks."""
    source = report.write(run, folder, name="x", formats=()).read_text("utf-8")
    source = source[source.index('<h2 id="landscape">') : source.index('<h2 id="certificate">')]
    return " ".join(re.sub(r"<[^>]+>", " ", source).split()), source


def test_the_lowest_levels_are_listed(deep, flat, tmp_path):
    text, source = section(flat, tmp_path)
    rows = re.findall(r'<th scope="row">([\d.]+)</th>', source)
    assert [float(row) for row in rows[:8]] == [level.loss for level in tw.atlas(deep)]
    assert "only 8 levels" in text
    assert "strict saddle and non-strict saddle" in text
    dimensions = next(level.dimensions for level in tw.atlas(deep) if level.learned == (0,))
    assert "{} and {}".format(*dimensions) in text
    assert "more." not in text


def test_a_non_strict_saddle_comes_with_its_curve_and_pivots(flat, tmp_path):
    text, source = section(flat, tmp_path)
    verdict = flat.limit.verdict
    assert "The limit is a non-strict saddle, with nothing learned." in text
    assert "“Case 1.2”" in text
    assert f"of order {verdict.descent_curve.order}" in text
    assert "0 bend down, 44 are flat and 0 bend up" in text
    assert text.count("closed") == len(verdict.pivots) + 1
    assert source.count("<svg") == 2
    assert "The ring is the limit of this run" in text


def test_a_strict_saddle_comes_with_its_curvature(pass_, tmp_path):
    text, source = section(pass_, tmp_path)
    curvature = pass_.limit.verdict.curvature
    assert curvature < 0.0
    assert f"curvature −{-curvature:.3g}" in text
    assert "trading the weaker for the stronger" in text
    assert source.count("<svg") == 2


def test_a_minimum_explains_its_flat_directions(learned, tmp_path):
    text, _ = section(learned, tmp_path)
    assert "its height is the loss that is left" in text
    assert "past nothing learned; σ₁ learned; from there to the limit (σ₁, σ₂ learned)" in text
    assert "The flat ones are changes of the layers" in text
    assert "the loss cannot be lower anywhere" in text


def test_an_undecided_limit_has_no_verdict_and_no_picture_of_it(cut_short, tmp_path):
    text, source = section(cut_short, tmp_path)
    assert "The limit of this run is not decided" in text
    assert "limit of the run" not in text
    assert source.count("<svg") == 1


def test_many_levels_are_counted_not_listed(tmp_path):
    p = tw.Problem.from_target(np.linspace(12.0, 1.0, 12), dims=(12, 12, 12))
    text, _ = section(tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0)), tmp_path)
    assert f"there are {2**12 - 8} more" in text
    assert "only 4 096 levels" in text


def test_shared_levels_are_explained(one_hot, tmp_path):
    text, _ = section(one_hot, tmp_path)
    assert "Some strengths are equal or zero" in text or "some strengths are equal or zero" in text


def test_one_layer_has_no_saddles(tmp_path):
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2))
    text, _ = section(tw.flow(p, [np.ones((2, 3))]), tmp_path)
    assert "A network of one layer has no saddles" in text


def test_rules_without_words_are_named(learned):
    verdict = dataclasses.replace(learned.limit.verdict, rule="<new rule>")
    limit = dataclasses.replace(learned.limit, verdict=verdict)
    told = landscape(ending(learned, limit))
    assert "Decided by: <new rule>." in told["verdict"]


def test_words_from_outside_are_text_on_the_page_and_in_pictures(learned, tmp_path):
    rule = "<script>alert(1)</script>"
    verdict = dataclasses.replace(learned.limit.verdict, rule=rule)
    limit = dataclasses.replace(learned.limit, verdict=verdict)
    _, source = section(ending(learned, limit), tmp_path)
    assert "<script" not in source
    assert source.count("&lt;script&gt;") == 2


def test_pictures_cover_lines_with_the_colour_of_the_page(learned, tmp_path):
    _, source = section(learned, tmp_path)
    atlas = source[source.index("<svg") : source.index("</svg>")]
    assert "fill: var(--paper); opacity" in atlas
    assert "stroke: var(--paper)" in atlas
    assert "#ffffff" not in atlas
