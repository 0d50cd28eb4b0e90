import dataclasses

import numpy as np
import pytest
from matplotlib.contour import QuadContourSet

import thalweg as tw
from thalweg.landscape import plane_slice


def diagonal(x, y):
    return 2 * [np.diag([x * 3.0**0.5, y])]


@pytest.fixture(scope="module")
def plane():
    p = tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2))
    return plane_slice(
        p, diagonal(0, 0), diagonal(1, 0), toward=diagonal(0, 1), marks=[diagonal(1, 1)]
    )


@pytest.fixture(scope="module")
def runs(plane):
    inside = tw.flow(plane.problem, diagonal(0.05, 0.01))
    outside = tw.flow(plane.problem, tw.init.gaussian(plane.problem, scale=0.05, rng=1))
    return [inside, outside]


def panel(figure):
    (ax,) = [ax for ax in figure.axes if ax.get_label() == "slice"]
    return ax


def test_marks_are_at_their_places_with_kind_and_learned_set(plane):
    ax = panel(plane.plot())
    drawn = {
        (round(float(x), 9), round(float(y), 9)): (line.get_marker(), line.get_color())
        for line in ax.lines
        for x, y in zip(*line.get_data(), strict=True)
    }
    root = 2.0**0.5
    places = [(0.0, 0.0), (root * 3.0**0.5, 0.0), (0.0, root), (root * 3.0**0.5, root)]
    assert set(drawn) == {(round(x, 9), round(y, 9)) for x, y in places}
    looks = [drawn[round(x, 9), round(y, 9)] for x, y in places]
    assert looks[0] == looks[1] == looks[2] != looks[3]
    assert looks[0][0] != looks[3][0]
    assert [text.get_text() for text in ax.texts] == ["∅", "{σ₁}", "{σ₂}", "{σ₁,σ₂}"]
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["strict saddle", "global minimum"]


def test_contours_go_through_the_critical_values(plane):
    sets = [item for item in panel(plane.plot()).collections if isinstance(item, QuadContourSet)]
    filled, levels = sets
    top = plane.reducible_loss.max()
    assert top > 4.5
    assert list(levels.levels) == pytest.approx([v for v in (0.5, 4.5, 5.0) if v < top])
    ratios = np.diff(np.log(filled.levels))
    assert np.ptp(ratios) < 1e-9
    assert filled.get_cmap().name == "viridis"


def test_runs_are_drawn_where_they_project(plane, runs):
    ax = panel(plane.plot(runs=runs, max_points=50))
    for index, run in enumerate(runs, 1):
        (line,) = [line for line in ax.lines if line.get_label() == f"run {index}"]
        x, y = line.get_data()
        ends = [run.start, run.final]
        there = plane.project(ends)
        np.testing.assert_allclose([x[0], x[-1]], there.x, atol=1e-12)
        np.testing.assert_allclose([y[0], y[-1]], there.y, atol=1e-12)
        assert len(x) <= 51
    dashes = {line.get_linestyle() for line in ax.lines if line.get_label().startswith("run")}
    assert len(dashes) == 2


def test_the_caption_says_that_runs_are_projections_and_how_far_off(plane, runs):
    (caption,) = [text.get_text() for text in plane.plot(runs=runs).texts]
    assert "Runs are projections" in caption
    far = plane.project([runs[1].weights_at(float(t)) for t in runs[1].t]).distance.max()
    assert far > 0.1
    assert f"run 2: {far:.2g}" in caption
    inside = plane.project([runs[0].weights_at(float(t)) for t in runs[0].t]).distance.max()
    assert inside < 1e-9


def test_marks_off_the_plane_are_confessed():
    p = tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2))
    off = tw.critical_point(p, (0, 1), rng=5)
    plane = plane_slice(
        p, diagonal(0, 0), diagonal(1, 0), toward=diagonal(0, 1), marks=[off], resolution=11
    )
    (caption,) = [text.get_text() for text in plane.plot().texts]
    assert f"up to {plane.marks.distance[-1]:.2g} off the plane" in caption


def test_lengths_are_equal_on_both_axes_and_axes_are_named(plane, runs):
    figure = plane.plot(runs=runs[0])
    ax = panel(figure)
    assert ax.get_aspect() == 1.0
    assert "towards {σ₁}" in ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.get_title(loc="left")
    assert ax.get_xlim() == (plane.x[0], plane.x[-1])
    bar = next(other for other in figure.axes if other is not ax)
    assert "reducible loss" in bar.get_ylabel()


def test_legend_and_title_do_not_overlap(plane, runs):
    figure = plane.plot(runs=[*runs, *runs, *runs])
    figure.canvas.draw()
    ax = panel(figure)
    title = next(child for child in ax.get_children() if child is ax._left_title)
    assert ax.get_legend().get_window_extent().y1 <= title.get_window_extent().y0 + 1.0


def test_wrong_runs_and_options_are_refused(plane):
    p = tw.Problem.from_target([3.0, 2.0], dims=(2, 2, 2))
    other = tw.flow(p, diagonal(0.5, 0.5))
    with pytest.raises(tw.DataError, match=r"runs\[0\] is of another problem"):
        plane.plot(runs=[other])
    with pytest.raises(tw.DataError, match="max_points must be at least 2"):
        plane.plot(max_points=1)


def test_a_plane_of_one_height_can_be_drawn(plane):
    level = dataclasses.replace(plane, reducible_loss=np.full_like(plane.reducible_loss, 2.0))
    level.plot().canvas.draw()
