"""The picture of a certificate shows what it says."""

import numpy as np
import pytest

import thalweg as tw


def panels(figure):
    return {ax.get_label(): ax for ax in figure.axes}


def texts(ax):
    return " ".join(item.get_text() for item in ax.texts)


@pytest.fixture
def rated():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 3, 2))
    return tw.certify(p, tw.init.exponential(p, rate=0.5))


def test_the_line_is_the_envelope(rated):
    axes = panels(rated.plot())
    assert set(axes) == {"envelope", "layers", "conditions"}
    (line,) = axes["envelope"].lines
    t, bound = line.get_data()
    np.testing.assert_allclose(bound, rated.reducible_loss * np.exp(-2 * rated.rate * t))
    assert axes["envelope"].get_yscale() == "log"


def test_bars_are_the_bounds_of_the_layers(rated):
    bars = panels(rated.plot())["layers"].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], rated.norm_bounds)


def test_every_condition_is_listed_with_what_it_misses(rated):
    ax = panels(rated.plot())["conditions"]
    for item in rated.hypotheses:
        assert item.name in texts(ax)
    assert texts(ax).count("✗") == len(rated.failing) == 2
    assert texts(ax).count("misses by") == 2


def test_no_rate_is_a_flat_line():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 3, 2))
    axes = panels(tw.certify(p, tw.init.gaussian(p, scale=1e-3)).plot())
    assert "no rate is proved" in texts(axes["envelope"])
    assert len(set(axes["envelope"].lines[0].get_ydata())) == 1


def test_zero_loss_and_zero_weights_are_drawn():
    p = tw.Problem.from_target(np.zeros((2, 2)), dims=(2, 2, 2))
    tw.certify(p, [np.zeros((2, 2))] * 2).plot()
    q = tw.Problem.from_target([1.0], dims=(1, 1, 1))
    tw.certify(q, [np.ones((1, 1))] * 2).plot()


def test_a_bottleneck_shows_the_level_it_tends_to():
    p = tw.Problem.from_target([2.0, 1.0], dims=(2, 1, 2))
    w = [np.array([[1.2, 0.0]]), np.array([[1.2], [0.0]])]
    c = tw.certify(p, w)
    assert c.rate > 0.0
    assert "global minimum" in texts(panels(c.plot())["envelope"])


def test_the_loss_panel_draws_the_start_envelope_too():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.05, rng=0))
    assert 0.0 < run.start_certificate.rate < 0.1 * run.certificate.rate
    ax = panels(run.plot(panel="loss"))["loss"]
    dashed = [
        line for line in ax.lines if line.get_color() == "#d55e00" and len(line.get_xdata()) > 2
    ]
    assert len(dashed) == 2
