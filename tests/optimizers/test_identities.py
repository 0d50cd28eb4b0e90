"""What a step must do to the conserved matrices, exactly (Spec 8.1, 8.2)."""

import dataclasses
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

import thalweg as tw


def table(rng, widths, loss="mean", **options):
    X, Y = rng.normal(size=(10, 4)), rng.normal(size=(10, 3))
    return tw.Problem.from_data(X, Y, widths, loss=loss, **options)


ROUNDING = 1e-14

CASES = {
    "gd": {"method": "gd"},
    "sgd": {"method": "sgd", "batch_size": 3},
    "gd, decay in the loss": {"method": "gd", "weight_decay": 0.3},
    "gd, decoupled decay": {"method": "gd", "weight_decay": 0.3, "decay": "decoupled"},
    "heavy ball": {"method": "momentum"},
    "heavy ball on batches": {"method": "momentum", "batch_size": 4, "momentum": 0.5},
    "heavy ball, decay in the loss": {"method": "momentum", "weight_decay": 0.3},
    "heavy ball, decoupled": {"method": "momentum", "weight_decay": 0.3, "decay": "decoupled"},
    "nesterov": {"method": "nesterov"},
    "nesterov, decay in the loss": {"method": "nesterov", "weight_decay": 0.3},
    "nesterov, decoupled": {"method": "nesterov", "weight_decay": 0.3, "decay": "decoupled"},
}


def conserved(weights):
    return [b.T @ b - a @ a.T for a, b in itertools.pairwise(weights)]


def defect(before, after, expected):
    """Largest spectral norm of the rest, relative to the scale of Spec 2.2 at the start."""
    sizes = [np.linalg.norm(item, 2) ** 2 for item in before]
    return max(
        np.linalg.norm(two - one - rest, 2) / max(np.linalg.norm(one, 2), sizes[j], sizes[j + 1])
        for j, (one, two, rest) in enumerate(
            zip(conserved(before), conserved(after), expected, strict=True)
        )
    )


@pytest.mark.parametrize("widths", [(5,), (5, 2), (3, 4, 5)])
@pytest.mark.parametrize("case", CASES)
def test_every_step_does_what_it_must(case, widths):
    rng = np.random.default_rng(len(case))
    for loss in ("sum", "mean"):
        p = table(rng, widths, loss)
        w = tw.init.gaussian(p, scale=0.5, rng=rng)
        lr = 0.02 if loss == "mean" else 0.002
        d = tw.descend(p, w, lr=lr, steps=150, rng=1, **CASES[case])
        assert d.status == "done"
        assert d.residual.shape == d.drift.shape == d.predicted_drift.shape == (151,)
        assert d.residual.max() <= ROUNDING
        assert d.drift[-1] > 1e-3
        np.testing.assert_allclose(d.predicted_drift, d.drift, rtol=1e-9, atol=1e-12)
        for one, two in zip(d.predicted_invariants, conserved(d.weights), strict=True):
            np.testing.assert_allclose(one, two, atol=1e-12)


def test_gradient_step_changes_the_matrices_by_the_squares_of_the_gradients():
    """Measured from weights before and after, by the definition; none of the stage's formulas."""
    rng = np.random.default_rng(0)
    for widths in ((5,), (5, 2), (3, 4, 5)):
        p = table(rng, widths)
        w = tw.init.gaussian(p, scale=0.6, rng=rng)
        eta = 0.1
        squares = [eta**2 * item for item in conserved(p.gradient(w))]
        d = tw.descend(p, w, lr=eta, steps=1)
        assert defect(w, d.weights, squares) <= ROUNDING
        assert defect(w, d.weights, [-item for item in squares]) > 1e-4
        assert defect(w, d.weights, [0.0 * item for item in squares]) > 1e-4


