"""The median, without the part of NumPy that takes milliseconds to import."""

import numpy as np

from thalweg._core._types import Array


def median(values: Array) -> float:
    """Return the median of a vector, as ``numpy.median``, which imports ``numpy.ma``."""
    ordered = np.sort(values)
    count = len(ordered)
    return float(0.5 * (ordered[(count - 1) // 2] + ordered[count // 2]))
