"""Pictures of descents show the series that the result holds."""

import numpy as np
import pytest

import thalweg as tw


@pytest.fixture(scope="module")
def p():
    return tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))


def descent(p, method="gd", **options):
    w = tw.init.gaussian(p, scale=0.3, rng=0)
    return tw.descend(p, w, method=method, steps=200, **options)


def panels(figure):
    return {ax.get_label(): ax for ax in figure.axes}


def labelled(ax):
    return {line.get_label(): line for line in ax.lines}


def test_loss_stands_next_to_the_flow_at_equal_time(p):
    d = descent(p)
    ax = panels(d.plot())["loss"]
    lines = labelled(ax)
    np.testing.assert_allclose(lines["gd"].get_ydata(), d.loss - p.irreducible_loss)
    run = d.flow()
    step = lines["gradient flow at equal time"].get_xdata()
    np.testing.assert_allclose(step * d.settings.lr, run.t)


def test_drift_and_prediction_are_both_drawn(p):
    d = descent(p, "momentum", lr=1e-3)
    lines = labelled(panels(d.plot(panel="drift"))["drift"])
    np.testing.assert_allclose(lines["measured"].get_ydata()[1:], d.drift[1:])
    predicted = lines["predicted from the steps alone"].get_ydata()
    np.testing.assert_allclose(predicted[1:], d.predicted_drift[1:])


def test_adam_has_no_flow_and_no_prediction(p):
    axes = panels(descent(p, "adam").plot())
    assert set(axes) == {"loss", "drift"}
    assert "gradient flow at equal time" not in labelled(axes["loss"])
    assert set(labelled(axes["drift"])) == {"measured"}
    alone = panels(descent(p, "adam").plot(panel="identity"))["identity"]
    assert "nothing is predicted" in alone.texts[0].get_text()


def test_odd_descents_are_drawn(p):
    one = tw.Problem.from_target([1.0], dims=(1, 1))
    tw.descend(one, [np.ones((1, 1))], steps=3).plot()
    descent(p, every=50).plot()
    broken = tw.descend(p, tw.init.gaussian(p, scale=1.0), lr=1e3, steps=5)
    assert broken.status == "diverged"
    broken.plot()
    with pytest.raises(tw.DataError, match="panel must be"):
        descent(p).plot(panel="norms")


def test_drift_against_step_draws_line_and_points(p):
    w = tw.init.gaussian(p, scale=0.3, rng=0)
    c = tw.optimizers.drift_against_step(p, w, [0.02, 0.01, 0.005], 1.0)
    axes = panels(c.plot())
    lines = labelled(axes["drift"])
    np.testing.assert_allclose(lines["slope predicted by the flow"].get_ydata(), c.slope * c.lr)
    np.testing.assert_allclose(lines["measured"].get_ydata(), c.drift)
    np.testing.assert_allclose(labelled(axes["distance"])["gd"].get_ydata(), c.distance)
