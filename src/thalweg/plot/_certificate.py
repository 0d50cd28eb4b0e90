"""A certificate: what bounds the loss and the layers, and which conditions decide."""

import math

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from thalweg._core import LOWER, number
from thalweg.certificate import Certificate
from thalweg.plot._axes import labels_beside, log_axis
from thalweg.plot._style import CYCLE, INK, PALE, SETTINGS, dress

DEPTH = 1e-4
"""Part of the excess loss down to which the envelope is drawn."""
MARKS = {True: ("✓", CYCLE[2]), False: ("✗", CYCLE[1]), None: ("?", CYCLE[5])}


def draw_certificate(certificate: Certificate) -> Figure:
    """Draw a certificate.

    Parameters
    ----------
    certificate
        What is proved.

    Returns
    -------
    Figure
        With the axes ``"envelope"``, ``"layers"`` and ``"conditions"`` (``ax.get_label()``).
    """
    rows = len(certificate.hypotheses)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(10.5, 4.2 + 0.3 * rows), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=[3.4, 0.5 + 0.3 * rows])
        envelope = figure.add_subplot(grid[0, 0], label="envelope")
        layers = figure.add_subplot(grid[0, 1], label="layers")
        conditions = figure.add_subplot(grid[1, :], label="conditions")
        _envelope(envelope, certificate)
        _layers(layers, certificate)
        _conditions(conditions, certificate)
    return figure


def _envelope(ax: Axes, certificate: Certificate) -> None:
    dress(ax, "The loss stays below this line", "reducible loss")
    ax.set_xlabel("flow time t")
    begin, loss = certificate.time, certificate.reducible_loss
    least = certificate.least_loss
    if certificate.rate > 0.0 and loss > least:
        end = certificate.time_to_reach(least + DEPTH * (loss - least))
        low = max(least, DEPTH * loss)
        log_axis(ax, 0.7 * low, 1.6 * loss)
        labels = [(loss, f"at t = {number(begin)}", PALE)]
        if least > 0.0:
            ax.axhline(least, color=PALE, linewidth=0.9, linestyle=(0, (4, 3)))
            labels.append((least, "global minimum", PALE))
        labels_beside(ax, labels)
    else:
        end = begin + 1.0
        ax.set_ylim(0.0, 1.25 * loss if loss > 0.0 else 1.0)
        ax.xaxis.set_major_locator(FixedLocator([begin]))
        ax.text(0.5, 0.5, "no rate is proved", color=PALE, transform=ax.transAxes, ha="center")
    t = np.linspace(begin, end, 200)
    ax.plot(t, certificate.loss_bound(t), color=CYCLE[1], zorder=3)
    ax.set_xlim(begin, end)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def _layers(ax: Axes, certificate: Certificate) -> None:
    dress(ax, "No layer can grow beyond this", "spectral norm, data coordinates")
    bounds = certificate.norm_bounds
    places = np.arange(1, len(bounds) + 1)
    bars = ax.bar(places, bounds, width=0.55, color=CYCLE[0])
    if len(bounds) <= 8:
        ax.bar_label(bars, labels=[number(float(item)) for item in bounds], padding=2, color=INK)
    top = float(bounds.max(initial=0.0))
    ax.set_ylim(0.0, 1.15 * top if top > 0.0 else 1.0)
    shown = places[:: max(1, math.ceil(len(places) / 12))]
    ax.xaxis.set_major_locator(FixedLocator(shown.tolist()))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: "W" + str(round(value)).translate(LOWER))
    )
    ax.grid(visible=False, axis="x")


def _conditions(ax: Axes, certificate: Certificate) -> None:
    """List what was checked, with the number and what it must exceed."""
    ax.set_axis_off()
    ax.set_title(_upper(certificate.message.removeprefix("proved: ")), fontsize=10.5)
    rows = len(certificate.hypotheses)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-rows + 0.3, 0.9)
    for row, item in enumerate(certificate.hypotheses):
        mark, colour = MARKS[item.holds]
        sign = ">" if item.strict else "≥"
        ax.text(0.0, -row, mark, color=colour, weight="bold", family="DejaVu Sans")
        ax.text(0.025, -row, item.name, color=INK)
        ax.text(
            0.56, -row, f"{number(item.value)}, needed {sign} {number(item.threshold)}", color=PALE
        )
        holds = {True: "holds", False: f"misses by {number(item.shortfall)}", None: "undecided"}
        ax.text(0.76, -row, holds[item.holds], color=colour)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
