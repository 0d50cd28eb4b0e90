"""The loss along a line through a saddle: the exact polynomial and its leading power."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from thalweg._core import UPPER, Array, number
from thalweg.landscape import Verdict
from thalweg.plot._axes import log_axis
from thalweg.plot._kinds import LOOKS
from thalweg.plot._style import CYCLE, INK, PALE, dress, legend_above

POINTS = 401
"""Points of a curve."""
DECADES = 3
"""Powers of ten of the step that the logarithmic panel covers."""


def line_panel(ax: Axes, verdict: Verdict) -> None:
    """Draw the loss along the witness or the descent curve, and its leading power."""
    polynomial, order = leading(verdict)
    strict = verdict.descent_curve is None
    title = "Loss along the witness" if strict else "Loss along the curve of descent"
    dress(ax, title, "loss − loss at the saddle")
    ax.set_xlabel("step t (unit direction)" if strict else "step t")
    left, right = reach(polynomial, order)
    t = np.linspace(1.08 * left, 1.08 * right, POINTS)
    values = np.polynomial.polynomial.polyval(t, polynomial)
    ax.axhline(0.0, color=PALE, linewidth=0.9, zorder=0.5)
    ax.plot(t, values, color=INK, zorder=3, label=f"exact, degree {_degree(polynomial)}")
    ax.plot(
        t,
        polynomial[order] * t**order,
        color=CYCLE[1],
        linestyle=(0, (5, 2)),
        linewidth=1.4,
        zorder=2,
        label=f"leading term {number(float(polynomial[order]))}·t{_power(order)}",
    )
    look = LOOKS[verdict.kind,]
    ax.plot([0.0], [0.0], marker=look.marker, color=look.colour, markersize=9, zorder=4)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    # The walls on both sides would hide how shallow the fall is.
    drop = -float(values.min())
    ax.set_ylim(-1.15 * drop, max(0.45 * drop, 0.0) or 1.0)
    legend_above(ax)


def drop_panel(ax: Axes, verdict: Verdict) -> None:
    """Draw how far the loss falls on logarithmic scales: the order of escape is the slope."""
    polynomial, order = leading(verdict)
    dress(ax, f"The fall is of order t{_power(order)}", "fall of the loss")
    ax.set_xlabel("step t")
    _, right = reach(polynomial, order)
    far = np.linspace(0.0, right, POINTS)
    bottom = far[np.argmin(np.polynomial.polynomial.polyval(far, polynomial))] or right
    t = np.geomspace(bottom * 10.0**-DECADES, bottom, POINTS)
    fall = -np.polynomial.polynomial.polyval(t, polynomial)
    first = -float(polynomial[order]) * t**order
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    ax.xaxis.set_minor_formatter(NullFormatter())
    log_axis(ax, 0.5 * float(first[0]), 2.0 * float(max(fall.max(), first[0])))
    ax.plot(t[fall > 0.0], fall[fall > 0.0], color=INK, zorder=3, label="exact")
    ax.plot(
        t,
        first,
        color=CYCLE[1],
        linestyle=(0, (5, 2)),
        linewidth=1.4,
        zorder=2,
        label=f"slope {order}",
    )
    legend_above(ax)


def leading(verdict: Verdict) -> tuple[Array, int]:
    """Return the polynomial of a verdict without the rounding below its leading power."""
    curve = verdict.descent_curve
    source = verdict.line if curve is None else curve.polynomial
    assert source is not None  # noqa: S101
    order = 2 if curve is None else curve.order
    polynomial = np.array(source)
    polynomial[:order] = 0.0
    return polynomial, order


def reach(polynomial: Array, order: int) -> tuple[float, float]:
    """Return how far to each side the curve is worth drawing.

    To where the loss is back at its value at the saddle; on a side where it only rises, half as
    far as on the other.
    """
    roots = np.roots(polynomial[order:][::-1])
    real = roots.real[np.abs(roots.imag) < 1e-6 * np.abs(roots)]
    ahead, behind = real[real > 0.0], real[real < 0.0]
    right = float(ahead.min()) if ahead.size else 0.0
    left = float(behind.max()) if behind.size else 0.0
    longest = max(right, -left) or 1.0
    if order % 2 or not right:
        left = -0.5 * longest if order % 2 else left
        right = right or longest
    return left or -0.5 * longest, right


def _degree(polynomial: Array) -> int:
    large = np.flatnonzero(np.abs(polynomial) > 1e-12 * np.abs(polynomial).max(initial=1e-300))
    return int(large[-1]) if large.size else 0


def _power(order: int) -> str:
    return str(order).translate(UPPER)
