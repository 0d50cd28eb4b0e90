"""The flow against closed forms (Spec 9.1-9.3)."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import thalweg as tw


def strength(s, p0, t):
    """Two layers, balanced mode of size p0: the logistic curve of Saxe, McClelland and Ganguli."""
    return s * p0 / (p0 + (s - p0) * np.exp(-2.0 * s * t))


def test_balanced_aligned_start_follows_the_logistic_curves():
    sigma, sizes = np.array([3.0, 2.0, 0.7]), np.array([1e-3, 1e-2, 0.3])
    rng = np.random.default_rng(0)
    U, V, Q = (np.linalg.qr(rng.normal(size=(n, 3)))[0] for n in (3, 5, 4))
    p = tw.Problem.from_target(U * sigma @ V.T, dims=(5, 4, 3))
    w = [Q * np.sqrt(sizes) @ V.T, U * np.sqrt(sizes) @ Q.T]
    run = tw.flow(p, w, t_end=6.0, rtol=1e-11)
    for t in (0.0, 0.31, 1.0, 2.7, 6.0):
        w_1, w_2 = run.weights_at(t)
        np.testing.assert_allclose(
            np.diag(U.T @ w_2 @ w_1 @ V), strength(sigma, sizes, t), rtol=0, atol=1e-9
        )


def riccati(T, Q0, t):
    """Solve ``Q' = FQ + QF - Q^2`` for ``Q = Z Z^T``, ``Z = (W_1^T, W_2)`` of a balanced start.

    With ``F`` the symmetric matrix of ``T`` and its transpose, the solution is
    ``e^{Ft} Q0^{1/2} (I + Q0^{1/2} G Q0^{1/2})^{-1} Q0^{1/2} e^{Ft}`` with
    ``G = (e^{2Ft} - 1) / 2F`` (Fukumizu; Braun et al.), up to the factor two of the normalization.
    """
    d_y, d_x = T.shape
    F = np.zeros((d_x + d_y, d_x + d_y))
    F[:d_x, d_x:], F[d_x:, :d_x] = T.T, T
    values, vectors = np.linalg.eigh(F)
    grow = vectors * np.exp(values * t) @ vectors.T
    small = np.abs(values) < 1e-12
    safe = np.where(small, 1.0, values)
    inside = np.where(small, t, (np.exp(2 * values * t) - 1.0) / (2 * safe))
    G = vectors * inside @ vectors.T
    w, v = np.linalg.eigh(Q0)
    half = v * np.sqrt(np.maximum(w, 0.0))
    middle = np.linalg.inv(np.eye(len(w)) + half.T @ G @ half)
    return grow @ half @ middle @ half.T @ grow


@pytest.mark.parametrize("dims", [(4, 5, 3), (3, 6, 4), (3, 3, 3)])
def test_balanced_start_follows_the_riccati_solution(dims):
    rng = np.random.default_rng(1)
    T = rng.normal(size=(dims[2], dims[0]))
    p = tw.Problem.from_target(T, dims=dims)
    w = tw.init.balanced(p, scale=0.4, rng=2)
    stack = np.concatenate([w[0].T, w[1]])
    run = tw.flow(p, w, t_end=2.0, rtol=1e-11)
    for t in (0.2, 0.9, 2.0):
        Q = riccati(T, stack @ stack.T, t)
        w_1, w_2 = run.weights_at(t)
        np.testing.assert_allclose(w_2 @ w_1, Q[dims[0] :, : dims[0]], rtol=0, atol=1e-9)


def test_unbalanced_start_does_not_follow_it():
    rng = np.random.default_rng(1)
    T = rng.normal(size=(3, 4))
    p = tw.Problem.from_target(T, dims=(4, 5, 3))
    w = tw.init.gaussian(p, scale=0.4, rng=2)
    stack = np.concatenate([w[0].T, w[1]])
    w_1, w_2 = tw.flow(p, w, t_end=0.9, rtol=1e-10).final
    gap = w_2 @ w_1 - riccati(T, stack @ stack.T, 0.9)[4:, :4]
    assert np.abs(gap).max() > 1e-3


def escape_time(depth, sigma, start, end):
    """Quadrature of ``dt = da / (a^{L-1} (sigma - a^L))`` for equal layers of size a."""
    with mpmath.workdps(30):
        return float(
            mpmath.quad(
                lambda a: 1 / (a ** (depth - 1) * (sigma - a**depth)),
                mpmath.linspace(start, end, 20),
            )
        )


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
@pytest.mark.parametrize("size", [0.3, 0.05])
def test_scalar_chains_escape_when_quadrature_says(depth, size):
    p = tw.Problem.from_target([2.0], dims=(1,) * (depth + 1))
    w = [np.array([[size]])] * depth
    half = 1.0 ** (1 / depth)
    expected = escape_time(depth, 2.0, size, half)
    run = tw.flow(p, w, t_end=1.5 * expected, rtol=1e-9)
    low, high = 0.0, run.t[-1]
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = np.prod([item[0, 0] for item in run.weights_at(middle)]) < 1.0
        low, high = (middle, high) if below else (low, middle)
    assert low == pytest.approx(expected, rel=1e-6)


def table_flow(X, Y, w, t_end):
    """Gradient flow on the table itself, by another library."""
    shapes = [item.shape for item in w]
    cuts = np.cumsum([item.size for item in w])[:-1]

    def slope(_, y):
        layers = [part.reshape(s) for part, s in zip(np.split(y, cuts), shapes, strict=True)]
        signals = [X.T]
        for layer in layers:
            signals.append(layer @ signals[-1])
        error, out = Y.T - signals[-1], []
        for layer, signal in zip(layers[::-1], signals[-2::-1], strict=True):
            out.append((error @ signal.T).ravel())
            error = layer.T @ error
        return np.concatenate(out[::-1])

    start = np.concatenate([item.ravel() for item in w])
    y = solve_ivp(slope, (0, t_end), start, method="DOP853", rtol=3e-13, atol=1e-15).y[:, -1]
    return [part.reshape(s) for part, s in zip(np.split(y, cuts), shapes, strict=True)]


def tables():
    rng = np.random.default_rng(7)
    Q, _ = np.linalg.qr(rng.normal(size=(300, 4)))
    V, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    yield "condition 1e4", Q * np.array([2.0, 0.5, 1e-2, 2e-4]) @ V
    yield "rank two of four", Q[:, :2] * np.array([2.0, 0.5]) @ V[:2]
    yield "fewer samples than features", rng.normal(size=(3, 5))
    yield "many samples", rng.normal(size=(4000, 3)) / 40


TABLES = dict(tables())


@pytest.mark.parametrize("name", TABLES)
def test_reduction_reproduces_the_flow_on_the_table(name):
    X = TABLES[name]
    rng = np.random.default_rng(8)
    Y = X @ rng.normal(size=(X.shape[1], 2)) + 0.1 * rng.normal(size=(len(X), 2))
    p = tw.Problem.from_data(X, Y, widths=(6, 3))
    w = tw.init.gaussian(p, scale=0.4, rng=9)
    t_end = 3.0
    expected = table_flow(X, Y, w, t_end)
    ours = tw.flow(p, w, t_end=t_end, rtol=1e-10).final
    for one, two in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-8)
    white = tw.Problem.from_data(X, Y, widths=(6, 3), metric="whitened")
    other = tw.flow(white, w, t_end=t_end, rtol=1e-8).final
    gap = max(np.abs(a - b).max() for a, b in zip(other, expected, strict=True))
    assert gap > 1e-3
