"""Which samples each step sees."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._core import RngLike, as_generator


def minibatches(n_samples: int, size: int, rng: RngLike) -> Iterator[np.ndarray[Any, Any]]:
    """Yield indices without end, as a shuffled PyTorch ``DataLoader`` orders them.

    Every pass goes through all samples once, in a fresh random order; its last batch may be
    smaller.
    """
    generator = as_generator(rng)
    while True:
        order = generator.permutation(n_samples)
        for begin in range(0, n_samples, size):
            yield order[begin : begin + size]
