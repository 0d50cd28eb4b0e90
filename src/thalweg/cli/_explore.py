"""`thalweg explore`: the local web page."""

import urllib.parse
from pathlib import Path

import click

from thalweg._core import DataError
from thalweg.cli._output import say
from thalweg.data import inert
from thalweg.datasets import names


@click.command("explore")
@click.argument("data", required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option(
    "--stores",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of sweeps to open, and to keep new ones in.",
)
@click.option("--traceback", is_flag=True, expose_value=False, help="Show where errors arise.")
def command(data: str | None, *, port: int, no_browser: bool, stores: Path | None) -> None:
    """Watch flows and walk through the landscape in a page that this machine serves to itself.

    DATA is a bundled name; tables are handed over on the page. Ctrl-C ends it.
    """
    from thalweg.explorer import serve

    first = _first_screen(data)
    serve(port=port, browser=not no_browser, fragment=first, stores=stores, say=say)


def _first_screen(data: str | None) -> str:
    """Return the part of the address after ``#``.

    Raises
    ------
    DataError
        If `data` is not bundled.
    """
    if data is None:
        return ""
    if data not in names():
        known = ", ".join(names())
        raise DataError(
            f"{inert(data)!r} is not bundled; hand your table over on the page ({known})"
        )
    return f"/flow?{urllib.parse.urlencode({'data': data, 'go': 1})}"
