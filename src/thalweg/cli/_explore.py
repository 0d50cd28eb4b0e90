"""`thalweg explore`: the local web page."""

import urllib.parse

import click

from thalweg.cli._output import say
from thalweg.datasets import names


@click.command("explore")
@click.argument("data", required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--traceback", is_flag=True, expose_value=False, help="Show where errors arise.")
def command(data: str | None, *, port: int, no_browser: bool) -> None:
    """Watch flows and walk through the landscape in a page that this machine serves to itself.

    DATA is a bundled name; tables are handed over on the page. Ctrl-C ends it.
    """
    from thalweg.explorer import serve

    if data is not None and data not in names():
        known = ", ".join(names())
        raise click.UsageError(f"DATA must be one of {known}; hand tables over on the page")
    fragment = "" if data is None else f"/flow?{urllib.parse.urlencode({'data': data})}"
    serve(port=port, browser=not no_browser, fragment=fragment, say=say)
