"""The folder with sweeps that were kept."""

import re
from pathlib import Path
from typing import Any

from thalweg._core import DataError
from thalweg.data import inert

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


class Shelf:
    """Sweeps under one folder, known by the names of their folders and by nothing else."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else folder.resolve()

    def names(self) -> list[str]:
        """Return the names of the sweeps."""
        if self.folder is None or not self.folder.is_dir():
            return []
        return sorted(path.parent.name for path in self.folder.glob("*/_manifest.json"))

    def path(self, name: Any) -> Path:
        """Return where a sweep is, or will be.

        Raises
        ------
        DataError
            If nothing is kept here, or the name is none.
        """
        if self.folder is None:
            raise DataError("sweeps are not kept; start with thalweg explore --stores DIR")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise DataError(f"{inert(name)!r} is no name; use letters, digits, - and _")
        path = self.folder / name
        if path.resolve().parent != self.folder:
            raise DataError(f"{inert(name)!r} leads out of the folder of the sweeps")
        return path
