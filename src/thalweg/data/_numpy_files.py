"""`.npy` and `.npz` files, never unpickled and never larger than they claim to be."""

import io
import math
import pathlib
import zipfile
import zlib
from collections.abc import Callable, Iterable
from typing import IO, Any

import numpy as np

from thalweg._core import DataError
from thalweg.data._inert import inert

LARGEST = 4 * 2**30
"""Bytes that one file may expand to."""
FREE = 64 * 2**20
"""Bytes below which any compression ratio is accepted."""
RATIO = 200
"""Compression ratio above which a larger member is refused."""
KINDS = {"O": "Python objects (a pickle)", "c": "complex numbers", "M": "dates", "m": "durations"}
NEEDED = "real numbers are needed"
RawArray = np.ndarray[Any, Any]
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,
)
"""What damaged archives make the reader raise."""
PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""The compressions that NumPy writes; others may ask for gigabytes before their first byte."""


def read_npy(path: pathlib.Path) -> RawArray:
    """Read one array from a `.npy` file.

    Raises
    ------
    DataError
        If the file is damaged, too large, or holds anything but numbers.
    """
    try:
        with path.open("rb") as file:
            return _read_array(file, path.stat().st_size, inert(path.name))
    except OSError as error:
        raise DataError(f"cannot read {inert(path)}: {error.strerror or error}") from None


def read_arrays(
    path: pathlib.Path, wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, RawArray]:
    """Read the wanted arrays of an `.npz` file, by their names.

    Raises
    ------
    DataError
        If the archive is damaged, expands too far, repeats a name or holds anything but numbers.
    """
    name = inert(path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(members, name)
            return {
                key: _read_member(archive, item, name)
                for item in members
                if wanted(key := item.filename.removesuffix(".npy"))
            }
    except UNREADABLE as error:
        raise DataError(
            f"{name} is not a readable .npz archive ({inert(error)}); write it again with np.savez"
        ) from None
    except OSError as error:
        raise DataError(f"cannot read {inert(path)}: {error.strerror or error}") from None


def check_size(shapes: Iterable[tuple[int, ...]], name: str) -> None:
    """Refuse arrays that take too much memory as doubles, before any is made.

    Raises
    ------
    DataError
        If they take more than `LARGEST` bytes together.
    """
    total = 8 * sum(math.prod(shape) for shape in shapes)
    if total > LARGEST:
        raise DataError(
            f"{name} takes {total / 2**30:.3g} GiB as doubles, at most {LARGEST / 2**30:.0f} GiB "
            "are read; use smaller widths"
        )


def _check_members(members: list[zipfile.ZipInfo], name: str) -> None:
    names = [item.filename for item in members]
    if len(set(names)) != len(names):
        raise DataError(f"{name} holds the same name twice; write it again with np.savez")
    odd = next((item for item in names if not item.endswith(".npy")), None)
    if odd is not None:
        raise DataError(f"{name} holds {inert(odd)!r}, which is not an array; use np.savez")
    if any(item.compress_type not in PACKED for item in members):
        raise DataError(f"{name} is compressed in a way that NumPy never uses; use np.savez")
    total = sum(item.file_size for item in members)
    if total > LARGEST:
        raise DataError(
            f"{name} expands to {total / 2**30:.1f} GiB, at most {LARGEST / 2**30:.0f} GiB are "
            "read; write the table as .parquet, which is read in batches"
        )
    for item in members:
        if item.file_size > FREE and item.file_size > RATIO * max(item.compress_size, 1):
            raise DataError(
                f"{inert(item.filename)} in {name} expands {item.file_size // item.compress_size} "
                f"times, at most {RATIO} is accepted; store it uncompressed with np.savez"
            )


def _read_member(archive: zipfile.ZipFile, item: zipfile.ZipInfo, name: str) -> RawArray:
    with archive.open(item) as file:
        return _read_array(file, item.file_size, f"{inert(item.filename)} in {name}")


def _read_array(file: IO[bytes], size: int, name: str) -> RawArray:
    """Read an array whose header must agree with `size`, the bytes that are there."""
    damaged = f"{name} is not a readable .npy array; write it again with np.save"
    try:
        version = np.lib.format.read_magic(file)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = reader(file, max_header_size=10_000)
    except (ValueError, KeyError, EOFError, UnicodeDecodeError, TypeError) as error:
        what = "pickled objects" if "allow_pickle" in str(error) else None
        raise DataError(f"{name} holds {what}; {NEEDED}" if what else damaged) from None
    if dtype.kind not in "fiub":
        held = KINDS.get(dtype.kind, f"type {dtype}")
        raise DataError(f"{name} holds {held}; {NEEDED}, save an array of floats")
    if any(type(length) is not int or length < 0 for length in shape):
        raise DataError(damaged)
    wanted = math.prod(shape) * dtype.itemsize
    if wanted != size - file.tell():
        raise DataError(
            f"{name} claims shape {shape} ({wanted} bytes) but holds {size - file.tell()}; "
            "the file is truncated or forged"
        )
    if wanted > LARGEST:
        raise DataError(
            f"{name} has {wanted / 2**30:.1f} GiB, at most {LARGEST / 2**30:.0f} GiB are read; "
            "write the table as .parquet, which is read in batches"
        )
    data = io.BytesIO(file.read(wanted)).getbuffer()
    if len(data) != wanted:
        raise DataError(damaged)
    array = np.frombuffer(data, dtype=dtype)
    return array.reshape(shape, order="F" if fortran else "C")
