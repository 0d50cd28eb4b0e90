"""The numbers from which every rule is computed, each enclosed in a ball.

With ``S = X X^T`` and ``G = Y X^T`` the reducible loss is ``0.5 ||M||^2 / divisor``, where
``||M||^2 = tr(A S^-1 A^T)``, ``A = W_L ... W_1 S - G``; the squared singular values of the target
are the eigenvalues of ``G S^-1 G^T``; the squared metric is ``S`` itself. So no factorization of
the data is needed, only one linear system, and nothing is rounded on the way in.
"""

import dataclasses

import numpy as np

from thalweg.rigorous._balls import (
    Ball,
    BallMatrix,
    ball,
    frobenius_bound,
    identity,
    library,
    matrix,
    nonnegative,
    product,
)
from thalweg.rigorous._inputs import Inputs
from thalweg.rigorous._spectrum import eigenvalues, positive_eigenvalues


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantities:
    """Enclosures at one precision.

    Attributes
    ----------
    error_square
        ``||M||_F**2``, twice the reducible loss.
    sigma_squares
        Squared singular values of the target, largest first, ``min(d_y, k)`` of them.
    metric_low, metric_high
        Smallest and largest eigenvalue of the squared metric of the flow.
    whitening
        Smallest eigenvalue of ``S``: what turns norms in the flow into norms in the data.
    spectra
        For each conserved matrix ``C_1, ..., C_H`` of the flow its eigenvalues, ascending.
    target_rank
        Exact rank of ``G``, computed in integers.
    frozen
        Frobenius norm of the columns of ``W_1`` that see inputs which never occur.
    """

    error_square: Ball
    sigma_squares: list[Ball]
    metric_low: Ball
    metric_high: Ball
    whitening: Ball
    spectra: list[list[Ball]]
    target_rank: int
    frozen: Ball


def quantities(inputs: Inputs) -> Quantities | None:
    """Evaluate at the current precision; ``None`` if something cannot be enclosed at all."""
    x, weights = seen_part(inputs)
    second = x * x.transpose()
    cross = matrix(inputs.y) * x.transpose()
    excess = product(weights) * second - cross
    scale = ball(1) / inputs.divisor
    try:
        fit = second.solve(cross.transpose())
        pull = second.solve(excess.transpose())
    except ZeroDivisionError:
        return None
    own = positive_eigenvalues(second)
    fitted = positive_eigenvalues(cross * fit * scale)
    spectra = [eigenvalues(item) for item in conserved(inputs)]
    if own is None or fitted is None or any(item is None for item in spectra):
        return None
    raw = inputs.metric == "raw"
    count = min(inputs.y.shape[0], x.nrows())
    hidden = inputs.weights[0][:, ~inputs.seen]
    return Quantities(
        error_square=nonnegative((excess * pull).trace() * scale),
        sigma_squares=[nonnegative(value) for value in fitted[::-1][:count]],
        metric_low=(own[0] if raw else ball(1)) * scale,
        metric_high=(own[-1] if raw else ball(1)) * scale,
        whitening=ball(1) if raw else own[0],
        spectra=[item for item in spectra if item is not None],
        target_rank=exact_rank(inputs),
        frozen=frobenius_bound(matrix(hidden)),
    )


def seen_part(inputs: Inputs) -> tuple[BallMatrix, list[BallMatrix]]:
    """Return ``X`` and the weights without the inputs that never occur."""
    seen = inputs.seen
    first, *rest = inputs.weights
    return matrix(inputs.x[seen]), [matrix(first[:, seen]), *map(matrix, rest)]


def conserved(inputs: Inputs) -> list[BallMatrix]:
    """Return the conserved matrices ``C_1, ..., C_H`` of the flow (Spec 2.2)."""
    x, weights = seen_part(inputs)
    inner = x * x.transpose() if inputs.metric == "whitened" else identity(x.nrows())
    squares = [weights[0] * inner * weights[0].transpose()]
    squares += [weight * weight.transpose() for weight in weights[1:]]
    return [
        after.transpose() * after - square
        for square, after in zip(squares[:-1], weights[1:], strict=True)
    ]


def exact_rank(inputs: Inputs) -> int:
    """Return the rank of ``Y X^T`` for these very doubles, in integer arithmetic."""
    y, x = _integers(inputs.y), _integers(inputs.x)
    return int((y * x.transpose()).rank())


def _integers(array: np.ndarray) -> BallMatrix:
    """Return a matrix of doubles times a power of two, as integers."""
    mantissas, exponents = np.frexp(array)
    nonzero = exponents[array != 0.0]
    least = int(nonzero.min()) if nonzero.size else 0
    whole = [
        int(value) << (int(shift) - least) if value else 0
        for value, shift in zip(
            np.ldexp(mantissas, 53).ravel().tolist(), exponents.ravel().tolist(), strict=True
        )
    ]
    return library().fmpz_mat(*array.shape, whole)
