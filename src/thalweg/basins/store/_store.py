"""A sweep in a folder: Parquet chunks that are whole, checked, and written by one process each."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from thalweg._core import StoreError
from thalweg.basins._notice import notice
from thalweg.basins.store import _disk
from thalweg.basins.store._chunk_file import NAME, DamagedError, decode, encode, is_increasing
from thalweg.basins.store._create import QUARANTINE, begin
from thalweg.basins.store._lock import Lock
from thalweg.basins.store._manifest import (
    NAME as MANIFEST,
    DamagedManifestError,
    Manifest,
    read_manifest,
    refuse_difference,
)
from thalweg.basins.store._shard import WHOLE, Shard

PROBE = b"thalweg looks whether it can write here\n"


class Store:
    """A folder of chunks; enter it (``with``) to write, reading needs no lock.

    Made by `create_or_open` or `open`. Truth is the content of the files alone: no times, no
    markers. A chunk is there if every byte of it is what was written by this run.

    Attributes
    ----------
    path
        The folder; its ``*.parquet`` files are the chunks.
    manifest
        The plan, its fingerprint, the number of chunks, the version that wrote it.
    shard
        The part of the chunks that is written here.
    notes
        What was put right, in the order of finding.
    """

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        shard: Shard = WHOLE,
        report: Callable[[str], None] | None = None,
    ) -> None:
        self.path, self.manifest, self.shard = path, manifest, shard
        self.notes: list[str] = []
        self._report = report
        self._lock = Lock(path, shard)

    @classmethod
    def create_or_open(
        cls,
        path: str | Path,
        plan: dict[str, Any],
        fingerprint: str,
        chunks: int,
        *,
        shard: Shard = WHOLE,
        report: Callable[[str], None] | None = None,
    ) -> Self:
        """Make the store of a plan, or open it where it exists already.

        Parameters
        ----------
        path
            A new or empty folder, or the store of this very plan.
        plan, fingerprint, chunks
            All that is needed to go on; hash of all that rows depend on; number of chunks.
        shard
            The part of the chunks that this process writes.
        report
            Called with a line on everything that is put right; without it, `SweepWarning`.

        Returns
        -------
        Store

        Raises
        ------
        StoreError
            If the folder holds something else, another plan or another format, or cannot be used.
        """
        folder = Path(path)
        wanted = Manifest(json.loads(json.dumps(plan, allow_nan=False)), fingerprint, chunks)
        try:
            there = read_manifest(folder)
        except DamagedManifestError:
            notes = begin(folder, wanted)
            there = read_manifest(folder)
        else:
            notes = []
        refuse_difference(folder, there, wanted)
        store = cls(folder, there, shard, report)
        for note in notes:
            store._note(note)
        return store

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        shard: Shard = WHOLE,
        report: Callable[[str], None] | None = None,
    ) -> Self:
        """Open a store by what it says about itself.

        Returns
        -------
        Store

        Raises
        ------
        StoreError
            If there is none, or its manifest is damaged or of another format.
        """
        folder = Path(path)
        try:
            return cls(folder, read_manifest(folder), shard, report)
        except DamagedManifestError as error:
            raise StoreError(
                f"{folder / MANIFEST} is {error}; if this is the store of a sweep, "
                f"give its plan again with --store and it is written anew"
            ) from error

    def __enter__(self) -> Self:
        """Take the lock, prove that the folder can be written, clear what crashes left."""
        self._lock.acquire()
        try:
            _disk.put(self.path, f"{_disk.TEMPORARY}probe-{self._lock.path.name}", PROBE)
            for name in self._names():
                if name.startswith(_disk.TEMPORARY) and self._is_mine(name):
                    _disk.remove(self.path / name)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock back."""
        self._lock.release()

    @property
    def ids(self) -> range:
        """Numbers of the chunks that are written here."""
        return self.shard.ids(self.manifest.chunks)

    def missing(self) -> list[int]:
        """Check every byte of this part's chunks and return the numbers still to be computed.

        Under the lock, damaged files are moved to ``_quarantine`` and said so; without it they
        are only reported.

        Returns
        -------
        list of int

        Raises
        ------
        StoreError
            If the folder cannot be read.
        """
        there = {chunk for chunk, _ in self._tables(self.shard)}
        return [chunk for chunk in self.ids if chunk not in there]

    def write(self, chunk: int, table: pa.Table) -> None:
        """Store the rows of a chunk durably; a chunk that is there is replaced.

        Parameters
        ----------
        chunk
            Its number, one of `ids`.
        table
            Its rows, with the key column ``index``.

        Raises
        ------
        StoreError
            If this process has no lock on the chunk, or it could not be written and read back.
        """
        if not self._lock.held or chunk not in self.ids:
            raise StoreError(
                f"chunk {chunk} of {self.path} is not locked by this process; "
                f"write inside 'with store:' and only chunks of {self.shard}"
            )
        name, content = encode(table, chunk, self.manifest.fingerprint)
        _disk.put(self.path, name, content)

    def batches(self) -> Iterator[pa.Table]:
        """Go through the finished chunks in order, one in memory at a time, each checked.

        Returns
        -------
        iterator of Table
            Rows sorted by ``index`` within each.

        Raises
        ------
        StoreError
            If the folder cannot be read.
        """
        return (table for _, table in self._tables(WHOLE))

    def read(self) -> pa.Table:
        """Return the rows of all finished chunks, sorted by ``index``.

        Returns
        -------
        Table
            With no column if nothing is finished.

        Raises
        ------
        StoreError
            If the folder cannot be read.
        """
        tables = list(self.batches())
        if not tables:
            return pa.table({})
        table = pa.concat_tables(tables)
        return table if is_increasing(table.column("index")) else table.sort_by("index")

    def _tables(self, shard: Shard) -> Iterator[tuple[int, pa.Table]]:
        """Go through the valid chunks of a part; put right what is not, where it may."""
        last = -1
        for chunk, name in sorted(self._found()):
            if chunk < self.manifest.chunks and chunk not in shard.ids(self.manifest.chunks):
                continue
            try:
                content = _disk.get(self.path / name)
                table = decode(name, content, self.manifest.fingerprint)
                if chunk == last:
                    raise DamagedError("the same chunk is there twice")
                if chunk >= self.manifest.chunks:
                    raise DamagedError("there is no such chunk in the plan")
            except DamagedError as error:
                self._damaged(name, str(error))
            except FileNotFoundError:
                continue  # moved by its writer while we read
            except OSError as error:
                _disk.fail(self.path / name, error, "read")
            else:
                last = chunk
                yield chunk, table

    def _found(self) -> Iterable[tuple[int, str]]:
        """Return number and name of every file that readers of *.parquet will see."""
        for name in self._names():
            match = NAME.fullmatch(name)
            if match is not None:
                yield int(match[1]), name
            elif name.endswith(".parquet") and not name.startswith((".", "_")):
                self._note(
                    f"{self.path / name} is no chunk of this store; other programs that read "
                    f"*.parquet will take it for one, so move it away"
                )

    def _names(self) -> list[str]:
        try:
            return sorted(item.name for item in self.path.iterdir())
        except OSError as error:
            _disk.fail(self.path, error, "read")

    def _is_mine(self, name: str) -> bool:
        """Say whether a temporary file belongs to the part that is locked here."""
        match = NAME.match(name.removeprefix(_disk.TEMPORARY))
        if match is not None:
            return int(match[1]) % self.shard.of == self.shard.part
        return name.endswith(self._lock.path.name) or self.shard == WHOLE

    def _damaged(self, name: str, reason: str) -> None:
        if not self._lock.held:
            self._note(f"{self.path / name} is not used: {reason}; the next run computes it again")
            return
        goal = _disk.set_aside(self.path / name, self.path / QUARANTINE)
        self._note(f"{self.path / name} is not used: {reason}; moved to {goal}, computed again")

    def _note(self, text: str) -> None:
        if text in self.notes:
            return
        self.notes.append(text)
        notice(text, self._report)
