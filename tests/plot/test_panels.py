import io
import itertools
import subprocess
import sys

import numpy as np
import pytest

import thalweg as tw
from thalweg.plot import PANELS, draw

HALF_SQUARES = {7.0: "nothing learned", 2.5: "σ₁ learned", 0.5: "σ₁, σ₂ learned"}


def axes_of(run, panel, **options):
    (ax,) = draw(run, panel=panel, **options).axes
    return ax


def curves(ax):
    """Data of every curve that is not a horizontal line across the panel."""
    return [(line.get_xdata(), line.get_ydata()) for line in ax.lines if len(line.get_xdata()) > 2]


def horizontals(ax):
    return [float(line.get_ydata()[0]) for line in ax.lines if line.get_transform() != ax.transData]


def drawn(ax, values):
    return any(len(y) == len(values) and np.array_equal(y, values) for _, y in curves(ax))


def test_loss_panel_shows_the_reducible_loss(stairs):
    assert drawn(axes_of(stairs, "loss"), stairs.reducible_loss)


def test_long_runs_are_drawn_through_points_of_the_run(stairs):
    run = tw.flow(stairs.problem, stairs.start, rtol=1e-7, method="rock4")
    t, loss = max(curves(axes_of(run, "loss")), key=lambda curve: len(curve[0]))
    kept = np.searchsorted(run.t, t)
    assert 100 < len(kept) < len(run.t)
    assert np.array_equal(run.t[kept], t)
    assert np.array_equal(run.reducible_loss[kept], loss)
    assert stairs.reducible_loss[0] == pytest.approx(7.0, abs=1e-3)


def test_critical_values_are_drawn_at_their_heights_and_named(stairs):
    ax = axes_of(stairs, "loss")
    heights = horizontals(ax)
    texts = {text.get_text(): text.get_position()[1] for text in ax.texts}
    for value, words in HALF_SQUARES.items():
        assert min(abs(height - value) for height in heights) < 1e-9
        _, pixel = ax.transAxes.transform((0.0, texts[words]))
        _, height = ax.transData.inverted().transform((0.0, pixel))
        assert height == pytest.approx(value, rel=1e-6)


def test_envelope_starts_with_the_certificate_and_stays_above_the_loss(stairs):
    ax = axes_of(stairs, "loss")
    (line,) = [line for line in ax.lines if line.get_label() == "proved upper bound"]
    t, bound = line.get_xdata(), line.get_ydata()
    assert t[0] == stairs.certificate.time > 0.0
    assert t[-1] == pytest.approx(stairs.t[-1])
    for when, least in zip(t[::20], bound[::20], strict=True):
        loss = stairs.problem.reducible_loss(stairs.weights_at(float(when)))
        assert loss <= least * (1.0 + 1e-6)


def test_plateaus_are_shaded(stairs):
    shaded = [patch.get_window_extent().width for patch in axes_of(stairs, "loss").patches]
    assert len(shaded) == len(stairs.plateaus) >= 2
    assert min(shaded) > 0


def test_modes_and_singular_values_of_every_direction(stairs):
    modes, values = axes_of(stairs, "modes"), axes_of(stairs, "singular_values")
    for i, sigma in enumerate((3.0, 2.0, 1.0)):
        assert drawn(modes, stairs.modes[:, i, i])
        assert drawn(values, stairs.singular_values[:, i])
        assert any(abs(height - sigma) < 1e-12 for height in horizontals(modes))
        assert any(abs(height - sigma) < 1e-12 for height in horizontals(values))
    assert {"σ₁ = 3", "σ₂ = 2", "σ₃ = 1"} <= {text.get_text() for text in modes.texts}


def test_drift_is_drawn_and_exact_zeros_stay_visible(stairs):
    ax = axes_of(stairs, "drift")
    assert drawn(ax, np.maximum(stairs.drift, 1e-17))
    low, high = ax.get_ylim()
    assert 0 < low < 1e-17
    assert high > 1e-12
    assert 1e-12 in horizontals(ax)


