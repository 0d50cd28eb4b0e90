"""What a command prints: results to standard output, everything else to standard error."""

import json
from collections.abc import Iterable
from typing import Any

import click

from thalweg.data import inert


def say(text: str) -> None:
    """Print a line for people to standard error, control characters made harmless."""
    click.echo(inert(text, 2000), err=True)


def tell(text: str) -> None:
    """Print lines to standard output, control characters made harmless."""
    for line in text.splitlines() or [""]:
        click.echo(inert(line, 2000))


def tell_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Print label and text in two columns."""
    pairs = list(rows)
    width = max((len(label) for label, _ in pairs), default=0)
    for label, text in pairs:
        tell(f"{label:<{width}}  {text}")


def tell_json(document: dict[str, Any]) -> None:
    """Print one JSON document; NaN and infinities have become null before."""
    click.echo(json.dumps(document, allow_nan=False, ensure_ascii=False))
