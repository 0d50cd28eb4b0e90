"""Derivatives against PyTorch's automatic differentiation, raw and whitened, any depth."""

import numpy as np
import pytest

import thalweg as tw

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytestmark = pytest.mark.torch


@pytest.mark.parametrize("widths", [(3,), (2, 4), (3, 1, 2), (2, 2, 2, 3)])
@pytest.mark.parametrize("metric", ["raw", "whitened"])
@pytest.mark.parametrize("loss", ["sum", "mean"])
def test_gradient_and_hessian_are_those_of_autograd(widths, metric, loss):
    rng = np.random.default_rng(len(widths))
    X, Y = rng.normal(size=(9, 3)) * [3.0, 1.0, 0.2], rng.normal(size=(9, 2))
    p = tw.Problem.from_data(X, Y, widths=widths, metric=metric, loss=loss)
    w = tw.init.gaussian(p, scale=0.6, rng=0)
    ends = np.cumsum([0, *(item.size for item in w)])

    def value(flat):
        product = torch.tensor(X.T)
        for item, a, b in zip(w, ends[:-1], ends[1:], strict=True):
            product = flat[a:b].reshape(item.shape) @ product
        return 0.5 * ((torch.tensor(Y.T) - product) ** 2).sum() / (9 if loss == "mean" else 1)

    flat = torch.tensor(np.concatenate([item.ravel() for item in w]), requires_grad=True)
    slope = torch.autograd.grad(value(flat), flat)[0].numpy()
    hessian = torch.autograd.functional.hessian(value, flat.detach()).numpy()
    assert p.loss(w) == pytest.approx(float(value(flat.detach())), rel=1e-12)
    own = np.concatenate([item.ravel() for item in p.gradient(w)])
    assert own == pytest.approx(slope, abs=1e-10 * np.abs(slope).max())
    H = p.hessian(w)
    assert H.to_dense() == pytest.approx(hessian, abs=1e-10 * np.abs(hessian).max())
    v = rng.normal(size=len(own))
    assert H @ v == pytest.approx(hessian @ v, abs=1e-9 * np.abs(hessian).max())
