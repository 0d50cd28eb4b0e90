"""Both ends of the spectrum of a symmetric operator."""

from collections.abc import Callable, Iterator

import numpy as np

from thalweg._core import EPS, Array

STEPS = 200
KEPT = 20 * 10**6  # doubles of a basis that is kept
FEW = 80  # products of either pass where it is not


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
    if steps * size > KEPT:
        return _ends_in_little_memory(product, size, FEW)
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


def _ends_in_little_memory(
    product: Callable[[Array], Array], size: int, steps: int
) -> tuple[tuple[float, Array], tuple[float, Array]]:
    """As `lanczos_ends` without the basis: it is run through twice.

    Without reorthogonalization ends are found more than once, which does no harm. The values are
    the Rayleigh quotients of the vectors found.
    """
    first = np.random.default_rng(0).standard_normal(size)
    first /= np.linalg.norm(first)
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in _three_terms(product, first, steps, (diagonal, beside)):
        pass
    count = len(diagonal)
    from scipy.linalg import eigh_tridiagonal  # slow to import, rarely needed

    _, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[: count - 1]))
    ends = np.zeros((2, size))
    for k, vector in enumerate(_three_terms(product, first, count, ([], []))):
        ends[0] += vectors[k, 0] * vector
        ends[1] += vectors[k, -1] * vector
    pairs = []
    for end in ends:
        end /= np.linalg.norm(end)
        pairs.append((float(end @ product(end)), end))
    return pairs[0], pairs[1]


def _three_terms(
    product: Callable[[Array], Array],
    first: Array,
    steps: int,
    found: tuple[list[float], list[float]],
) -> Iterator[Array]:
    """Give the Lanczos vectors one after the other and note the matrix in `found`."""
    diagonal, beside = found
    before, vector, rest = np.zeros_like(first), first, 0.0
    for _ in range(steps):
        yield vector
        image = product(vector)
        diagonal.append(float(vector @ image))
        image -= diagonal[-1] * vector
        image -= rest * before
        rest = float(np.linalg.norm(image))
        if rest <= 16 * EPS * max(map(abs, diagonal)):
            return
        beside.append(rest)
        image /= rest
        before, vector = vector, image
