"""Weights of a network from a file and into one."""

import dataclasses
import io
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Result, as_weights, write_whole
from thalweg.data._inert import inert
from thalweg.data._layers import find_layers, is_bias_name, is_layer_name
from thalweg.data._numpy_files import RawArray, check_size, read_arrays
from thalweg.data._safetensors import read_safetensors, safetensors_bytes
from thalweg.data._torch_files import read_state_dict

FORMATS = {
    ".npz": "NumPy archive",
    ".safetensors": "safetensors",
    ".pt": "PyTorch state dict",
    ".pth": "PyTorch state dict",
}
"""Suffix and the name of the format."""
KNOWN = ".npz, .safetensors, .pt or .pth"


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class WeightFile(Result):
    """Weights in layer order, and what the file says of them.

    Attributes
    ----------
    path, format
        The file, and its format in words.
    names
        The layers' names in the file.
    notes
        What was decided on the way: biases dropped, an order found from the shapes.
    weights
        ``[W_1, ..., W_L]``; not part of `to_dict`.
    """

    path: str
    format: str
    names: tuple[str, ...]
    notes: tuple[str, ...]
    weights: list[Array]

    def to_dict(self) -> dict[str, Any]:
        """Return names and shapes as JSON types."""
        pairs = zip(self.names, self.weights, strict=True)
        return {
            "type": "WeightFile",
            "path": inert(self.path, 4096),
            "format": self.format,
            "layers": [{"name": inert(name), "shape": list(w.shape)} for name, w in pairs],
            "notes": list(self.notes),
        }

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: the file, each layer with its shape, notes."""
        pairs = zip(self.names, self.weights, strict=True)
        return [
            ("weights", f"{inert(self.path, 160)} ({self.format})"),
            *((f"layer {j}", _layer(name, w)) for j, (name, w) in enumerate(pairs, 1)),
            *(("note", note) for note in self.notes),
        ]


def _layer(name: str, w: Array) -> str:
    return f"{inert(name)}, {w.shape[0]} x {w.shape[1]}"


def open_weights(path: str | os.PathLike[str], dims: tuple[int, ...] | None = None) -> WeightFile:
    """Read weights from a file that nobody need vouch for: nothing in it is run.

    Parameters
    ----------
    path
        ``.npz`` with keys ``W1``, ``W2``, ...; ``.safetensors``; or ``.pt``, ``.pth`` with a
        PyTorch state dict (needs PyTorch 2.6 or newer).
    dims
        Sizes ``(d_0, ..., d_L)`` that the weights must have; ``None`` accepts any that chain.

    Returns
    -------
    WeightFile
        Doubles, finite, in layer order.

    Raises
    ------
    DataError
        If the file is damaged or forged, or holds anything but the weights of a linear network.
    DimensionError
        If the weights do not chain or do not fit `dims`.
    MissingExtraError
        If PyTorch is needed and not there.

    Notes
    -----
    Layers are ``W1``, ``W2``, ... where such names occur. Otherwise all matrices count, by the
    numbers in their names (``layers.2`` before ``layers.10``); if names differ in more than
    numbers, the order must follow from the shapes, or is that of the state dict.
    """
    path = pathlib.Path(path)
    kind = _known_format(path)
    arrays = _read(path, kind)
    found = find_layers(arrays, inert(path.name), dims, listed=kind in {".pt", ".pth"})
    return WeightFile(
        path=str(path),
        format=FORMATS[kind],
        names=found.names,
        notes=found.notes,
        weights=found.weights,
    )


def read_weights(path: str | os.PathLike[str]) -> list[Array]:
    """Read weights ``[W_1, ..., W_L]`` from a file; see `open_weights`.

    Raises
    ------
    DataError
        As `open_weights`.

    Examples
    --------
    >>> import numpy as np, os, tempfile
    >>> from thalweg.data import read_weights, write_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_weights(os.path.join(folder, "w.safetensors"), [np.eye(2, 3), np.eye(2)])
    ...     [w.shape for w in read_weights(path)]
    [(2, 3), (2, 2)]
    """
    return open_weights(path).weights


def write_weights(path: str | os.PathLike[str], weights: Any) -> pathlib.Path:
    """Write weights as ``W1``, ``W2``, ... to an ``.npz`` or ``.safetensors`` file, whole or not.

    Parameters
    ----------
    path
        The suffix says the format; missing folders are made.
    weights
        ``[W_1, ..., W_L]``.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DataError
        If the suffix is another, or a number is not finite.
    DimensionError
        If the weights do not chain.
    StoreError
        If the file cannot be written.
    """
    path = pathlib.Path(path)
    arrays = {f"W{j}": w for j, w in enumerate(as_weights(weights, name="weights"), 1)}
    kind = path.suffix.lower()
    if kind == ".npz":
        buffer = io.BytesIO()
        named: dict[str, Any] = {**arrays}
        np.savez(buffer, **named)
        return write_whole(path, buffer.getvalue())
    if kind == ".safetensors":
        return write_whole(path, safetensors_bytes(arrays))
    raise DataError(f"weights cannot be written to {inert(path)}; use .npz or .safetensors")


def _known_format(path: pathlib.Path) -> str:
    """Return the suffix of a file that exists and may be readable."""
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise DataError(f"{inert(path)} has no known format of weights; {KNOWN} can be read")
    try:
        there, regular = path.exists(), path.is_file()
    except OSError as error:
        raise DataError(f"cannot read {inert(path)}: {error.strerror or error}") from None
    if not regular:
        why = "is no regular file" if there else "does not exist"
        raise DataError(f"{inert(path)} {why}; give a {KNOWN} file with the weights")
    return kind


def _read(path: pathlib.Path, kind: str) -> Mapping[str, RawArray]:
    if kind == ".safetensors":
        return read_safetensors(path)
    if kind != ".npz":
        return read_state_dict(path)
    # Archives of runs hold more than weights; a bias is read to be refused unless it is zero.
    arrays = read_arrays(path, lambda name: is_layer_name(name) or is_bias_name(name))
    if not any(map(is_layer_name, arrays)):
        raise DataError(f"{inert(path.name)} holds no W1; the keys W1, W2, ... are needed")
    check_size((array.shape for array in arrays.values()), inert(path.name))
    return arrays
