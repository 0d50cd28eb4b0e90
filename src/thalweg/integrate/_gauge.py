"""The compiled repair of conserved matrices (``src/native/gauge.hpp``)."""

import ctypes
import functools

import numpy as np

from thalweg._core import Array
from thalweg.integrate._native import Double, Integer, Pointer, instruction_set, load

INTERFACE = 1
WIDEST = 128  # hidden layers; beyond, the working set of a vector of points leaves every cache


@functools.cache
def library(name: str | None) -> ctypes.CDLL | None:
    """Return the core that repairs, or ``None``."""
    core = None if name is None else load(name)
    if core is None or not hasattr(core, "thalweg_gauge_repair"):
        return None
    core.thalweg_gauge_repair.restype = ctypes.c_int
    core.thalweg_gauge_repair.argtypes = [
        *(ctypes.c_int, Pointer, Pointer, Double, Integer, Pointer, Pointer, Pointer)
    ]
    return core if core.thalweg_gauge_interface() == INTERFACE else None


def repair(
    rows: Array,
    dims: tuple[int, ...],
    conserved: list[Array],
    enough: float,
    *,
    overwrite: bool = False,
) -> tuple[Array, Array] | None:
    """Return repaired packed weights and what was found, or ``None`` where NumPy has to do it.

    Parameters
    ----------
    rows
        Packed weights ``(K, n)``.
    dims
        Layer sizes.
    conserved
        Matrices ``C_j`` to restore, ``(d_j, d_j)``.
    enough
        Error of any ``C_j`` that may remain, in Frobenius norm.
    overwrite
        Whether the result may take the place of `rows`.

    Returns
    -------
    tuple or None
        Weights ``(K, n)``, and ``(3, K)``: the largest Frobenius norm of the error of any ``C_j``
        before and after, and what is good enough at each point.
    """
    core = library(instruction_set())
    if core is None or not conserved or max(dims) > WIDEST or not len(rows):
        return None
    if not np.all(np.isfinite(rows)):
        return None
    rows = np.ascontiguousarray(rows, dtype=np.float64)
    out = rows if overwrite else np.empty_like(rows)
    sizes = np.array(dims, dtype=np.int64)
    wanted = np.concatenate([np.ravel(item) for item in conserved])
    found = np.empty((3, len(out)))
    failed = core.thalweg_gauge_repair(
        len(dims) - 1,
        sizes.ctypes.data,
        wanted.ctypes.data,
        enough,
        len(out),
        rows.ctypes.data,
        out.ctypes.data,
        found.ctypes.data,
    )
    return None if failed else (out, found)
