"""One chunk as one Parquet file that proves what it is.

The name ends in the SHA-256 of the content, so that a rename publishes both at once: no second
file has to be kept in step. The content names its run and its number.
"""

import hashlib
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from thalweg._core import DataError

FORMAT = "1"
DIGEST = 32  # hexadecimal digits of the SHA-256 in a name: 128 bits
NAME = re.compile(rf"chunk-(\d{{6,}})-([0-9a-f]{{{DIGEST}}})\.parquet")
# Everything that the bytes of a file depend on is fixed here; nothing depends on time or place.
_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "version": "2.6",
    "data_page_version": "1.0",
    "use_dictionary": False,
    "write_page_checksum": True,
    "row_group_size": 1 << 30,
}


class DamagedError(Exception):
    """A file is not the chunk that its name says."""


def encode(table: pa.Table, chunk: int, fingerprint: str) -> tuple[str, bytes]:
    """Turn the rows of a chunk into a file name and its content; equal rows give equal bytes.

    Raises
    ------
    DataError
        If the key column ``index`` is missing, or a row has none or the same as another.
    """
    if "index" not in table.column_names:
        raise DataError(f"chunk {chunk} has no column 'index'; every row needs its start's number")
    index = table.column("index")
    sorted_already = is_increasing(index)
    if not sorted_already and (index.null_count or pc.count_distinct(index).as_py() != len(index)):
        raise DataError(f"chunk {chunk} has rows without an index of their own")
    stamp = {"thalweg.format": FORMAT, "thalweg.run": fingerprint, "thalweg.chunk": str(chunk)}
    if not sorted_already:
        table = table.sort_by("index")
    table = table.combine_chunks().replace_schema_metadata(stamp)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **_OPTIONS)
    content = sink.getvalue().to_pybytes()
    return f"chunk-{chunk:06d}-{_digest(content)}.parquet", content


def decode(name: str, content: bytes, fingerprint: str) -> pa.Table:
    """Return the rows of a file after checking every byte of it.

    Raises
    ------
    DamagedError
        If the content is not what was written under that name by that run.
    """
    match = NAME.fullmatch(name)
    if match is None:
        raise DamagedError("its name is not one of a chunk")
    if _digest(content) != match[2]:
        raise DamagedError("its bytes are not those that were written (SHA-256)")
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        table = file.read()
    except Exception as error:  # whatever the reader makes of bytes that are no Parquet
        raise DamagedError(f"it cannot be read ({type(error).__name__})") from error
    stamp = table.schema.metadata or {}
    if stamp.get(b"thalweg.format") != FORMAT.encode():
        raise DamagedError("it has another format")
    if stamp.get(b"thalweg.run") != fingerprint.encode():
        raise DamagedError("it belongs to another run")
    if stamp.get(b"thalweg.chunk") != str(int(match[1])).encode():
        raise DamagedError("it is another chunk than its name says")
    return table.replace_schema_metadata(None)


def is_increasing(index: pa.ChunkedArray) -> bool:
    """Say whether every number of a column is there and larger than the one before."""
    if index.null_count or not pa.types.is_integer(index.type):
        return False
    numbers = index.to_numpy()
    return bool(np.all(numbers[1:] > numbers[:-1]))


def run_of(content: bytes) -> str | None:
    """Return the run that a file says it belongs to, None where it cannot be read."""
    try:
        stamp = pq.read_schema(pa.BufferReader(content)).metadata or {}
    except Exception:  # whatever the reader makes of bytes that are no Parquet
        return None
    run: bytes = stamp.get(b"thalweg.run", b"")
    return run.decode("utf-8", "replace")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGEST]
