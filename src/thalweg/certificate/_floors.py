"""Lower bounds on the singular values of the layers for all time (Spec 3.2, 3.4b)."""

import itertools

import numpy as np

from thalweg._core import Array, Weights
from thalweg.certificate._norm_bounds import eigenvalue_slack
from thalweg.conserved import imbalance


def _step(conserved: Array, before: Array, count: int) -> Array:
    """Carry lower bounds from one layer to the next through ``C`` (Weyl's inequality).

    The next Gram matrix is the sum of ``C`` and the Gram matrix of the layer before, so its
    ``q``-th largest eigenvalue is at least ``lambda_i(C) + before_{n + q - i}``, ``q <= i <= n``.

    Parameters
    ----------
    conserved
        The ``n`` eigenvalues of ``C``, largest first.
    before
        Lower bounds on the squared singular values of the layer before, largest first; those
        that are not given are at least zero.
    count
        How many squared singular values the next layer has.

    Returns
    -------
    ndarray
        Lower bounds on them, largest first; not positive where nothing is proved.
    """
    known = np.zeros(len(conserved))
    known[: len(before)] = np.maximum(before, 0.0)
    best = [float(np.max(conserved[q:] + known[q:][::-1])) for q in range(count)]
    return np.array(best, dtype=np.float64)


def floors(weights: Weights, widening: float = 1.0) -> list[Array]:
    r"""Bound the squared singular values of every layer from below, for all time.

    ``W_{l+1}^T W_{l+1} = C_l + W_l W_l^T`` holds at every time with the same ``C_l``. One pass
    from the first layer to the last and, with ``-C_l``, one back; no bound on the present
    singular values enters, because those are not conserved.

    Parameters
    ----------
    weights
        Start in reduced coordinates.
    widening
        By how many bounds on their rounding errors the eigenvalues are lowered: 1 for what is
        proved, -1 for what rounding errors cannot exclude.

    Returns
    -------
    list of ndarray
        For each layer its ``min(shape)`` bounds, largest first; ``-inf`` if nothing bounds it.

    Notes
    -----
    Status: theorem (docs/certificates.md). Going forth and back through the same ``C_l`` never
    gains, so two passes suffice.
    """
    counts = [min(weight.shape) for weight in weights]
    matrices, slack = imbalance(weights), eigenvalue_slack(weights)
    out = [np.full(count, -np.inf) for count in counts]
    for sign in (1, -1):
        bound: Array = np.zeros(0)
        for here, there in itertools.pairwise(range(len(weights))[::sign]):
            between = min(here, there)
            values = np.linalg.eigvalsh(sign * matrices[between])[::-1]
            lowered = np.asarray(values - widening * slack[between], dtype=np.float64)
            bound = _step(lowered, bound, counts[there])
            out[there] = np.maximum(out[there], bound)
    return out
