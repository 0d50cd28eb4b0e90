"""`.safetensors` files: every claim of the header is checked before a number is read.

Format: the length of a JSON header (8 bytes, little-endian), the header, then the numbers of all
tensors without gaps (https://huggingface.co/docs/safetensors).
"""

import dataclasses
import itertools
import json
import math
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np

from thalweg._core import Array, DataError
from thalweg.data._inert import inert
from thalweg.data._numpy_files import RawArray, check_size

HEADER = 2**20
"""Bytes that a header may have: some ten thousand layers."""
MOST_DIMENSIONS = 8
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
"""Types that are read; bfloat16 is the upper half of a float32."""
MEND = "write it again with safetensors.numpy.save_file"


@dataclasses.dataclass(frozen=True)
class Entry:
    """What the header says of one tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_safetensors(path: pathlib.Path) -> dict[str, RawArray]:
    """Read all tensors of a file, by their names, in the order in which they are stored.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict of str to ndarray
        Floating arrays; bfloat16 comes as float32.

    Raises
    ------
    DataError
        If the file is damaged or forged, too large, or holds anything but floating numbers.
    """
    name = inert(path.name)
    try:
        with path.open("rb") as file:
            entries = _read_header(file, os.fstat(file.fileno()).st_size, name)
            check_size((item.shape for item in entries), name)
            return {item.name: _read_tensor(file, item, name) for item in entries}
    except OSError as error:
        raise DataError(f"cannot read {inert(path)}: {error.strerror or error}") from None


def safetensors_bytes(arrays: dict[str, Array]) -> bytes:
    """Return the content of a file that holds doubles."""
    header: dict[str, Any] = {}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": "F64", "shape": array.shape, "data_offsets": (begin, end)}
    text = json.dumps(header, separators=(",", ":")).encode()
    # Readers that map the file want aligned numbers.
    text += b" " * (-len(text) % 8)
    numbers = (array.astype("<f8", order="C", copy=False).tobytes() for array in arrays.values())
    return b"".join([len(text).to_bytes(8, "little"), text, *numbers])


def _read_header(file: IO[bytes], size: int, name: str) -> list[Entry]:
    """Read the header of a file of `size` bytes; return the tensors by their place."""
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= size - 8:
        raise DataError(
            f"{name} is no .safetensors file: a header of {length} bytes does not fit into {size}; "
            f"it is truncated or of another format, {MEND}"
        )
    if length > HEADER:
        raise DataError(f"{name} has a header of {length} bytes, at most {HEADER} are read; {MEND}")
    table = _parse(file.read(length), name)
    about = table.pop("__metadata__", {})
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise DataError(f"__metadata__ in {name} must hold texts only; {MEND}")
    entries = [_entry(key, item, name) for key, item in table.items()]
    entries.sort(key=lambda item: (item.begin, item.end))
    _check_places(entries, size - 8 - length, name)
    return entries


def _parse(text: bytes, name: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) != len(pairs):
            raise ValueError("a key occurs twice")
        return out

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no length")

    try:
        if not text.startswith(b"{"):
            raise ValueError("it does not begin with a brace")
        table = json.loads(
            text.decode(), object_pairs_hook=unique, parse_constant=refuse, parse_float=refuse
        )
    except (ValueError, RecursionError) as error:
        why = inert(str(error).split("\n", 1)[0], 100)
        raise DataError(f"the header of {name} is not valid ({why}); {MEND}") from None
    return dict(table)


def _entry(key: str, item: Any, name: str) -> Entry:
    where = f"{inert(key)} in {name}"
    if not isinstance(item, dict) or item.keys() != {"dtype", "shape", "data_offsets"}:
        raise DataError(f"{where} needs exactly dtype, shape and data_offsets; {MEND}")
    dtype, shape, place = item["dtype"], item["shape"], item["data_offsets"]
    if not (isinstance(dtype, str) and dtype in DTYPES):
        given = inert(dtype, 24) if isinstance(dtype, str) else "unknown"
        raise DataError(
            f"{where} has dtype {given}; {', '.join(DTYPES)} are read, convert it to float first"
        )
    if not _are_lengths(shape) or len(shape) > MOST_DIMENSIONS:
        raise DataError(f"the shape of {where} must be at most 8 whole numbers; {MEND}")
    if not _are_lengths(place) or len(place) != 2:
        raise DataError(f"data_offsets of {where} must be two whole numbers, not negative; {MEND}")
    begin, end = place
    wanted = math.prod(shape) * np.dtype(DTYPES[dtype]).itemsize
    if end - begin != wanted:
        raise DataError(
            f"{where} claims shape {tuple(shape)} ({inert(wanted)} bytes) but its place has "
            f"{inert(end - begin)}; the file is forged or damaged"
        )
    return Entry(key, dtype, tuple(shape), begin, end)


def _are_lengths(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(item) is int and 0 <= item < 2**63 for item in value
    )


def _check_places(entries: Sequence[Entry], size: int, name: str) -> None:
    """Check that the tensors fill the rest of the file: no gap, no overlap, nothing behind."""
    ends: Iterable[int] = (item.end for item in entries)
    for item, before in zip(entries, itertools.chain([0], ends), strict=False):
        if item.begin != before:
            what = "overlaps the tensor before it" if item.begin < before else "follows a gap"
            raise DataError(
                f"{inert(item.name)} in {name} {what} (it begins at byte {item.begin}, not "
                f"{before}); the file is forged or damaged"
            )
    last = entries[-1].end if entries else 0
    if last != size:
        raise DataError(
            f"{name} holds {size} bytes of numbers, its header describes {last}; "
            "the file is truncated or forged"
        )


def _read_tensor(file: IO[bytes], item: Entry, name: str) -> RawArray:
    data = file.read(item.end - item.begin)
    if len(data) != item.end - item.begin:
        raise DataError(f"{name} became shorter while it was read; try again")
    array = np.frombuffer(data, dtype=DTYPES[item.dtype]).reshape(item.shape)
    if item.dtype == "BF16":
        return (array.astype("<u4") << 16).view("<f4")
    return array
