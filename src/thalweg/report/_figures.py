"""The pictures beside a page, as files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from thalweg._core import DataError, write_whole
from thalweg.report._pictures import rendered

FORMATS = ("png", "svg", "pdf")


def check_formats(formats: Sequence[str]) -> None:
    """Refuse formats that no picture is written in, before anything is drawn.

    Raises
    ------
    DataError
        If a format is unknown.
    """
    unknown = [item for item in formats if item not in FORMATS]
    if unknown:
        raise DataError(f"formats must be among {', '.join(FORMATS)}, got {unknown[0]!r}")


def write_figures(
    figures: Iterable[tuple[str, Figure]], folder: Path, formats: Sequence[str]
) -> None:
    """Write every picture in every format into ``figures/`` of the folder."""
    for stem, figure in figures:
        for suffix in formats:
            write_whole(folder / "figures" / f"{stem}.{suffix}", rendered(figure, suffix))
