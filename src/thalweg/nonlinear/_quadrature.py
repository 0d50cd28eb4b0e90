"""``Sigma(x)`` by adaptive quadrature, quick at many points."""

from collections.abc import Callable

import numpy as np

from thalweg._core import Array, DataError

WIDTH = 0.25  # of the panels near 0
GROWTH = 64.0  # farther out a panel is as wide as this part of its place
ENOUGH = 1e-10  # relative error of a panel that is accepted
HUGE = 1e290
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)


class Integral:
    """``x -> integral from 0 to x of f`` for a smooth odd-looking integrand.

    Panels from 0 outward are integrated once by adaptive quadrature (`scipy.integrate.quad`);
    the rest of the way, inside one panel, takes twenty Gauss nodes, after these nodes have
    reproduced the whole panel. Where they do not, every point is integrated adaptively.

    Parameters
    ----------
    integrand
        Maps arrays elementwise; non-negative on the right of 0, non-positive on the left.
    reach
        Absolute value up to which the integral is wanted. It ends before where the integrand
        overflows or quadrature does not reach a relative error of 1e-10.

    Raises
    ------
    DataError
        If not even the first panel can be integrated.
    """

    def __init__(self, integrand: Callable[[Array], Array], reach: float) -> None:
        self._integrand = integrand
        right, left = self._table(1.0, reach), self._table(-1.0, reach)
        self.largest = min(float(right[0][-1]), float(left[0][-1]))
        if self.largest <= 0.0:
            raise DataError(
                "Sigma, the integral of sigma / sigma', cannot be computed near 0 (relative error "
                f"above {ENOUGH:g}); check that sigma' is smooth and exact there"
            )
        self._tables = right, left

    def __call__(self, x: Array) -> Array:
        """Return the integral, elementwise, for absolute values up to `largest`."""
        out = np.zeros(np.shape(x))
        for sign, table in zip((1.0, -1.0), self._tables, strict=True):
            here = sign * x > 0.0
            if np.any(here):
                out[here] = self._outward(sign, np.abs(x[here]), table)
        return out

    def _outward(self, sign: float, x: Array, table: tuple[Array, Array, Array]) -> Array:
        edges, sums, smooth = table
        panel = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
        begin = edges[panel]
        out: Array = sums[panel] + _gauss(self._integrand, sign, begin, x)
        for k in np.flatnonzero(smooth[panel] == 0.0):
            value = _adaptive(self._integrand, sign, float(begin[k]), float(x[k]))[0]
            out[k] = sums[panel[k]] + value
        return out

    def _table(self, sign: float, reach: float) -> tuple[Array, Array, Array]:
        """Return the edges of panels, the integral up to each, and where Gauss nodes suffice."""
        edges, sums, smooth = [0.0], [0.0], []
        while edges[-1] < reach:
            low = edges[-1]
            high = min(low + max(WIDTH, low / GROWTH), reach)
            value, error = _adaptive(self._integrand, sign, low, high)
            if not (0.0 < value < HUGE and error <= ENOUGH * value):
                break
            total = sums[-1] + value
            with np.errstate(all="ignore"):
                quick = _gauss(self._integrand, sign, np.array([low]), np.array([high]))[0]
            smooth.append(float(abs(quick - value) <= 1e-12 * total))
            edges.append(high)
            sums.append(total)
        return np.array(edges), np.array(sums), np.array(smooth)


def _adaptive(
    f: Callable[[Array], Array], sign: float, low: float, high: float
) -> tuple[float, float]:
    """Return the integral of ``f`` from ``sign low`` to ``sign high`` and an error estimate."""
    from scipy.integrate import quad  # slow to import, rarely needed

    def scalar(x: float) -> float:
        with np.errstate(all="ignore"):
            return sign * float(f(np.array([sign * x]))[0])

    value, error, *_ = quad(scalar, low, high, epsabs=0.0, epsrel=1e-13, full_output=1)
    return float(value), float(error)


def _gauss(f: Callable[[Array], Array], sign: float, low: Array, high: Array) -> Array:
    half = 0.5 * (high - low)
    points = low[:, np.newaxis] + half[:, np.newaxis] * (1.0 + NODES)
    out: Array = sign * half * (f(sign * points) @ WEIGHTS)
    return out
