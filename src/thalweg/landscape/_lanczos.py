"""Both ends of the spectrum of a symmetric operator."""

from collections.abc import Callable

import numpy as np

from thalweg._core import EPS, Array

STEPS = 200


def lanczos_ends(
    product: Callable[[Array], Array], size: int, steps: int = STEPS
) -> tuple[tuple[float, Array], tuple[float, Array]]:
    """Return the least and the largest Ritz pair after some Lanczos steps.

    A fixed number of steps with full reorthogonalization: where the spectrum is crowded, as at
    minima with many flat directions, iterating until an eigenpair has converged need not end. A
    Ritz value is a Rayleigh quotient, so a negative one proves negative curvature.

    Parameters
    ----------
    product
        Symmetric operator on vectors of length `size`.
    size
        Number of unknowns.
    steps
        Products at most.

    Returns
    -------
    tuple
        ``(value, unit vector)`` of both ends.
    """
    basis = np.zeros((min(steps, size), size))
    vector = np.random.default_rng(0).standard_normal(size)
    vector /= np.linalg.norm(vector)
    diagonal: list[float] = []
    beside: list[float] = []
    for k in range(len(basis)):
        basis[k] = vector
        image = product(vector)
        diagonal.append(float(vector @ image))
        for _ in range(2):
            image = image - basis[: k + 1].T @ (basis[: k + 1] @ image)
        rest = float(np.linalg.norm(image))
        if rest <= 16 * EPS * max(map(abs, diagonal)) or k + 1 == len(basis):
            break
        beside.append(rest)
        vector = image / rest
    count = len(diagonal)
    from scipy.linalg import eigh_tridiagonal  # slow to import, rarely needed

    values, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[: count - 1]))
    low, high = basis[:count].T @ vectors[:, 0], basis[:count].T @ vectors[:, -1]
    return (float(values[0]), low), (float(values[-1]), high)
