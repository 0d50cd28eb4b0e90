"""Taylor polynomials of the flow in doubles: candidates for an enclosure, nothing more."""

import numpy as np

from thalweg._core import Array
from thalweg.rigorous._flow_data import cauchy


def taylor(weights: list[Array], second: Array, cross: Array, degree: int) -> list[Array]:
    """Expand the gradient flow at a point.

    Parameters
    ----------
    weights
        The point.
    second, cross
        Squared metric ``S`` (k, k) and cross moment ``G`` (d_y, k).
    degree
        Highest power of time.

    Returns
    -------
    list of ndarray, shape (degree + 1, d_j, d_{j-1})
        Coefficients of every layer, lowest power first.
    """
    depth = len(weights)
    series = [np.zeros((degree + 1, *weight.shape)) for weight in weights]
    for item, weight in zip(series, weights, strict=True):
        item[0] = weight
    before = [series[0]]  # A_1, A_2, ..., A_L
    before += [np.zeros((degree + 1, len(w), weights[0].shape[1])) for w in weights[1:]]
    pulls = [np.zeros_like(item) for item in before]  # U_j = R_j^T (P S - G)
    turned = [item.transpose(0, 2, 1) for item in series]
    fronts = [item.transpose(0, 2, 1) for item in before]
    for n in range(degree):
        for j in range(1, depth):
            before[j][n] = cauchy(series[j], before[j - 1], n)
        pulls[-1][n] = before[-1][n] @ second - (cross if n == 0 else 0.0)
        for j in range(depth - 1, 0, -1):
            pulls[j - 1][n] = cauchy(turned[j], pulls[j], n)
        series[0][n + 1] = -pulls[0][n] / (n + 1)
        for j in range(1, depth):
            series[j][n + 1] = -cauchy(pulls[j], fronts[j - 1], n) / (n + 1)
    return series


def reach(series: list[Array], accuracy: float) -> float:
    """Return a step up to which the last two terms stay below `accuracy`."""
    degree = len(series[0]) - 1
    out = np.inf
    for k in (degree - 1, degree):
        size = float(np.sqrt(sum(float(np.sum(item[k] ** 2)) for item in series)))
        if size > 0.0:
            out = min(out, (accuracy / size) ** (1.0 / k))
    return float(out)
