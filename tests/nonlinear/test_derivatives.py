"""Loss, gradient and Hessian against differences and automatic differentiation."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.network import pack as packed, unpack as unpacked

SIGMOIDS = ("tanh", "arctan", "logistic", "softsign", "erf")
ALL = (*SIGMOIDS, "relu", "leaky_relu", "identity")
OUTPUTS = (None, *SIGMOIDS, "identity")


def loss_of(net, y):
    return net.loss(unpacked(y, net.dims))


@pytest.mark.parametrize("loss", ["sum", "mean"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("activation", ALL)
def test_gradient_equals_differences_of_the_loss(net, generic, activation, output, loss):
    problem = net(generic, activation, output_activation=output, loss=loss)
    w = problem.start(0.7, rng=3)
    y, slope = packed(w), packed(problem.gradient(w))
    h = 1e-5
    for k in range(0, len(y), 3):
        step = h * np.eye(len(y))[k]
        quotient = (loss_of(problem, y + step) - loss_of(problem, y - step)) / (2 * h)
        assert slope[k] == pytest.approx(quotient, rel=1e-6, abs=1e-7)


@pytest.mark.torch
@pytest.mark.parametrize("activation", ALL)
def test_gradient_equals_autograd(net, generic, activation):
    torch = pytest.importorskip("torch")
    functions = {
        "tanh": torch.tanh,
        "arctan": torch.arctan,
        "logistic": lambda z: torch.sigmoid(z) - 0.5,
        "softsign": torch.nn.functional.softsign,
        "erf": torch.erf,
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "identity": lambda z: z,
    }
    problem = net(generic, activation, output_activation="tanh")
    w = problem.start(0.6, rng=5)
    x, y = (torch.tensor(item) for item in generic)
    one, two = (torch.tensor(item, requires_grad=True) for item in w)
    out = torch.tanh(functions[activation](x @ one.T) @ two.T)
    loss = 0.5 * ((y - out) ** 2).sum()
    loss.backward()
    assert problem.loss(w) == pytest.approx(float(loss.detach()), rel=1e-14)
    for mine, theirs in zip(problem.gradient(w), (one.grad, two.grad), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(problem.predict(w), out.detach().numpy(), rtol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_slope_at_the_kink_is_that_of_pytorch(net, activation):
    torch = pytest.importorskip("torch")
    function = {"relu": torch.relu, "leaky_relu": torch.nn.functional.leaky_relu}[activation]
    problem = net((np.array([[1.0, 1.0]]), np.array([[2.0]])), activation, 1)
    w = [np.array([[1.0, -1.0]]), np.array([[3.0]])]
    one, two = (torch.tensor(item, requires_grad=True) for item in w)
    out = function(torch.ones((1, 2), dtype=torch.float64) @ one.T) @ two.T
    (0.5 * (2.0 - out) ** 2).sum().backward()
    np.testing.assert_array_equal(problem.gradient(w)[0], one.grad.numpy())
    hessian = problem.hessian(w)
    assert hessian.kinks.tolist() == [[0, 0]]
    assert "no second derivative" in hessian.message


@pytest.mark.parametrize("output", [None, "arctan", "softsign"])
@pytest.mark.parametrize("activation", ALL)
def test_hessian_equals_differences_of_the_gradient(net, generic, activation, output):
    problem = net(generic, activation, output_activation=output, loss="mean")
    w = problem.start(0.7, rng=4)
    operator = problem.hessian(w)
    dense, y = operator.to_dense(), packed(w)
    np.testing.assert_array_equal(dense, dense.T)
    h = 1e-5
    for k, step in enumerate(h * np.eye(len(y))):
        ahead, behind = (
            packed(problem.gradient(unpacked(y + s, problem.dims))) for s in (step, -step)
        )
        np.testing.assert_allclose(dense[k], (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-8)
    v = np.random.default_rng(0).normal(size=len(y))
    np.testing.assert_allclose(operator @ v, dense @ v, rtol=1e-11, atol=1e-12)
    assert operator.quadratic_form(v) == pytest.approx(v @ dense @ v, rel=1e-10)
    values = np.linalg.eigvalsh(dense)
    negative, zero, positive = operator.inertia(rtol=1e-9)
    limit = 1e-9 * np.linalg.norm(dense)
    assert negative == np.sum(values < -limit)
    assert negative + zero + positive == len(y)
    assert len(operator.kinks) == 0


def test_identity_is_the_linear_network(net, generic):
    linear = tw.Problem.from_data(*generic, widths=(4,))
    problem = net(generic, "identity")
    w = problem.start(0.5, rng=1)
    assert problem.loss(w) == pytest.approx(linear.loss(w), rel=1e-12)
    for mine, theirs in zip(problem.gradient(w), linear.gradient(w), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(
        problem.hessian(w).to_dense(), linear.hessian(w).to_dense(), rtol=1e-9, atol=1e-10
    )