def test_layer_norms_lie_below_the_bounds_drawn(stairs):
    ax = axes_of(stairs, "norms")
    for j in range(2):
        norms = [np.linalg.norm(stairs.weights_at(float(t))[j], 2) for t in stairs.t[::40]]
        curve = next(y for _, y in curves(ax) if np.array_equal(y, stairs.layer_norms[:, j]))
        np.testing.assert_allclose(curve[::40], norms, rtol=1e-9)
    bounds = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
    assert len(bounds) == 2
    assert all(line.get_xdata()[0] == 0.0 for line in bounds)
    for j, line in enumerate(bounds):
        at = np.searchsorted(line.get_xdata(), stairs.t, side="right") - 1
        assert np.all(line.get_ydata()[at] >= stairs.layer_norms[:, j])


def test_time_begins_at_zero_and_becomes_logarithmic_where_something_happens(stairs):
    ax = axes_of(stairs, "modes")
    assert ax.get_xscale() == "symlog"
    assert ax.get_xlim() == (0.0, stairs.t[-1])
    assert ax.get_xticks()[0] == 0.0
    first = ax.xaxis.get_transform().linthresh
    before = stairs.t <= first
    moved = np.abs(stairs.singular_values - stairs.singular_values[0]).max(axis=1)
    assert before.sum() >= 2
    assert moved[before].max() <= 0.01 * moved.max()
    assert "dW/dt" in ax.get_xlabel()


def test_every_panel_has_a_title_and_labels(stairs):
    figure = draw(stairs)
    assert [ax.get_label() for ax in figure.axes] == list(PANELS)
    for ax in figure.axes:
        assert ax.get_title(loc="left")
        assert ax.get_xlabel()
        assert ax.get_ylabel()


def test_labels_of_many_directions_do_not_overlap(wide_spectrum):
    figure = draw(wide_spectrum, panel="modes")
    figure.canvas.draw()
    boxes = sorted(
        (text.get_window_extent() for text in figure.axes[0].texts), key=lambda box: box.y0
    )
    assert len(boxes) >= 8
    assert all(low.y1 <= high.y0 + 2.0 for low, high in itertools.pairwise(boxes))


def test_strengths_of_very_different_size_get_a_logarithmic_axis():
    p = tw.Problem.from_target([50.0, 0.5], dims=(2, 2, 2))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=1), t_end=1.0)
    ax = axes_of(run, "singular_values")
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] < 0.5 < 50.0 < ax.get_ylim()[1]


def test_thinned_series_keep_their_ends_and_say_so(stairs):
    figure = draw(stairs, panel="loss", max_points=50)
    t = next(line.get_xdata() for line in figure.axes[0].lines if len(line.get_xdata()) == 50)
    assert (t[0], t[-1]) == (stairs.t[0], stairs.t[-1])
    assert f"50 of the run's {len(stairs.t)} points" in figure.get_supxlabel()


@pytest.mark.parametrize("fixture", ["at_rest", "one_layer", "wide_spectrum"])
@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_unusual_runs_can_be_drawn_and_saved(fixture, suffix, request):
    figure = request.getfixturevalue(fixture).plot()
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix)
    assert len(buffer.getvalue()) > 10_000


def test_a_run_at_rest_shows_its_point(at_rest):
    ax = axes_of(at_rest, "loss")
    markers = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in markers] == [[5.0]]


def test_a_run_of_no_length_shows_its_point(at_rest):
    start = [np.eye(2, 3), np.eye(2)]
    run = tw.flow(at_rest.problem, start, t_end=0.0)
    for panel in PANELS:
        ax = axes_of(run, panel)
        assert any(line.get_marker() == "o" for line in ax.lines), panel


def test_large_numbers_need_no_offset_text(at_rest):
    run = tw.flow(at_rest.problem, [1e3 * np.eye(2, 3), 1e3 * np.eye(2)], t_end=1e-6)
    figure = draw(run, panel="modes")
    figure.canvas.draw()
    ax = figure.axes[0]
    assert ax.yaxis.get_offset_text().get_text() == ""
    assert "10⁶" in {label.get_text() for label in ax.get_yticklabels()}


@pytest.mark.parametrize(
    ("options", "needed"),
    [({"panel": "los"}, "panel must be all or one of loss"), ({"max_points": 1}, "at least 2")],
)
def test_wrong_options_are_refused(stairs, options, needed):
    with pytest.raises(tw.DataError, match=needed):
        draw(stairs, **options)


def test_other_results_have_no_picture(stairs):
    with pytest.raises(tw.DataError, match="no picture of a Limit"):
        stairs.limit.plot()


def test_pyplot_is_never_imported():
    code = "import sys, thalweg.plot; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
