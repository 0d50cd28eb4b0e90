"""Whether a gradient flow is about to arrive, from its gradient and Hessian; an estimate."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array

NEGLIGIBLE = 1e-6
"""Estimated rest of the way, relative to the point, that counts as having arrived."""
STABLE = 1e-10
"""Unstable displacement, relative to the point, below which a saddle is not being left."""
CHANGE = 10.0
"""Relative change of the Hessian, per relative way, within which eigenvalues are not believed."""
FAR = 1e-3
"""Relative rest of the way above which the inertia is that of the point itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arrival:
    """What the second order says about the rest of a trajectory.

    Attributes
    ----------
    inertia
        ``(negative, zero, positive)`` eigenvalues.
    zero
        Absolute value below which one counts as zero: rounding, or what the rest of the way may
        change if that is more.
    rest
        Estimated length of the rest of the way; infinite where the gradient points along
        directions without curvature.
    unstable
        Displacement along directions of negative curvature.
    near
        Whether the rest is negligible and no saddle is being left.
    leaving
        Whether a saddle is being left.
    """

    inertia: tuple[int, int, int]
    zero: float
    rest: float
    unstable: float
    near: bool
    leaving: bool


def arrival(hessian: Array, gradient: Array, size: float, *, rounding: float = 0.0) -> Arrival:
    """Estimate the rest of the way by the quadratic model at a point.

    Parameters
    ----------
    hessian, gradient
        Of the loss, ``(n, n)`` and ``(n,)``.
    size
        Norm of the point.
    rounding
        Absolute error of the gradient.

    Returns
    -------
    Arrival
        An estimate: the model is not a bound.
    """
    values, vectors = np.linalg.eigh(hessian)
    top = float(np.abs(values).max(initial=0.0))
    size = max(size, 1e-300)
    # Squares of tiny gradients underflow, and a gradient taken for zero is a wrong arrival.
    unit = float(np.abs(gradient).max(initial=0.0))
    norm = unit * float(np.linalg.norm(gradient / unit)) if unit > 0.0 else 0.0
    parts = np.abs(vectors.T @ gradient)
    # Eigenvalues at the limit are known up to what they change on the rest of the way, which is
    # at least the gradient over the largest one.
    zero = max(64 * len(values) * EPS * top, CHANGE * norm / size)
    positive = values > zero
    rest = float(np.linalg.norm(parts[positive] / values[positive]))
    share = rest / size if rest <= FAR * size else 0.0
    zero = max(zero, CHANGE * share * top)
    negative, positive = values < -zero, values > zero
    flat = ~(negative | positive)
    unstable = float(np.linalg.norm(parts[negative] / values[negative]))
    if float(np.linalg.norm(parts[flat])) > max(0.1 * norm, rounding):
        rest = np.inf
    rest = 0.0 if norm == 0.0 else rest
    leaving = unstable > STABLE * size
    return Arrival(
        inertia=(int(negative.sum()), int(flat.sum()), int(positive.sum())),
        zero=zero,
        rest=rest,
        unstable=unstable,
        near=rest <= NEGLIGIBLE * size and not leaving,
        leaving=leaving,
    )
