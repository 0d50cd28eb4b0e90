import io
import itertools
import time

import numpy as np
import pytest
from matplotlib.collections import LineCollection

import thalweg as tw

SIGMA = np.array([3.0, 2.0, 1.0])
SUBSETS = [s for size in range(4) for s in itertools.combinations(range(3), size)]


def value(learned, sigma=SIGMA):
    return 0.5 * sum(float(s) ** 2 for i, s in enumerate(sigma) if i not in learned)


@pytest.fixture(scope="module")
def deep():
    return tw.Problem.from_target(SIGMA, dims=(4, 4, 4, 3))


def panel(atlas, **options):
    (ax,) = atlas.plot(**options).axes
    return ax


def kinds(ax):
    """Points of each kind, by the name in the legend."""
    return {
        line.get_label(): line
        for line in ax.lines
        if line.get_marker() not in {"", "None"} and "run" not in line.get_label()
    }


def points(line):
    return sorted((round(x), float(y)) for x, y in zip(*line.get_data(), strict=True))


def test_every_subset_is_a_point_at_its_value(deep):
    drawn = sorted(
        point for line in kinds(panel(tw.atlas(deep))).values() for point in points(line)
    )
    assert drawn == sorted((len(s), value(s)) for s in SUBSETS)


def test_kinds_differ_in_colour_and_marker(deep):
    found = kinds(panel(tw.atlas(deep)))
    assert set(found) == {"global minimum", "strict saddle", "strict and non-strict saddles"}
    assert len({line.get_color() for line in found.values()}) == 3
    assert len({line.get_marker() for line in found.values()}) == 3
    assert points(found["global minimum"]) == [(3, 0.0)]
    nested = [(0,), (0, 1), ()]
    both = points(found["strict and non-strict saddles"])
    assert both == sorted((len(s), value(s)) for s in nested)


def test_lines_join_sets_that_differ_by_one_direction(deep):
    ax = panel(tw.atlas(deep))
    (edges,) = [item for item in ax.collections if isinstance(item, LineCollection)]
    drawn = sorted(
        ((round(a[0]), float(a[1])), (round(b[0]), float(b[1]))) for a, b in edges.get_segments()
    )
    wanted = sorted(
        ((len(one), value(one)), (len(two), value(two)))
        for one, two in itertools.product(SUBSETS, SUBSETS)
        if len(two) == len(one) + 1 and set(one) < set(two)
    )
    assert drawn == wanted


def test_sets_are_named_with_strata_and_dimensions(deep):
    ax = panel(tw.atlas(deep))
    texts = [text.get_text() for text in ax.texts]
    names = {"∅", "{σ₁}", "{σ₂}", "{σ₃}", "{σ₁,σ₂}", "{σ₁,σ₃}", "{σ₂,σ₃}", "{σ₁–σ₃}"}
    assert names <= set(texts)
    least = tw.atlas(deep).lowest(1)[0]
    # At the global minima the map is fixed: the rest of the weights is free.
    assert least.dimensions == (4 * 4 + 4 * 4 + 4 * 3 - 4 * 3,)
    assert f"{least.n_strata[0]} strata, dim 32" in texts


def test_zero_and_names_of_axes_are_there(deep):
    ax = panel(tw.atlas(deep))
    low, high = ax.get_ylim()
    assert low < 0.0 < high
    assert 0.0 in [round(tick, 12) for tick in ax.get_yticks()]
    assert ax.get_title(loc="left")
    assert ax.get_ylabel() == "reducible loss"
    assert ax.get_xlabel() == "number of directions learned"
    assert list(ax.get_xticks()) == [0, 1, 2, 3]


def test_a_bottleneck_leaves_zero_out_of_reach():
    ax = panel(tw.atlas(tw.Problem.from_target(SIGMA, dims=(4, 2, 3))))
    assert ax.get_ylim()[0] < 0.0
    assert "zero loss: out of reach" in {text.get_text() for text in ax.texts}


def test_values_of_very_different_size_get_a_logarithmic_axis_with_zero():
    ax = panel(tw.atlas(tw.Problem.from_target([50.0, 7.0, 0.5], dims=(4, 4, 3))))
    assert ax.get_yscale() == "symlog"
    assert ax.get_yticks()[0] == 0.0
    assert ax.yaxis.get_transform().linthresh == pytest.approx(0.125)


