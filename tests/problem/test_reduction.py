"""Reduction of data: what must stay, whatever the shape of the table."""

import numpy as np
import pytest

import thalweg as tw

CASES = {
    "tall": (60, 4, 3),
    "fewer samples than features": (3, 6, 2),
    "one sample": (1, 3, 2),
    "one target": (20, 5, 1),
}


def table(name, seed=0, *, deficient=False):
    m, d_x, d_y = CASES[name]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(m, d_x)) * np.geomspace(1.0, 10.0, d_x)
    if deficient:
        X[:, -1] = 2.0 * X[:, 0]
    return X, rng.normal(size=(m, d_y)) + X[:, :1]


def plain_loss(X, Y, weights):
    product = X.T
    for weight in weights:
        product = weight @ product
    return 0.5 * np.sum((Y.T - product) ** 2)


def plain_gradient(X, Y, weights):
    """Backpropagation on the table itself."""
    signals = [X.T]
    for weight in weights:
        signals.append(weight @ signals[-1])
    error = signals[-1] - Y.T
    out = []
    for weight, signal in zip(reversed(weights), reversed(signals[:-1]), strict=True):
        out.append(error @ signal.T)
        error = weight.T @ error
    return out[::-1]


@pytest.mark.parametrize("deficient", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradient_are_those_of_the_table(name, deficient):
    X, Y = table(name, deficient=deficient)
    p = tw.Problem.from_data(X, Y, widths=(4, 3))
    w = tw.init.gaussian(p, scale=0.7, rng=1)
    assert p.loss(w) == pytest.approx(plain_loss(X, Y, w), rel=1e-12)
    for ours, plain in zip(p.gradient(w), plain_gradient(X, Y, w), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-9, atol=1e-9 * np.abs(plain).max())


@pytest.mark.parametrize("name", CASES)
def test_irreducible_loss_is_that_of_least_squares(name):
    X, Y = table(name)
    p = tw.Problem.from_data(X, Y, widths=(5,))
    fit = X @ np.linalg.lstsq(X, Y, rcond=None)[0]
    best = 0.5 * np.sum((Y - fit) ** 2)
    assert p.irreducible_loss == pytest.approx(best, rel=1e-10, abs=1e-12 * np.sum(Y**2))
    np.testing.assert_allclose(
        p.singular_values,
        np.pad(np.linalg.svd(fit, compute_uv=False), (0, 9))[: len(p.singular_values)],
        atol=1e-10 * np.linalg.norm(Y),
    )


@pytest.mark.parametrize("metric", ["raw", "whitened"])
@pytest.mark.parametrize("name", CASES)
def test_lift_undoes_reduce(name, metric):
    X, Y = table(name, deficient=True)
    p = tw.Problem.from_data(X, Y, widths=(4,), metric=metric)
    w = tw.init.gaussian(p, scale=1.0, rng=2)
    back = p.lift(p.reduce(w), like=w)
    for one, two in zip(w, back, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-10 * np.abs(one).max())


def test_raw_reduction_keeps_lengths_and_whitening_does_not():
    X, Y = table("tall")
    raw = tw.Problem.from_data(X, Y, widths=(4,))
    white = tw.Problem.from_data(X, Y, widths=(4,), metric="whitened")
    w = tw.init.gaussian(raw, scale=1.0, rng=3)
    size = np.linalg.norm(w[0])
    assert np.linalg.norm(raw.reduce(w)[0]) == pytest.approx(size, rel=1e-12)
    assert abs(np.linalg.norm(white.reduce(w)[0]) / size - 1.0) > 0.5


def test_mean_loss_divides_by_the_number_of_samples():
    X, Y = table("tall")
    total = tw.Problem.from_data(X, Y, widths=(4,))
    mean = tw.Problem.from_data(X, Y, widths=(4,), loss="mean")
    w = tw.init.gaussian(total, scale=0.5, rng=4)
    assert mean.loss(w) == pytest.approx(total.loss(w) / 60, rel=1e-13)
    np.testing.assert_allclose(mean.gradient(w)[0], total.gradient(w)[0] / 60, rtol=1e-12)
    np.testing.assert_allclose(mean.singular_values, total.singular_values)


def test_columns_are_the_transpose_of_rows():
    X, Y = table("tall")
    one = tw.Problem.from_data(X, Y, widths=(4,))
    two = tw.Problem.from_data(X.T, Y.T, widths=(4,), samples="columns")
    w = tw.init.gaussian(one, rng=0)
    assert one.loss(w) == two.loss(w)


def test_target_matrix_with_data_equals_the_data_problem():
    X, Y = table("tall")
    B = np.linalg.lstsq(X, Y, rcond=None)[0]
    one = tw.Problem.from_data(X, X @ B, widths=(4,))
    # T = Y^T V in the basis of X; here X^T stands for D and (X B)^T for T.
    two = tw.Problem.from_target((X @ B).T, dims=(4, 4, 3), D=X.T)
    w = tw.init.gaussian(one, rng=0)
    assert one.reducible_loss(w) == pytest.approx(two.reducible_loss(w), rel=1e-10)


def test_default_width_is_between_targets_and_thirty_two():
    rng = np.random.default_rng(0)
    assert tw.Problem.from_data(rng.normal(size=(9, 3)), rng.normal(size=(9, 5))).dims == (3, 5, 5)
    wide = tw.Problem.from_data(rng.normal(size=(9, 50)), rng.normal(size=(9, 2)))
    assert wide.dims == (50, 32, 2)


@pytest.mark.torch
def test_torch_model_is_read_and_its_clock_matches_training():
    torch = pytest.importorskip("torch")
    X, Y = table("tall")
    layers = [torch.nn.Linear(4, 5, bias=False), torch.nn.Linear(5, 3, bias=False)]
    model = torch.nn.Sequential(*layers).double()
    p = tw.Problem.from_torch(model, X, Y)
    w = [layer.weight.detach().numpy().copy() for layer in layers]
    inputs, outputs = torch.from_numpy(X), torch.from_numpy(Y)
    lr = 1e-6
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    torch.nn.functional.mse_loss(model(inputs), outputs).backward()
    optimizer.step()
    time = p.flow_time(lr, 1, loss="torch.mse")
    for layer, before, slope in zip(layers, w, p.gradient(w), strict=True):
        moved = layer.weight.detach().numpy() - before
        np.testing.assert_allclose(moved, -time * slope, rtol=1e-6, atol=1e-14)
