"""Random numbers that belong to the index of a start and to nothing else.

Two kinds of streams of Philox4x64-10 (Salmon et al. 2011), both keyed by the seed of the sweep:

- `normals`: one stream of 64-bit words for the whole sweep, of which start ``i`` owns words
  ``[4 B i, 4 B (i + 1))`` with ``B = blocks(n)``. A word gives ``u = (word >> 11 + 1/2) / 2^53``
  and ``Phi^{-1}(u)`` is standard normal. Philox is a bijection of a counter, so any part of the
  stream is as near as its beginning and parts never overlap.
- `generator`: an ordinary NumPy generator for start ``i``, whose key is made from the seed and the
  index. For families that are drawn one start after the other.
"""

import numpy as np

from thalweg._core import Array

WORDS = 4
"""Words that one step of the counter gives."""


def blocks(count: int) -> int:
    """Return how many steps of the counter `count` numbers take."""
    return -(-count // WORDS)


def normals(seed: int, first: int, stop: int, count: int) -> Array:
    """Return `count` standard normal numbers for each start in ``[first, stop)``.

    Parameters
    ----------
    seed
        Seed of the sweep.
    first, stop
        Indices of starts.
    count
        Numbers for each of them.

    Returns
    -------
    ndarray
        Shape ``(stop - first, count)``; row ``i`` depends on `seed`, `count` and ``first + i``.
    """
    from scipy.special import ndtri  # slow to import

    stream = np.random.Philox(seed)
    width = WORDS * blocks(count)
    stream.advance(first * blocks(count))
    words = np.asarray(stream.random_raw((stop - first) * width)).reshape(stop - first, width)
    uniform = ((words[:, :count] >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    out: Array = ndtri(uniform)
    return out


def generator(seed: int, index: int) -> np.random.Generator:
    """Return the generator of start `index`."""
    key = np.random.SeedSequence(entropy=seed, spawn_key=(index,))
    return np.random.Generator(np.random.Philox(key))
