"""Spectral radius of the Hessian by the power method, started from the last vector."""

import functools

import numpy as np

from thalweg._core import Array
from thalweg.integrate._field import Field

SAFETY = 1.1


@functools.lru_cache(maxsize=8)
def first_vector(size: int) -> Array:
    """Return where the power method starts, the same every time."""
    vector = np.random.default_rng(0).standard_normal(size)
    vector.flags.writeable = False
    return vector


def spectral_radius(field: Field, y: Array, start: Array | None) -> tuple[float, Array]:
    """Return a safe estimate of the largest modulus of an eigenvalue, and its vector.

    The power method stays below the true value, hence the safety factor; too small an estimate
    shows as growth of the loss, which rejects the step.
    """
    vector = start
    if vector is None:
        vector = first_vector(field.size)
    size = float(np.linalg.norm(vector))
    vector = vector / size if size > 0 else vector
    radius = 0.0
    for count in range(60):
        image = field.hessian_product(y, vector)
        size = float(np.linalg.norm(image))
        if not np.isfinite(size) or size == 0:
            return size, vector
        vector = image / size
        done = count > 0 and settled(size, radius, first=start is None)
        radius = size
        if done:
            break
    return SAFETY * radius, vector


def settled(size: float, before: float, *, first: bool) -> bool:
    """Say whether two estimates in a row agree; with no earlier vector they creep more slowly."""
    return abs(size - before) <= (0.02 if first else 0.05) * size
