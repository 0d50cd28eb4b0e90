"""PyTorch state dicts (`.pt`, `.pth`), read without running anything that they contain."""

import contextlib
import pathlib
import re
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

from thalweg._core import DataError, MissingExtraError
from thalweg.data._inert import inert
from thalweg.data._numpy_files import LARGEST, RawArray, check_size

NEEDED = (2, 6)
"""Before this release ``weights_only=True`` could be made to run code (CVE-2025-32434)."""
PICKLE = 16 * 2**20
"""Bytes that the description of the tensors may have."""
MEND = "save it with torch.save(model.state_dict(), path)"


def read_state_dict(path: pathlib.Path) -> dict[str, RawArray]:
    """Read the tensors of a state dict, by their names, in its order.

    Parameters
    ----------
    path
        A file that ``torch.save`` wrote in its present format (since PyTorch 1.6).

    Returns
    -------
    dict of str to ndarray
        Doubles.

    Raises
    ------
    DataError
        If the file is anything but a flat table of names and dense floating tensors.
    MissingExtraError
        If PyTorch is missing, or too old to read files that nobody vouches for.
    """
    name = inert(path.name)
    _check_archive(path, name)
    torch = _import_torch(name)
    with _one_line(name):
        # Mapped storages end where the file ends; others would be read beyond.
        table = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    if not isinstance(table, dict):
        kind = inert(type(table).__name__)
        raise DataError(f"{name} holds a {kind}; a state dict is needed, {MEND}")
    for key, value in table.items():
        _check_tensor(torch, key, value, name)
    check_size((tuple(value.shape) for value in table.values()), name)
    with _one_line(name):
        return {
            key: value.detach().resolve_neg().to(torch.float64).numpy()
            for key, value in table.items()
        }


@contextlib.contextmanager
def _one_line(name: str) -> Iterator[None]:
    """Turn whatever a forged file makes PyTorch raise or warn of into one line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        told = re.search(r"(?:WeightsUnpickler error: |Trying to load )(.*)", str(error))
        why = inert(told[1] if told else str(error).split("\n", 1)[0], 100)
        raise DataError(
            f"{name} needs more than plain tensors, or is damaged ({why}); {MEND}"
        ) from None


def _check_archive(path: pathlib.Path, name: str) -> None:
    """Refuse before PyTorch sees it what is no plain, uncompressed archive of one pickle."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        members = [] if magic != b"PK\x03\x04" else _members(path)
    except OSError as error:
        raise DataError(f"cannot read {inert(path)}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise DataError(f"{name} is a damaged archive ({inert(error)}); {MEND}") from None
    if magic != b"PK\x03\x04":
        raise DataError(
            f"{name} is no state dict in PyTorch's present format (a zip archive); older formats "
            f"are pickles, which may run code: {MEND} in PyTorch >= 1.6"
        )
    names = [item.filename for item in members]
    if len(set(names)) != len(names):
        raise DataError(f"{name} holds the same name twice; {MEND}")
    if any(item.compress_type != zipfile.ZIP_STORED for item in members):
        raise DataError(f"{name} is compressed, which torch.save never does; {MEND}")
    if sum(item.file_size for item in members) > LARGEST:
        raise DataError(f"{name} holds more than {LARGEST / 2**30:.0f} GiB; use smaller widths")
    if any(item.filename.endswith("/constants.pkl") for item in members):
        raise DataError(f"{name} is a TorchScript program; {MEND}")
    pickles = [item for item in members if item.filename.endswith("/data.pkl")]
    if len(pickles) != 1 or pickles[0].file_size > PICKLE:
        raise DataError(f"{name} needs one data.pkl of at most {PICKLE} bytes; {MEND}")


def _members(path: pathlib.Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


def _import_torch(name: str) -> Any:
    """Import PyTorch, unless it is missing or has the hole."""
    remedy = f"pip install 'torch>={NEEDED[0]}.{NEEDED[1]}', or save the weights as .safetensors"
    try:
        import torch
    except ImportError:
        raise MissingExtraError(f"reading {name} needs PyTorch, not found; {remedy}") from None
    version = str(torch.__version__)
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < NEEDED:
        raise MissingExtraError(
            f"reading {name} with PyTorch {version} is not safe (CVE-2025-32434); {remedy}"
        )
    return torch


def _check_tensor(torch: Any, key: Any, value: Any, name: str) -> None:
    where = f"{inert(key)} in {name}"
    if not isinstance(key, str):
        raise DataError(f"the key {where} is no text; names are needed, {MEND}")
    if type(value) not in {torch.Tensor, torch.nn.Parameter}:
        kind = inert(type(value).__name__)
        raise DataError(f"{where} is a {kind}; tensors alone are needed, {MEND}")
    if value.layout != torch.strided or value.device.type != "cpu":
        raise DataError(f"{where} is a {value.device.type} tensor of layout {value.layout}; {MEND}")
    floats = {torch.float64, torch.float32, torch.float16, torch.bfloat16}
    if value.dtype not in floats:
        raise DataError(
            f"{where} has dtype {value.dtype}; floating numbers are needed, use .float() first"
        )
