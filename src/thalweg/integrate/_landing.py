"""Gauss-Newton steps onto ``{P D = T}`` in the compiled core."""

from thalweg._core import Array, Weights
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, instruction_set
from thalweg.integrate._solve import packed
from thalweg.network import unpack

LARGEST = 1500
"""Order of ``J J^T`` up to which it is factorized as a whole."""
SETTLED = 1e3
"""Residual, in multiples of its rounding, that counts as none."""


def landable(target: Array) -> bool:
    """Tell whether the compiled core is there and takes Gauss-Newton steps for such a target."""
    return 0 < target.size <= LARGEST and instruction_set() is not None


def land(weights: Weights, target: Array, metric: Array) -> list[Array] | None:
    """Move from `weights` onto the set where the target is met, or return ``None``.

    Parameters
    ----------
    weights, target, metric
        Point and problem in reduced coordinates.

    Returns
    -------
    list of ndarray or None
        ``None`` if no core is built, the system is too large or singular, or the point too far.
    """
    if not landable(target):
        return None
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    point, rest = Core(Field(target, metric, dims)).close_tail(packed(weights))
    return unpack(point, dims) if rest <= SETTLED else None