def test_the_path_of_a_run_goes_from_plateau_to_plateau_to_the_limit(stairs):
    ax = panel(tw.atlas(stairs.problem), run=stairs)
    (path,) = [line for line in ax.lines if line.get_label() == "path of the run"]
    stops = [plateau.learned for plateau in stairs.plateaus] + [stairs.limit.verdict.learned]
    assert stops == [(), (0,), (0, 1), (0, 1, 2)]
    np.testing.assert_allclose(path.get_xdata(), [0, 1, 2, 3])
    np.testing.assert_allclose(path.get_ydata(), [value(stop) for stop in stops], atol=1e-12)


def test_a_run_that_is_not_decided_is_not_given_a_limit(stairs):
    run = tw.flow(stairs.problem, stairs.start, t_end=0.1)
    assert run.limit.verdict.kind == "undecided"
    labels = {line.get_label() for line in panel(tw.atlas(run.problem), run=run).lines}
    assert "path of the run so far" in labels
    assert "limit of the run" not in labels


def test_a_run_of_another_problem_is_refused(stairs, deep):
    other = tw.Problem.from_target([3.0, 2.0, 1.5], dims=(4, 4, 3))
    with pytest.raises(tw.DataError, match="run is of another problem"):
        tw.atlas(other).plot(run=stairs)
    with pytest.raises(tw.DataError, match="lowest must be a positive integer"):
        tw.atlas(deep).plot(lowest=0)


def test_names_do_not_overlap(wide_spectrum):
    small = tw.Problem.from_target([5.0, 4.1, 3.0, 2.0, 1.0], dims=(6, 5, 5))
    for atlas in (tw.atlas(small), tw.atlas(wide_spectrum.problem)):
        figure = atlas.plot()
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
        assert len(boxes) >= 10
        for one, two in itertools.combinations(boxes, 2):
            across = min(one.x1, two.x1) - max(one.x0, two.x0)
            along = min(one.y1, two.y1) - max(one.y0, two.y0)
            assert min(across, along) <= 3.0


def test_a_huge_atlas_is_drawn_from_below_and_says_so():
    p = tw.Problem.from_target(np.linspace(40.0, 1.0, 40), dims=(40, 40, 40))
    begin = time.perf_counter()
    figure = tw.atlas(p).plot()
    assert time.perf_counter() - begin < 10.0
    notes = [text.get_text() for text in figure.texts]
    assert any(f"Lowest 24 of {2**40:,} levels".replace(",", "\xa0") in note for note in notes)
    drawn = sorted(y for line in kinds(figure.axes[0]).values() for y in line.get_ydata())
    assert drawn == pytest.approx([level.loss for level in tw.atlas(p).lowest(24)])


def test_the_path_is_whole_where_only_the_lowest_levels_are_drawn(wide_spectrum):
    figure = tw.atlas(wide_spectrum.problem).plot(run=wide_spectrum, lowest=5)
    ax = figure.axes[0]
    (path,) = [line for line in ax.lines if line.get_label() == "path of the run"]
    stops = [plateau.learned for plateau in wide_spectrum.plateaus]
    sigma = np.linspace(12.0, 1.0, 12)
    wanted = [value(stop, sigma) for stop in dict.fromkeys([*stops, tuple(range(12))])]
    np.testing.assert_allclose(path.get_ydata(), wanted, atol=1e-9)
    assert "and those on the path" in figure.texts[0].get_text()


@pytest.mark.parametrize(
    ("target", "dims"),
    [([2.0, 2.0], (2, 2, 2)), ([1.0, 0.0], (2, 2, 2)), ([2.0, 1.0], (3, 2)), ([5.0], (1, 1, 1))],
)
def test_unusual_atlases_can_be_drawn_and_saved(target, dims):
    buffer = io.BytesIO()
    figure = tw.atlas(tw.Problem.from_target(target, dims=dims)).plot()
    figure.savefig(buffer, format="svg")
    assert len(buffer.getvalue()) > 5_000
    tied = len(target) == 2 and (target[0] == target[1] or 0.0 in target)
    assert any("equal or zero" in text.get_text() for text in figure.texts) == tied
