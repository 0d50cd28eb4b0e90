"""Draws the pictures of the performance pages."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from frontier import DOCS, Point
from matplotlib.figure import Figure

COLORS = {
    "thalweg": "#0b5394", "CVODE in C": "#b45f06", "CVODE": "#e69138",
    "SciPy": "#6a8f3a", "diffrax": "#8e5ea2",
}  # fmt: skip
DASHES = ("-", "--", ":", "-.")
mpl.rcParams["svg.hashsalt"] = "thalweg"


def work_precision(name: str, found: dict[str, list[Point]]) -> None:
    """Draw time over achieved error for one problem, a line for each solver."""
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.add_subplot()
    used: dict[str, int] = {}
    for label, points in found.items():
        family = next((key for key in COLORS if label.startswith(key)), "thalweg")
        k = used[family] = used.get(family, -1) + 1
        kept = sorted((e, 1e3 * t) for _, e, t, _ in points if np.isfinite(e) and 0 < e < 0.3)
        if kept:
            errors, times = zip(*kept, strict=True)
            style = {"color": COLORS[family], "linestyle": DASHES[k % 4], "marker": ".osx"[k % 4]}
            wide = 2.2 if label == "thalweg (native)" else 1.2
            axes.loglog(errors, times, label=label, linewidth=wide, markersize=4, **style)
    axes.invert_xaxis()
    finish(figure, axes, ("error of the end point (relative)", "milliseconds"), name)
    save(figure, f"work_precision_{name}")


def scaling(name: str, label: str, x: Sequence[float], lines: dict[str, Sequence[float]]) -> None:
    """Draw times over a size, a line for each solver; NaN leaves a gap."""
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for k, (solver, times) in enumerate(lines.items()):
        family = next((key for key in COLORS if solver.startswith(key)), "thalweg")
        style = {"color": COLORS[family], "linestyle": DASHES[k % 4]}
        axes.loglog(x, times, marker="o", markersize=4, label=solver, **style)
    finish(figure, axes, (label, "milliseconds"), f"Scaling: {label}")
    save(figure, f"scaling_{name}")


def finish(figure: Figure, axes, labels: tuple[str, str], title: str) -> None:
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.set_title(title, loc="left")
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)


def save(figure: Figure, name: str) -> None:
    place = DOCS / "images" / f"{name}.svg"
    figure.savefig(place, metadata={"Date": None})
    print(f"wrote {place.relative_to(DOCS.parent)}")