def test_weight_decay_shrinks_the_matrices_and_adds_the_squares():
    rng = np.random.default_rng(1)
    p = table(rng, (4, 3))
    w = tw.init.gaussian(p, scale=0.6, rng=rng)
    eta, decay = 0.1, 0.7
    expected = [
        ((1 - eta * decay) ** 2 - 1) * now + eta**2 * item
        for now, item in zip(conserved(w), conserved(p.gradient(w)), strict=True)
    ]
    ends = [
        tw.descend(p, w, lr=eta, steps=1, weight_decay=decay, decay=how).weights
        for how in ("loss", "decoupled")
    ]
    assert defect(w, ends[0], expected) <= ROUNDING
    assert defect(w, ends[1], expected) <= ROUNDING
    # The flow's factor, to first order only.
    flow = [(np.exp(-2 * eta * decay) - 1) * now for now in conserved(w)]
    assert defect(w, ends[0], flow) > 1e-4


@pytest.mark.parametrize("method", ["momentum", "nesterov", "adam", "adamw"])
def test_other_methods_break_the_identity_of_gradient_descent(method):
    rng = np.random.default_rng(2)
    p = table(rng, (4, 3))
    w = tw.init.gaussian(p, scale=0.6, rng=rng)
    eta = 0.05
    # The second step: the first one of heavy ball is a gradient step.
    start = tw.descend(p, w, method=method, lr=eta, steps=1).weights
    end = tw.descend(p, w, method=method, lr=eta, steps=2).weights
    squares = [eta**2 * item for item in conserved(p.gradient(start))]
    assert defect(start, end, squares) > 1e-4


def test_adam_is_measured_only_and_says_so():
    p = table(np.random.default_rng(3), (4,))
    d = tw.descend(p, tw.init.gaussian(p, scale=0.3), method="adam", steps=50)
    assert np.all(np.isnan(d.predicted_drift))
    assert np.all(np.isnan(d.residual))
    assert d.predicted_invariants is None
    assert "measured only" in d.message
    assert d.drift[-1] > 0.01


@dataclasses.dataclass
class Shallow:
    X: np.ndarray
    Y: np.ndarray
    value: object
    slope: object
    activation: object

    def loss(self, w):
        return 0.5 * float(np.sum((w[1] @ self.value(w[0] @ self.X) - self.Y) ** 2))

    def gradient(self, w):
        z = w[0] @ self.X
        error = w[1] @ self.value(z) - self.Y
        return [(w[1].T @ error * self.slope(z)) @ self.X.T, error @ self.value(z).T]

    def invariants(self, w):
        return np.sum(w[1] ** 2, axis=0) - np.sum(w[0] ** 2, axis=1)


@pytest.mark.parametrize("method", ["gd", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("leak", [0.0, 0.1])
def test_diagonal_law_of_relu_networks(method, leak):
    rng = np.random.default_rng(4)
    net = Shallow(
        rng.normal(size=(3, 8)),
        rng.normal(size=(2, 8)),
        lambda z: np.where(z > 0, z, leak * z),
        lambda z: np.where(z > 0, 1.0, leak),
        SimpleNamespace(homogeneous=True),
    )
    w = [rng.normal(size=(5, 3)), rng.normal(size=(2, 5))]
    d = tw.descend(net, w, method=method, lr=2e-3, steps=200)
    start = net.invariants(w)
    scale = max(np.abs(start).max(), (w[0] ** 2).sum(1).max(), (w[1] ** 2).sum(0).max())
    moved = np.abs(net.invariants(d.weights) - start).max() / scale
    assert d.drift[-1] == pytest.approx(moved, rel=1e-9)
    assert moved > 1e-3
    assert d.limit is None
    if method != "adam":
        assert d.residual.max() <= ROUNDING
        assert d.predicted_drift[-1] == pytest.approx(moved, rel=1e-9)


def test_activations_without_the_law_are_measured_only():
    rng = np.random.default_rng(5)
    net = Shallow(
        rng.normal(size=(3, 8)),
        rng.normal(size=(2, 8)),
        np.tanh,
        lambda z: 1 - np.tanh(z) ** 2,
        SimpleNamespace(homogeneous=False),
    )
    w = [rng.normal(size=(5, 3)), rng.normal(size=(2, 5))]
    d = tw.descend(net, w, lr=2e-3, steps=200)
    assert "measured only" in d.message
    assert not d.predicted
    # Negative control: taken for homogeneous, the identity fails.
    net.activation.homogeneous = True
    assert tw.descend(net, w, lr=2e-3, steps=200).residual.max() > 1e-5
