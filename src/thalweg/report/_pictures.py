"""Figures of a run as files and as SVG that becomes part of a page."""

import io
import re

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from thalweg.landscape import atlas
from thalweg.plot import (
    CYCLE,
    GRID,
    INK,
    PALE,
    PANELS,
    PAPER,
    SETTINGS,
    draw,
    verdict_panels,
)
from thalweg.trajectory import Trajectory

VARIABLES = {
    INK: "var(--ink)",
    GRID: "var(--grid)",
    PALE: "var(--pale)",
    PAPER: "none",
    **{colour: f"var(--c{index})" for index, colour in enumerate(CYCLE)},
}
"""Colour in the picture -> colour of the page, so that pictures follow light and dark."""

MOST_POINTS = 500
"""Points of a curve on the page; the files show more."""

ALT = {
    "loss": "Reducible loss over flow time, with critical values as horizontal lines.",
    "modes": "Learned strength of every direction of the target over flow time.",
    "singular_values": "Singular values of the network's map over flow time.",
    "drift": "Relative drift of the conserved matrices over flow time.",
    "norms": "Spectral norm of every layer over flow time, with proved bounds.",
    "atlas": "Critical values as heights, sets of learned directions as points, joined by lines.",
    "sweep-fractions": "Bars: share of starts with each ending, with 95 % intervals.",
    "sweep-times": "Share of starts whose limit is certified, over flow time.",
    "sweep-staircase": "Heat map: mean number of directions learned over flow time.",
    "sweep-map": "Heat map: share of global minima over two parameters of the starts.",
    "descent-loss": "Reducible loss at every step, next to that of the gradient flow.",
    "descent-drift": "Relative change of the conserved matrices at every step, with prediction.",
    "descent-identity": "Residual of the identity of every step.",
    "record-drift": "Relative drift of conserved quantities over steps, a line for each law.",
    "record-causes": "Bars: shares of what changed each conserved quantity.",
    "record-steps": "What changed the law with the largest drift, step by step.",
    "verdict": "Loss along the direction that proves the verdict; eigenvalues of the Hessian.",
}


def rendered(figure: Figure, suffix: str, dpi: int = 150) -> bytes:
    """Return a figure as the content of a file, the same bytes every time."""
    buffer = io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(buffer, format=suffix, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def landscape_figures(run: Trajectory) -> dict[str, Figure]:
    """Return the atlas with the path of a run and, if there is one, the picture of its verdict."""
    figures = {"atlas": draw(atlas(run.problem), run=run)}
    verdict = run.limit.verdict
    if verdict.kind not in {"undecided", "not_critical"} and verdict_panels(verdict):
        figures["verdict"] = draw(verdict)
    return figures


def inline_pictures(run: Trajectory) -> dict[str, Markup]:
    """Return every panel of a run as an ``<svg>`` element for a page."""
    return {
        name: inline(rendered(draw(run, panel=name, max_points=MOST_POINTS), "svg"), name)
        for name in PANELS
    }


def inline(svg: bytes, name: str) -> Markup:
    """Return a picture as an element: unique identifiers, the page's colours, no address."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    # Where paper covers something it is the page's, not nothing.
    text = text.replace(f"stroke: {PAPER}", "stroke: var(--paper)")
    text = text.replace(f"fill: {PAPER}; opacity", "fill: var(--paper); opacity")
    text = re.sub(
        r"#[0-9a-f]{6}\b", lambda found: VARIABLES.get(found.group(), found.group()), text
    )
    head, body = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    label = escape(ALT[name])
    return Markup(f'{head} role="img" aria-label="{label}">{body}')
