"""Starts whose conserved matrices prove an exponential rate (Spec 3.2, 3.4b, 3.6)."""

import math

import numpy as np

from thalweg._core import Array, DataError, RngLike, as_generator, as_scalar
from thalweg.init._random_starts import random_frame
from thalweg.problem import Problem

ROUNDING = 1e-9
"""Relative excess of the constructed rate, so that a certificate with margins still reaches it."""


def exponential(p: Problem, rate: float = 1.0, *, rng: RngLike = None) -> list[Array]:
    r"""Draw a start from which the loss provably decays like ``exp(-2 rate t)``.

    One layer, the pivot, is zero; every other one is a multiple ``s_l`` of a random matrix with
    orthonormal rows (after the pivot) or columns (before it), with ``d_l s_l**2`` equal for all.
    The conserved matrices then keep every singular value of these layers at ``s_l`` or above for
    ever, and the rate is ``sigma_min(D)**2 * prod s_l**2``.

    Parameters
    ----------
    p
        The problem, with any data. Sizes must rise up to some layer and fall after it, counted
        from the number of inputs that occur (``p.rank``): widths that never grow and are at least
        ``d_y`` are one such case.
    rate
        The rate wanted, in the time of the problem's own flow.
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    list of ndarray
        Weights ``[W_1, ..., W_L]`` with ``tw.certify(p, w).rate >= rate``.

    Raises
    ------
    DataError
        If no layer can be a pivot, or there is no layer but one and its rate is smaller.

    Notes
    -----
    Status: theorem. Among all starts certified through one pivot this has the least Frobenius
    norm: ``n (rate / sigma_min(D)**2 * prod d_l)**(1/n)`` is the least possible square, with
    ``n = L - 1`` and ``d_l`` the smaller side of layer ``l`` (docs/certificates.md). The best
    pivot is taken.

    Examples
    --------
    >>> import thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(4, 3, 2))
    >>> w = tw.init.exponential(p, rate=2.0)
    >>> tw.certify(p, w).rate >= 2.0
    True
    """
    rate = as_scalar(rate, "rate", low=0.0, high=1e100)
    generator = as_generator(rng)
    _, metric = p.flow_data()
    dims = p.reduced.dims
    pivots = [j for j in range(1, len(dims)) if _fits(dims, j)]
    if not pivots:
        raise DataError(_impossible(p, dims))
    alone = float(metric.min()) ** 2
    if len(dims) == 2 and rate > alone:
        raise DataError(
            f"rate = {rate:g} is impossible without hidden layer: every start has the rate "
            f"{alone:.6g} (the least squared singular value of the inputs); add a width"
        )
    target = rate * (1.0 + ROUNDING) / alone
    pivot = min(pivots, key=lambda j: _size(dims, j, target))
    weights = []
    for j in range(1, len(dims)):
        if j == pivot:
            weights.append(np.zeros((dims[j], dims[j - 1])))
            continue
        square = _size(dims, pivot, target) / (len(dims) - 2) / min(dims[j], dims[j - 1])
        weights.append(math.sqrt(square) * random_frame(generator, dims[j], dims[j - 1]))
    return p.lift(weights)


def _fits(dims: tuple[int, ...], pivot: int) -> bool:
    """Tell whether sizes rise before a layer and fall after it."""
    rising = all(dims[i] <= dims[i + 1] for i in range(pivot - 1))
    return rising and all(dims[i] >= dims[i + 1] for i in range(pivot, len(dims) - 1))


def _size(dims: tuple[int, ...], pivot: int, product: float) -> float:
    """Return the least squared norm with which the other layers reach a product of squares."""
    sides = [min(dims[j], dims[j - 1]) for j in range(1, len(dims)) if j != pivot]
    if not sides or product == 0.0:
        return 0.0
    logs = math.log(product) + sum(math.log(side) for side in sides)
    return len(sides) * math.exp(logs / len(sides))


def _impossible(p: Problem, dims: tuple[int, ...]) -> str:
    """Say which width is in the way and how to mend it."""
    full = min(dims[0], dims[-1])
    narrow = [j for j in range(1, len(dims) - 1) if dims[j] < full]
    sizes = ", ".join(map(str, dims))
    if narrow:
        why = f"hidden layer {narrow[0]} has width {dims[narrow[0]]}, below {full}"
    else:
        why = "they fall and then rise again"
    wanted = f"widths that never grow and are at least {p.dims[-1]}"
    return (
        f"no start with a rate for sizes {sizes} (inputs that occur first): {why}; they must rise "
        f"up to some layer and fall after it, for example {wanted}"
    )
