"""What the program knows of an activation, and the named ones (Spec 6.4)."""

import dataclasses
import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from thalweg._core import Array, DataError

Function: TypeAlias = Callable[[Array], Array]
"""Maps arrays elementwise."""


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Activation:
    """An activation with everything that the flow and its law need.

    Attributes
    ----------
    name
        As the user wrote it.
    value, slope, bend
        ``sigma``, ``sigma'`` and ``sigma''``; at a kink the slope is the one on the left.
    integral
        ``Sigma(x) = integral from 0 to x of sigma / sigma'`` (paper Eq. 27).
    ratio
        ``sigma / sigma'``, the derivative of `integral`.
    largest
        Absolute value up to which `integral` is computed.
    left
        Slope left of the kink at 0; ``None`` if there is no kink.
    sided
        ``(x, sign) -> (sigma, sigma', sigma'')`` of one side of 0, continued smoothly beyond it,
        where only the second derivative jumps; ``None`` elsewhere.
    homogeneous
        Whether ``sigma(x) = x sigma'(x)``; then the law needs no orthogonal samples (Spec 6.3).
    note
        One line on how ``Sigma`` is computed.
    """

    name: str
    value: Function
    slope: Function
    bend: Function
    integral: Function
    ratio: Function
    largest: float = 1e75
    left: float | None = None
    sided: Callable[[Array, Array], tuple[Array, Array, Array]] | None = None
    homogeneous: bool = False
    note: str = "closed form"

    @property
    def in_pieces(self) -> bool:
        """Whether some derivative up to the second jumps at 0."""
        return self.left is not None or self.sided is not None

    def checked_integral(self, z: Array, name: str = "the pre-activation") -> Array:
        """Return ``Sigma(z)``.

        Raises
        ------
        DataError
            If an entry is so large that ``Sigma`` or its rounding error overflows.
        """
        top = float(np.abs(z).max(initial=0.0))
        if top > self.largest:
            raise DataError(
                f"{name} reaches {top:.4g}, and Sigma of {self.name} is computed up to "
                f"{self.largest:.4g} only; scale the first layer or the data down"
            )
        return self.integral(z)


def named_activation(name: str, negative_slope: float) -> Activation:
    """Return a named activation.

    Raises
    ------
    DataError
        If the name is unknown.
    """
    if name not in NAMED:
        raise DataError(
            f"unknown activation {name!r}; choose one of {', '.join(NAMED)}, "
            "or give a pair of callables (sigma, sigma')"
        )
    return NAMED[name](negative_slope)


def _tanh(_: float) -> Activation:
    def bend(x: Array) -> Array:
        t = np.tanh(x)
        return -2.0 * t * (1.0 - t * t)

    return Activation(
        name="tanh",
        value=np.tanh,
        slope=lambda x: 1.0 / np.cosh(np.clip(x, -350.0, 350.0)) ** 2,
        bend=bend,
        integral=lambda x: 0.5 * np.sinh(x) ** 2,
        ratio=lambda x: np.sinh(x) * np.cosh(x),
        largest=300.0,
        note="sinh(x)^2 / 2",
    )


def _arctan(_: float) -> Activation:
    return Activation(
        name="arctan",
        value=np.arctan,
        slope=lambda x: 1.0 / (1.0 + x * x),
        bend=lambda x: -2.0 * x / (1.0 + x * x) ** 2,
        integral=_arctan_integral,
        ratio=lambda x: (1.0 + x * x) * np.arctan(x),
        note="(x + x^3/3) arctan(x) - x^2/6 - ln(1 + x^2)/3",
    )


def _arctan_integral(x: Array) -> Array:
    square = x * x
    return (x + x * square / 3.0) * np.arctan(x) - square / 6.0 - np.log1p(square) / 3.0


def _logistic(_: float) -> Activation:
    def slope(x: Array) -> Array:
        return 0.25 / np.cosh(np.clip(0.5 * x, -350.0, 350.0)) ** 2

    return Activation(
        name="logistic",
        value=lambda x: 0.5 * np.tanh(0.5 * x),
        slope=slope,
        bend=lambda x: -slope(x) * np.tanh(0.5 * x),
        integral=lambda x: 2.0 * np.sinh(0.5 * x) ** 2,
        ratio=np.sinh,
        largest=600.0,
        note="cosh(x) - 1",
    )


def _softsign(_: float) -> Activation:
    def sided(x: Array, sign: Array) -> tuple[Array, Array, Array]:
        # the continuation has a pole at distance 1 beyond 0, which no accepted step comes near
        base = np.maximum(1.0 + sign * x, 0.1)
        return x / base, 1.0 / base**2, -2.0 * sign / base**3

    return Activation(
        name="softsign",
        value=lambda x: x / (1.0 + np.abs(x)),
        slope=lambda x: 1.0 / (1.0 + np.abs(x)) ** 2,
        bend=lambda x: -2.0 * np.sign(x) / (1.0 + np.abs(x)) ** 3,
        integral=lambda x: x * x * (0.5 + np.abs(x) / 3.0),
        ratio=lambda x: x * (1.0 + np.abs(x)),
        sided=sided,
        note="x^2/2 + |x|^3/3",
    )


def _erf(_: float) -> Activation:
    from scipy.special import erf  # slow to import, rarely needed

    from thalweg.nonlinear._quadrature import Integral

    top = 2.0 / math.sqrt(math.pi)

    def slope(x: Array) -> Array:
        return top * np.exp(-x * x)

    def ratio(x: Array) -> Array:
        out: Array = erf(x) * np.exp(x * x) / top
        return out

    # exp(x^2) overflows beyond 26.6
    integral = Integral(ratio, reach=25.0)
    return Activation(
        name="erf",
        value=erf,
        slope=slope,
        bend=lambda x: -2.0 * x * slope(x),
        integral=integral,
        ratio=ratio,
        largest=integral.largest,
        note="adaptive quadrature",
    )


def _identity(_: float) -> Activation:
    return Activation(
        name="identity",
        value=lambda x: x,
        slope=np.ones_like,
        bend=np.zeros_like,
        integral=lambda x: 0.5 * x * x,
        ratio=lambda x: x,
        homogeneous=True,
        note="x^2/2",
    )


def _leaky(name: str, left: float) -> Activation:
    def slope(x: Array) -> Array:
        return np.where(x > 0.0, 1.0, left)

    return Activation(
        name=name,
        value=lambda x: np.where(x > 0.0, x, left * x),
        slope=slope,
        bend=np.zeros_like,
        integral=lambda x: 0.5 * x * x,
        ratio=lambda x: x,
        left=left,
        homogeneous=True,
        note="x^2/2",
    )


NAMED: dict[str, Callable[[float], Activation]] = {
    "tanh": _tanh,
    "arctan": _arctan,
    "logistic": _logistic,
    "softsign": _softsign,
    "erf": _erf,
    "relu": lambda _: _leaky("relu", 0.0),
    "leaky_relu": lambda left: _leaky("leaky_relu", left),
    "identity": _identity,
}
"""Activations by name, made from the slope left of the kink, which only one of them uses."""
