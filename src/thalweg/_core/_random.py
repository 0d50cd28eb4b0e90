"""One way to turn a seed into a generator."""

import numpy as np

from thalweg._core._errors import DataError
from thalweg._core._types import RngLike

DEFAULT_SEED = 0


def as_generator(rng: RngLike) -> np.random.Generator:
    """Return a generator; ``None`` is seed 0, never fresh entropy."""
    if rng is None:
        return np.random.default_rng(DEFAULT_SEED)
    if isinstance(rng, np.random.Generator):
        return rng
    seed: object = rng  # what a user passes may be anything
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool) and seed >= 0:
        return np.random.default_rng(int(seed))
    raise DataError(f"rng must be a seed >= 0 or a numpy.random.Generator, got {rng!r}")
