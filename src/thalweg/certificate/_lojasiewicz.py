"""The worst-case exponent of convergence (Spec 2.4), as information."""

import math


def worst_case_log10(depth: int, n_weights: int) -> float:
    """Return the decimal logarithm of ``1 / (p (3p - 3)**(N - 1))``.

    Parameters
    ----------
    depth, n_weights
        ``L`` and ``N``: the loss is a polynomial of degree ``p = 2L`` in ``N`` variables.

    Returns
    -------
    float
        Its logarithm, since the exponent itself is beyond doubles for a hundred weights.

    Notes
    -----
    Status: theorem (D'Acunto and Kurdyka 2005; Spec 2.4; paper Prop. 1, where the degree is
    misprinted). With the exponent ``e``: ``||grad L|| >= c |L - L_inf|**(1 - e)`` near a critical
    point, with a constant that is not explicit.
    """
    degree = 2 * depth
    return -(math.log10(degree) + (n_weights - 1) * math.log10(3 * degree - 3))
