import dataclasses

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval

import thalweg as tw
from thalweg.plot import verdict_panels


@pytest.fixture(scope="module")
def problem():
    return tw.Problem.from_target([3.0, 2.0, 1.0], dims=(4, 4, 4, 3))


@pytest.fixture(scope="module")
def strict(problem):
    w = tw.critical_point(problem, (1,), rng=1)
    return w, tw.classify(problem, w)


@pytest.fixture(scope="module")
def flat(problem):
    w = tw.critical_point(problem, (0,), "non_strict_saddle", rng=1)
    return w, tw.classify(problem, w)


def panels(verdict):
    return {ax.get_label(): ax for ax in verdict.plot().axes}


def curve(ax, label):
    (line,) = [line for line in ax.lines if line.get_label().startswith(label)]
    return line.get_xdata(), line.get_ydata()


def losses(p, w, direction, steps):
    return [
        p.loss([a + t * d for a, d in zip(w, direction, strict=True)]) - p.loss(w) for t in steps
    ]


def test_the_loss_along_the_witness_is_the_loss(problem, strict):
    w, verdict = strict
    ax = panels(verdict)["line"]
    norm = np.sqrt(sum(np.sum(item**2) for item in verdict.witness))
    t, drawn = curve(ax, "exact, degree")
    assert t[0] < 0.0 < t[-1]
    unit = [item / norm for item in verdict.witness]
    np.testing.assert_allclose(
        drawn[::40], losses(problem, w, unit, t[::40]), atol=1e-9 * np.abs(drawn).max()
    )
    t, parabola = curve(ax, "leading term")
    hessian = problem.hessian(w)
    form = hessian.quadratic_form(np.concatenate([item.ravel() for item in unit]))
    np.testing.assert_allclose(parabola, 0.5 * form * t**2, rtol=1e-9, atol=1e-12)
    low, high = ax.get_ylim()
    assert low < drawn.min() < 0.0 < high


def test_the_curve_of_descent_and_its_order(problem, flat):
    w, verdict = flat
    axes = panels(verdict)
    assert list(axes) == ["line", "drop", "spectrum"]
    t, drawn = curve(axes["line"], "exact, degree")
    exact = losses(problem, w, verdict.descent_curve.direction, t[::40])
    np.testing.assert_allclose(drawn[::40], exact, atol=1e-9 * np.abs(drawn).max())
    drop = axes["drop"]
    assert (drop.get_xscale(), drop.get_yscale()) == ("log", "log")
    t, fall = curve(drop, "exact")
    np.testing.assert_allclose(fall, -polyval(t, verdict.descent_curve.polynomial), rtol=1e-9)
    slope = np.polyfit(np.log(t[:100]), np.log(fall[:100]), 1)[0]
    assert slope == pytest.approx(verdict.descent_curve.order, abs=0.05)
    assert "t³" in drop.get_title(loc="left")


def test_every_eigenvalue_is_a_stem_of_its_sign(problem, strict):
    w, verdict = strict
    ax = panels(verdict)["spectrum"]
    dense = np.linalg.eigvalsh(problem.hessian(w).to_dense())
    markers = [line for line in ax.lines if line.get_linestyle() == "None"]
    drawn = np.concatenate([line.get_ydata() for line in markers])
    np.testing.assert_allclose(np.sort(drawn), dense, atol=1e-9 * np.abs(dense).max())
    words = [line.get_label() for line in markers]
    assert words == [
        f"{count} {name}"
        for count, name in zip(verdict.inertia, ("down", "flat", "up"), strict=True)
    ]
    assert len({line.get_marker() for line in markers}) == 3
    assert len({line.get_color() for line in markers}) == 3
    assert str(verdict.inertia) in ax.get_xlabel()


def test_a_minimum_shows_its_spectrum_and_only_counts_where_only_they_are_known(problem):
    verdict = tw.classify(problem, tw.critical_point(problem, (0, 1, 2), rng=2))
    assert list(panels(verdict)) == ["spectrum"]
    counted = dataclasses.replace(verdict, eigenvalues=None)
    ax = panels(counted)["inertia"]
    assert [bar.get_width() for bar in ax.patches] == list(verdict.inertia)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["down", "flat", "up"]


def test_spectra_of_very_different_size_get_a_logarithmic_axis(problem):
    verdict = tw.classify(problem, tw.critical_point(problem, (0, 1, 2), rng=2))
    wide = dataclasses.replace(
        verdict, eigenvalues=np.array([-1e3, 0.0, 1e-3, 5.0]), inertia=(1, 1, 2)
    )
    assert panels(wide)["spectrum"].get_yscale() == "symlog"
    assert panels(dataclasses.replace(wide, inertia=None))["spectrum"].get_yscale() == "symlog"


def test_a_spectrum_of_zeros_can_be_drawn(problem):
    verdict = tw.classify(problem, [np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((3, 4))])
    assert verdict.inertia == (0, 44, 0)
    low, high = panels(verdict)["spectrum"].get_ylim()
    assert low < 0.0 < high


def test_panels_have_titles_and_labels_and_the_figure_says_what_it_is_of(flat):
    figure = flat[1].plot()
    for ax in figure.axes:
        assert ax.get_title(loc="left")
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    assert "non-strict saddle, σ₁ learned" in figure.get_supxlabel()


def test_without_witness_and_spectrum_there_is_one_line_and_no_picture(problem):
    verdict = tw.classify(problem, [np.ones((4, 4)), np.ones((4, 4)), np.ones((3, 4))])
    assert verdict_panels(verdict) == []
    with pytest.raises(tw.DataError, match=r"not critical.*no witness and no Hessian") as caught:
        verdict.plot()
    assert "\n" not in str(caught.value)
