"""The files that commands keep."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from thalweg._core import DataError, StoreError, write_whole
from thalweg.data import inert


def check_writable(folder: Path) -> None:
    """Make sure before computing that results can be written to a folder.

    Raises
    ------
    DataError
        If they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".thalweg-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DataError(
            f"cannot write to {inert(folder)}: {error.strerror or error}; choose another --out"
        ) from None


def write_all(tasks: Sequence[Callable[[], Path]]) -> tuple[list[Path], list[str]]:
    """Write one file after the other; one that fails does not stop the others."""
    files, trouble = [], []
    for task in tasks:
        try:
            files.append(task())
        except StoreError as error:
            trouble.append(str(error))
    return files, trouble


def write_json(document: dict[str, Any], path: Path) -> Path:
    """Write a document for people and programs."""
    text = json.dumps(document, allow_nan=False, indent=1, ensure_ascii=False)
    return write_whole(path, text.encode())


def write_picture(figure: Any, path: Path, **options: Any) -> Path:
    """Write a figure in the format that the suffix says; the same figure gives the same bytes."""
    import matplotlib

    from thalweg.plot import SETTINGS  # slow to import

    kind = path.suffix.removeprefix(".")
    fixed: dict[str, Any] = {"metadata": {"Date": None}} if kind == "svg" else {}
    buffer = io.BytesIO()
    with matplotlib.rc_context(SETTINGS):
        figure.savefig(buffer, format=kind, **fixed, **options)
    return write_whole(path, buffer.getvalue())
