"""What proves a verdict: the loss along the witness, and the Hessian's spectrum."""

import matplotlib
from matplotlib.figure import Figure

from thalweg._core import DataError, learned_words
from thalweg.landscape import Verdict
from thalweg.plot._kinds import LOOKS
from thalweg.plot._line_panels import drop_panel, line_panel
from thalweg.plot._spectrum_panels import inertia_panel, spectrum_panel
from thalweg.plot._style import PALE, SETTINGS


def verdict_panels(verdict: Verdict) -> list[str]:
    """Return which panels of a verdict there are, in the order in which they are read.

    ``"line"`` and ``"drop"``: the loss along the witness or the descent curve; ``"spectrum"`` or,
    where only the counts are known, ``"inertia"``.
    """
    panels = []
    if verdict.descent_curve is not None:
        panels += ["line", "drop"]
    elif verdict.line is not None:
        panels.append("line")
    if verdict.eigenvalues is not None:
        panels.append("spectrum")
    elif verdict.inertia is not None:
        panels.append("inertia")
    return panels


def draw_verdict(verdict: Verdict) -> Figure:
    """Draw what proves a verdict.

    Parameters
    ----------
    verdict
        The verdict.

    Returns
    -------
    Figure
        With an axes for each of `verdict_panels`, labelled by its name (``ax.get_label()``).

    Raises
    ------
    DataError
        If the verdict has neither a line along which the loss falls nor a spectrum.
    """
    panels = verdict_panels(verdict)
    kind = LOOKS[verdict.kind,].name
    if not panels:
        raise DataError(
            f"this verdict ({kind}) has no witness and no Hessian spectrum to draw; classify a "
            "saddle, or a critical point of a network small enough for its whole spectrum"
        )
    with matplotlib.rc_context(SETTINGS):
        rows = 2 if len(panels) == 3 else 1
        figure = Figure(figsize=(8.2, 3.9 * rows))
        figure.set_layout_engine("constrained", h_pad=0.12)
        grid = figure.add_gridspec(rows, min(len(panels), 2))
        for place, name in enumerate(panels):
            # The third panel goes below the other two, across.
            ax = figure.add_subplot(grid[1, :] if place == 2 else grid[0, place])
            ax.set_label(name)
            _DRAWN[name](ax, verdict)
        note = f"{kind}, {learned_words(verdict.learned)}; decided by: {verdict.rule}"
        figure.supxlabel(note, fontsize=8, color=PALE, x=0.01, ha="left")
    return figure


_DRAWN = {
    "line": line_panel,
    "drop": drop_panel,
    "spectrum": spectrum_panel,
    "inertia": inertia_panel,
}
