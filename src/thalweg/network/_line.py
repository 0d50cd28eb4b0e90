"""The loss along a straight line, exactly (Spec 4.1)."""

import numpy as np

from thalweg._core import Array, Weights


def line_polynomial(weights: Weights, direction: Weights, target: Array, metric: Array) -> Array:
    """Return the ``2L + 1`` coefficients of ``t -> loss(W + t w)``, lowest power first."""
    powers = [np.eye(target.shape[0])]
    for weight, step in zip(reversed(weights), reversed(direction), strict=True):
        grown = [power @ weight for power in powers]
        grown.append(np.zeros_like(grown[0]))
        for k, power in enumerate(powers):
            grown[k + 1] = grown[k + 1] + power @ step
        powers = grown
    errors = [-power * metric for power in powers]
    errors[0] = target + errors[0]
    out = np.zeros(2 * len(errors) - 1)
    for a, one in enumerate(errors):
        for b, two in enumerate(errors):
            out[a + b] += 0.5 * float(np.vdot(one, two))
    return out
