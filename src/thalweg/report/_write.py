"""Writing the page and its pictures."""

import os
from collections.abc import Sequence
from pathlib import Path

from thalweg._core import write_whole
from thalweg.basins import Sweep
from thalweg.certificate import Certificate
from thalweg.optimizers import Descent
from thalweg.plot import PANELS, draw
from thalweg.report._figures import check_formats, write_figures
from thalweg.report._page import page
from thalweg.report._pictures import landscape_figures, rendered
from thalweg.trajectory import Trajectory


def write(
    run: Trajectory,
    directory: str | os.PathLike[str],
    *,
    name: str,
    command: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
    sweep: Sweep | None = None,
    descent: Descent | None = None,
    proof: Certificate | None = None,
    start: str | None = None,
    sampled: bool = True,
) -> Path:
    """Write a run as one self-contained page, and its pictures as files.

    Parameters
    ----------
    run
        The run.
    directory
        Folder for ``report.html`` and ``figures/``; made if it is missing.
    name
        What the data are called, for the title.
    command
        The command that made the run, for whoever wants to repeat it.
    formats
        Of the pictures in ``figures/``: any of ``png``, ``svg``, ``pdf``; empty for none.
        With ``png`` all panels of the run are in ``figures/overview.png`` as well.
    sweep, descent
        A sweep over other starts, and training with an optimizer: sections of their own.
    proof
        The certificate of the run again, proved in ball arithmetic.
    start
        What the start is, with its seed.
    sampled
        Whether the problem comes from samples; with ``False`` the page speaks of a target alone.

    Returns
    -------
    Path
        Of ``report.html``: one file without scripts or network access, for screen (light and
        dark) and paper.

    Raises
    ------
    DataError
        If a format is unknown.
    StoreError
        If a file cannot be written. No file is ever half written.
    """
    check_formats(formats)
    folder = Path(directory)
    figures = {panel: draw(run, panel=panel) for panel in PANELS} if formats else {}
    figures |= landscape_figures(run) if formats else {}
    write_figures(figures.items(), folder, formats)
    if "png" in formats:
        overview = rendered(draw(run, panel="all"), "png", dpi=100)
        write_whole(folder / "figures" / "overview.png", overview)
    text = page(
        run,
        name,
        command,
        sweep=sweep,
        descent=descent,
        proof=proof,
        start=start,
        sampled=sampled,
    )
    return write_whole(folder / "report.html", text.encode())
