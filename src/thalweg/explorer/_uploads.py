"""Tables that were handed to the page: kept in a folder that goes when the server goes."""

import re
import secrets
import tempfile
from pathlib import Path

from thalweg._core import DataError
from thalweg.data import inert

SUFFIXES = (".csv", ".npz", ".parquet", ".arrow", ".feather")
NUMBER = re.compile(r"[0-9a-f]{16}")


class Uploads:
    """Files under numbers of our own: names given by visitors never reach the file system."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._names: dict[str, tuple[str, Path]] = {}

    def keep(self, name: str, content: bytes) -> str:
        """Keep a file and return its number.

        Raises
        ------
        DataError
            If its kind is unknown, or it is empty.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in SUFFIXES:
            raise DataError(f"{inert(name)} has no known kind; use one of {', '.join(SUFFIXES)}")
        if not content:
            raise DataError(f"{inert(name)} is empty; a table with numbers is needed")
        while len(self._names) >= self.most:
            self._names.pop(next(iter(self._names)))[1].unlink(missing_ok=True)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="thalweg-explorer-")
        number = secrets.token_hex(8)
        path = Path(self._folder.name) / f"{number}{suffix}"
        path.write_bytes(content)
        self._names[number] = (name, path)
        return number

    def path(self, number: str) -> Path:
        """Return where a file is.

        Raises
        ------
        DataError
            If there is none under this number.
        """
        if not NUMBER.fullmatch(number) or number not in self._names:
            raise DataError("this upload is no longer here; hand the file over again")
        return self._names[number][1]

    def close(self) -> None:
        """Remove all."""
        if self._folder is not None:
            self._folder.cleanup()
