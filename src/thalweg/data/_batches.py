"""Columns of `.csv`, `.parquet` and `.arrow` files, batch by batch."""

import contextlib
import dataclasses
import os
import pathlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._core import DataError
from thalweg.data._inert import inert

FORMATS = (".csv", ".parquet", ".arrow", ".feather")
ROWS = 65_536
SAMPLE = 2**16
DECIMAL_COMMA = re.compile(r"^\s*-?\d*,\d+\s*$")


@dataclasses.dataclass(frozen=True)
class Source:
    """A table on disk that can be run through from the start any number of times.

    Attributes
    ----------
    path
        The file.
    schema
        Arrow schema: names and types of the columns.
    n_rows
        Number of rows if the file tells, else ``None``.
    batches
        Called without arguments, yields Arrow record batches.
    """

    path: pathlib.Path
    schema: Any
    n_rows: int | None
    batches: Callable[[], Iterator[Any]]


def open_source(path: pathlib.Path) -> Source:
    """Open a table on disk.

    Raises
    ------
    DataError
        If the file cannot be read, or names a column twice.
    """
    with readable(path):
        if path.stat().st_size == 0:
            raise DataError(f"{inert(path.name)} is empty; a header and rows are needed")
        kind = path.suffix.lower()
        opener = {".csv": _csv, ".parquet": _parquet}.get(kind, _arrow)
        source = opener(path)
        names = source.schema.names  # decodes them: bytes that are no text fail here
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise DataError(
            f"{inert(path.name)} has two columns named {inert(twice)!r}; rename one of them"
        )
    return source


@contextlib.contextmanager
def readable(path: pathlib.Path) -> Iterator[None]:
    """Turn the errors of the readers into one line."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, MemoryError, OverflowError) as error:
        why = inert(str(error).split("\n", 1)[0], 160)
        raise DataError(
            f"cannot read {inert(path.name)} as {path.suffix.lower().lstrip('.')}: {why}"
        ) from None
    except OSError as error:
        why = inert(str(error.strerror or error).split("\n", 1)[0], 160)
        raise DataError(f"cannot read {inert(path.name)}: {why}") from None


def column_names(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the columns of a table on disk, harmless to show.

    Raises
    ------
    DataError
        If the file cannot be read, or names a column twice.
    """
    return [inert(name) for name in open_source(pathlib.Path(path)).schema.names]


def _csv(path: pathlib.Path) -> Source:
    import pyarrow as pa
    from pyarrow import csv

    parse, convert = _dialect(path)

    def reader(columns: dict[str, Any] | None = None) -> Any:
        options = csv.ConvertOptions(
            column_types=columns,
            decimal_point=convert,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        return csv.open_csv(
            path,
            read_options=csv.ReadOptions(block_size=4 * 2**20),
            parse_options=csv.ParseOptions(delimiter=parse),
            convert_options=options,
        )

    with reader() as first:
        schema = first.schema

    # A column of whole numbers may go on with fractions: read all numbers as doubles.
    number = (pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
    types = {
        field.name: pa.float64()
        for field in schema
        if any(is_kind(field.type) for is_kind in number)
    }

    whole = [field.name for field in schema if pa.types.is_integer(field.type)]

    def batches() -> Iterator[Any]:
        with readable(path), reader(types) as stream:
            for batch in stream:
                _refuse_lost_digits(batch, whole)
                yield from _slices(batch)

    return Source(path, schema, None, batches)


def _slices(batch: Any) -> Iterator[Any]:
    """Cut a batch, however long its writer made it; nothing is copied."""
    return (batch.slice(begin, ROWS) for begin in range(0, batch.num_rows, ROWS))


def _refuse_lost_digits(batch: Any, names: list[str]) -> None:
    """Refuse whole numbers that a double has rounded."""
    import pyarrow.compute as pc

    places = {name: place for place, name in enumerate(batch.schema.names)}
    for name in names:
        ends = pc.min_max(batch.column(places[name])).as_py()
        if max(abs(ends["min"] or 0.0), abs(ends["max"] or 0.0)) >= 2.0**53:
            raise DataError(
                f"column {inert(name)!r} has whole numbers beyond 2**53, which doubles cannot "
                "hold; scale the column or leave it out"
            )


def _dialect(path: pathlib.Path) -> tuple[str, str]:
    """Guess delimiter and decimal point from the beginning of the file."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if b"\0" in head:
        raise DataError(f"{inert(path.name)} is not a text file; a .csv in UTF-8 is needed")
    lines = head.decode("utf-8-sig", errors="replace").splitlines()[:20]
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    cells = [cell for line in lines[1:] for cell in line.split(delimiter)]
    comma = delimiter != "," and any(DECIMAL_COMMA.match(cell) for cell in cells)
    return delimiter, "," if comma else "."


def _parquet(path: pathlib.Path) -> Source:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows

    def batches() -> Iterator[Any]:
        with readable(path), parquet.ParquetFile(path, pre_buffer=False) as stream:
            yield from stream.iter_batches(batch_size=ROWS, use_threads=False)

    return Source(path, schema, rows, batches)


def _arrow(path: pathlib.Path) -> Source:
    import pyarrow as pa

    def reader(file: Any) -> Any:
        try:
            return pa.ipc.open_file(file)
        except pa.ArrowInvalid:
            file.seek(0)
            return pa.ipc.open_stream(file)

    with pa.memory_map(str(path)) as file:
        schema = reader(file).schema

    def batches() -> Iterator[Any]:
        with readable(path), pa.memory_map(str(path)) as stream:
            source = reader(stream)
            if hasattr(source, "num_record_batches"):
                parts = (source.get_batch(i) for i in range(source.num_record_batches))
            else:
                parts = source
            for part in parts:
                yield from _slices(part)

    return Source(path, schema, None, batches)
