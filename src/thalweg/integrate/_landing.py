"""Gauss-Newton steps onto ``{P D = T}`` in the compiled core."""

from thalweg._core import Array, Weights
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, instruction_set
from thalweg.integrate._solve import packed
from thalweg.network import unpack

LARGEST, LARGEST_SHALLOW = 640, 160
"""Order of ``J J^T`` up to which it is factorized as a whole; two layers have a structure."""
SETTLED = 1e3
"""Residual, in multiples of its rounding, that counts as none."""


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
    most = LARGEST if len(weights) > 2 else LARGEST_SHALLOW
    if not 0 < target.size <= most or instruction_set() is None:
        return None
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    point, rest = Core(Field(target, metric, dims)).close_tail(packed(weights))
    return unpack(point, dims) if rest <= SETTLED else None
