"""A function of a few variables with its derivatives, as the user gave them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import EPS, Array, DataError, as_float_array

LARGEST = 200
"""Variables up to which dense linear algebra is cheap."""
NEWTON = 60
"""Newton steps that look for a critical point which would refute a level."""
REGULAR = 1e-8
"""Least eigenvalue of the Hessian, relative to the largest, at which a point counts as regular."""


@dataclasses.dataclass(frozen=True, eq=False)
class System:
    """A function with its derivatives, called with float arrays."""

    f: Callable[[Array], float]
    grad: Callable[[Array], Array]
    hess: Callable[[Array], Array] | None

    def hessian(self, x: Array) -> Array:
        """Return the Hessian, by central differences of the gradient if it is not given."""
        if self.hess is not None:
            return self.hess(x)
        out = np.empty((x.size, x.size))
        for k in range(x.size):
            step = np.zeros_like(x)
            step[k] = 6e-6 * (1.0 + abs(x[k]))
            out[k] = (self.grad(x + step) - self.grad(x - step)) / (2.0 * step[k])
        return 0.5 * (out + out.T)


def length(x: Array) -> float:
    """Return the norm of a vector whose squares may overflow or underflow."""
    unit = float(np.abs(x).max(initial=0.0))
    if unit == 0.0 or not np.isfinite(unit):
        return unit
    return unit * float(np.linalg.norm(x / unit))


def checked_system(f: Any, grad: Any, hess: Any, x0: Any) -> tuple[System, Array]:
    """Return the function and its start.

    Raises
    ------
    DataError
        If they cannot be used, or `grad` is not the gradient of `f` at the start.
    """
    start = as_float_array(x0, "x0")
    if start.ndim != 1 or not 1 <= start.size <= LARGEST:
        raise DataError(f"x0 has shape {start.shape}; a vector of 1 to {LARGEST} numbers is needed")

    def value(x: Array) -> float:
        try:
            return float(f(x.copy()))
        except OverflowError:  # of Python's own numbers; NumPy's become infinite
            return float("inf")

    def slope(x: Array) -> Array:
        out = np.asarray(grad(x.copy()), dtype=np.float64)
        if out.shape != x.shape:
            raise DataError(f"grad returns shape {out.shape} for a point of shape {x.shape}")
        return out

    def second(x: Array) -> Array:
        return np.asarray(hess(x.copy()), dtype=np.float64)

    first = slope(start)
    if not (np.isfinite(value(start)) and np.all(np.isfinite(first))):
        raise DataError("f or grad is not finite at x0; choose a start where both are")
    steps = 6e-6 * (1.0 + np.abs(start))
    moved = np.eye(start.size) * steps
    rise = np.array([(value(start + e) - value(start - e)) / 2 for e in moved]) / steps
    noise = 1e-4 * float(np.abs(first).max()) + 64 * EPS * (abs(value(start)) + 1.0) / steps.min()
    off = np.abs(rise - first)
    if float(off.max()) > noise:
        k = int(np.argmax(off))
        raise DataError(
            f"grad is not the gradient of f: component {k} at x0 is {first[k]:.6g}, differences "
            f"of f give {rise[k]:.6g}"
        )
    return System(value, slope, second if hess is not None else None), start


def newton(system: System, x: Array) -> Array | None:
    """Return the regular critical point that Newton's method converges to, ``None`` if it does not.

    Steps must become short: along a valley that never ends they stay in proportion to the point.
    Where the Hessian is nearly singular nothing is concluded.
    """
    for _ in range(NEWTON):
        with np.errstate(all="ignore"):
            hessian, grad = system.hessian(x), system.grad(x)
        if not (np.all(np.isfinite(hessian)) and np.all(np.isfinite(grad))):
            return None
        sizes = np.abs(np.linalg.eigvalsh(hessian))
        if sizes.min() <= REGULAR * sizes.max():
            return None
        step = np.linalg.solve(hessian, grad)
        x = x - step
        if np.linalg.norm(step) <= 1e-9 * (1.0 + np.linalg.norm(x)):
            return x
    return None
