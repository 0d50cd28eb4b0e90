"""The paper's Eq. (1), which is bounded, and a function that is not (Spec 7)."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array, Result, jsonable
from thalweg.counterexamples._evidence import Level
from thalweg.counterexamples._gradient_flow import gradient_flow
from thalweg.counterexamples._run import GradientRun


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class GradientSystem(Result):
    """A function with its flow and what is proved about it.

    Attributes
    ----------
    name, formula
        What it is called and what it is.
    variables
        Names of the coordinates.
    bounded
        Whether every trajectory is bounded.
    argument
        The proof, in plain text.
    facts
        Exact statements that tests check.
    measured
        Statements that are observed only.
    level
        A level without critical points below, or ``None`` where there is none.
    f, grad, hess
        Value, gradient and Hessian at an array.
    """

    name: str
    formula: str
    variables: tuple[str, ...]
    bounded: bool
    argument: str
    facts: tuple[str, ...]
    measured: tuple[str, ...]
    level: Level | None
    f: Callable[[Array], float]
    grad: Callable[[Array], Array]
    hess: Callable[[Array], Array]

    def flow(self, x0: Any, t_end: float | None = None, *, rtol: float = 1e-9) -> GradientRun:
        """Integrate from `x0` with everything that is known about the system."""
        return gradient_flow(
            self.f, self.grad, x0, t_end, hess=self.hess, level=self.level, rtol=rtol
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the callables as JSON types."""
        names = ("name", "formula", "variables", "bounded", "argument", "facts", "measured")
        out = {name: jsonable(getattr(self, name)) for name in names}
        return {"type": "GradientSystem", **out, "level": jsonable(self.level)}

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``."""
        word = "every trajectory is bounded" if self.bounded else "unbounded trajectories"
        return [
            ("name", self.name),
            ("function", self.formula),
            ("flow", word),
            ("argument", self.argument),
            *(("fact", item) for item in self.facts),
            *(("measured", item) for item in self.measured),
        ]


def planar(w: Array) -> float:
    """Return ``g(x, y) = x^2/2 + (1 - xy)^2/2``."""
    x, y = w
    return float(0.5 * x * x + 0.5 * (1.0 - x * y) ** 2)


def planar_gradient(w: Array) -> Array:
    """Return the gradient of `planar`."""
    x, y = w
    u = 1.0 - x * y
    return np.array([x - y * u, -x * u])


def planar_hessian(w: Array) -> Array:
    """Return the Hessian of `planar`."""
    x, y = w
    cross = 2.0 * x * y - 1.0
    return np.array([[1.0 + y * y, cross], [cross, x * x]])


def cubed(w: Array) -> float:
    """Return ``f(x, y, z) = z^2 g(x, y)``."""
    return float(w[2] ** 2 * planar(w[:2]))


def cubed_gradient(w: Array) -> Array:
    """Return the gradient of `cubed`."""
    z = w[2]
    return np.append(z * z * planar_gradient(w[:2]), 2.0 * z * planar(w[:2]))


def cubed_hessian(w: Array) -> Array:
    """Return the Hessian of `cubed`."""
    z, out = w[2], np.empty((3, 3))
    out[:2, :2] = z * z * planar_hessian(w[:2])
    out[2, :2] = out[:2, 2] = 2.0 * z * planar_gradient(w[:2])
    out[2, 2] = 2.0 * planar(w[:2])
    return out


def bounds_eq1(x0: Any) -> Array:
    """Return bounds of ``|x|, |y|, |z|`` along the flow of the paper's Eq. (1) for all times.

    ``|x| <= sqrt(2 g_0)``, ``|y| <= |y_0| + z_0^2 / 4``, ``|z| <= |z_0|``: theorems, proved in
    ``bounded_eq1.argument``.
    """
    x, y, z = np.asarray(x0, dtype=np.float64)
    g = planar(np.array([x, y]))
    return np.array([np.sqrt(2.0 * g), abs(y) + 0.25 * z * z, abs(z)])


bounded_eq1 = GradientSystem(
    name="bounded_eq1",
    formula="f(x, y, z) = z^2 g(x, y),  g = x^2/2 + (1 - xy)^2/2  (paper Eq. 1)",
    variables=("x", "y", "z"),
    bounded=True,
    argument=(
        "d(z^2)/dt = -4f, so z^2 falls and the integral of f over all times is at most z_0^2/4. "
        "|dy/dt| = z^2 |x (1 - xy)| <= z^2 (x^2 + (1 - xy)^2)/2 = f, so |y| <= |y_0| + z_0^2/4. "
        "g falls along the flow, so x^2 <= 2 g_0. Hence every trajectory is bounded, and as f is a "
        "polynomial it converges to a critical point (Lojasiewicz). As g > 0 everywhere, critical "
        "points are the plane z = 0, so z -> 0."
    ),
    facts=(
        "(z^2)' = -4f; in the time s with ds = z^2 dt, (x, y) follows the flow of g alone and "
        "(z^2)' = -4g",
        "|x| <= sqrt(2 g_0), |y| <= |y_0| + z_0^2/4, |z| <= |z_0| for all times",
        "z -> 0, and the integral of f over all times is z_0^2/4",
    ),
    measured=("y_inf^2 is about y_0^2 + z_0^2 for large z_0",),
    level=None,
    f=cubed,
    grad=cubed_gradient,
    hess=cubed_hessian,
)
"""The paper's Eq. (1), said there to have unbounded trajectories; it has none."""

unbounded = GradientSystem(
    name="unbounded",
    formula="g(x, y) = x^2/2 + (1 - xy)^2/2",
    variables=("x", "y"),
    bounded=False,
    argument=(
        "the gradient (x - y(1 - xy), -x(1 - xy)) vanishes at the origin only: x(1 - xy) = 0 means "
        "x = 0, and then y = 0, or xy = 1, and then x = 0, which contradicts it. There g = 1/2. A "
        "bounded trajectory of the flow of a polynomial converges to a critical point "
        "(Lojasiewicz), whose value is at most that of any point passed. So every trajectory that "
        "gets below g = 1/2 is unbounded: the infimum 0 is not attained."
    ),
    facts=(
        "the only critical point is the origin, a strict saddle with g = 1/2",
        "every trajectory that passes a point with g < 1/2 is unbounded",
    ),
    measured=("y is about (4t)^(1/4), g about 1/(4 sqrt(t))",),
    level=Level(
        value=0.5,
        argument="the only critical point of g is the origin, where g = 1/2",
    ),
    f=planar,
    grad=planar_gradient,
    hess=planar_hessian,
)
"""A polynomial that is bounded below and has unbounded trajectories."""
