"""Descent on the networks of `thalweg.nonlinear` (Spec 6.3, 8.1)."""

import numpy as np
import pytest

import thalweg as tw

ROUNDING = 1e-14


def shallow(activation, **options):
    rng = np.random.default_rng(11)
    X, Y = rng.normal(size=(24, 3)) + 0.4, rng.normal(size=(24, 2))
    net = tw.nonlinear.ShallowProblem(X, Y, hidden=5, activation=activation, **options)
    return net, [rng.normal(size=(5, 3)), rng.normal(size=(2, 5))]


@pytest.mark.parametrize("method", ["gd", "sgd", "momentum"])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_drift_of_shallow_problems_is_predicted(activation, method):
    net, w = shallow(activation)
    d = tw.descend(net, w, method=method, lr=2e-4, steps=150, weight_decay=0.05)
    moved = net.invariants(d.weights) - net.invariants(w)
    scale = max(np.abs(net.invariants(w)).max(), (w[0] ** 2).sum(1).max(), (w[1] ** 2).sum(0).max())
    assert d.predicted
    assert d.residual.max() <= ROUNDING
    assert np.abs(moved).max() > 1e-4  # there is something to predict
    assert d.drift[-1] == pytest.approx(np.abs(moved).max() / scale, rel=1e-9)
    assert d.predicted_drift[-1] == pytest.approx(d.drift[-1], rel=1e-9)


@pytest.mark.parametrize("method", ["gd", "sgd"])
def test_drift_of_smooth_activations_is_measured_only(method):
    net, w = shallow("tanh")
    d = tw.descend(net, w, method=method, lr=2e-4, steps=50)
    assert not d.predicted
    assert "measured only" in d.message
    assert d.drift[-1] > 1e-4
    assert not np.any(np.isfinite(d.predicted_drift))


def test_the_identity_of_relu_networks_fails_for_tanh():
    """Negative control: one step along tanh's gradient moves the diagonal at first order."""
    moved = {}
    for activation in ("relu", "tanh"):
        net, w = shallow(activation)
        for lr in (1e-4, 1e-5):
            end = tw.descend(net, w, lr=lr, steps=1).weights
            form = [(v[1] ** 2).sum(0) - (v[0] ** 2).sum(1) for v in (w, end)]
            moved[activation, lr] = np.abs(form[1] - form[0]).max()
    assert moved["relu", 1e-4] == pytest.approx(100 * moved["relu", 1e-5], rel=1e-2)
    assert moved["tanh", 1e-4] == pytest.approx(10 * moved["tanh", 1e-5], rel=1e-1)


@pytest.mark.parametrize("loss", ["sum", "mean"])
@pytest.mark.parametrize("output", [None, "tanh"])
def test_minibatch_gradients_of_shallow_problems_average_to_the_whole(loss, output):
    net, w = shallow("relu", loss=loss, output_activation=output)
    parts = [net.minibatch_gradient(w, np.arange(k, 24, 4)) for k in range(4)]
    for j, whole in enumerate(net.gradient(w)):
        np.testing.assert_allclose(sum(part[j] for part in parts) / 4, whole, atol=1e-12)
