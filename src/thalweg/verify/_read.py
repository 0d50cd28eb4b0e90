"""Reading a proof file: its form, its seal, its numbers."""

import dataclasses
import hashlib
import json
import math
import os
import pathlib
import struct
from typing import Any

from thalweg._core import DataError

SCHEMA = "thalweg.proof/1"
LARGEST = 2**28
"""Bytes; a longer file is refused unread."""


@dataclasses.dataclass(frozen=True)
class Proof:
    """Inputs, facts, claims and tube of a file whose form is right."""

    x: list[list[float]]
    y: list[list[float]]
    weights: list[list[list[float]]]
    divisor: int
    metric: str
    source: str
    facts: dict[str, Any]
    claims: dict[str, Any]
    tube: dict[str, Any] | None
    sealed: bool


def read_proof(path: str | os.PathLike[str]) -> Proof:
    """Read a proof file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    Proof
        Its parts; `sealed` tells whether both checksums are right.

    Raises
    ------
    DataError
        If the file cannot be read or is not a proof of this schema.
    """
    file = pathlib.Path(path)
    try:
        size = file.stat().st_size
        if size > LARGEST:
            raise DataError(f"{file.name} has {size} bytes; a proof has at most {LARGEST}")
        body = json.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {file.name}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name} is not JSON ({str(error)[:80]})") from None
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        raise DataError(f"{file.name} is no proof: its schema must be {SCHEMA!r}")
    try:
        return _parts(body)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        why = f"{type(error).__name__}: {error}"
        raise DataError(f"{file.name} is no complete proof ({why[:120]})") from None


def _parts(body: dict[str, Any]) -> Proof:
    inputs = body["inputs"]
    x, y = numbers(inputs["x"]), numbers(inputs["y"])
    weights = [numbers(item) for item in inputs["weights"]]
    sizes = [len(x), *(len(item) for item in weights)]
    for matrix, rows, columns in [
        (x, sizes[0], len(x[0])),
        (y, sizes[-1], len(x[0])),
        *((w, sizes[j + 1], sizes[j]) for j, w in enumerate(weights)),
    ]:
        if len(matrix) != rows or any(len(row) != columns for row in matrix):
            raise ValueError("shapes do not chain")
    divisor = inputs["divisor"]
    if type(divisor) is not int or divisor < 1:
        raise ValueError("the divisor must be a positive integer")
    if inputs["metric"] not in {"raw", "whitened"}:
        raise ValueError("the metric must be raw or whitened")
    text = json.dumps(
        {key: value for key, value in body.items() if key != "digest"},
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )
    sealed = body["digest"] == hashlib.sha256(text.encode()).hexdigest()
    data = hashlib.sha256()
    for matrix in (x, y, *weights):
        data.update(repr((len(matrix), len(matrix[0]))).encode())
        data.update(b"".join(struct.pack("<d", value) for row in matrix for value in row))
    data.update(f"{divisor} {inputs['metric']} {inputs['source']}".encode())
    tube = None if body["tube"] is None else {k: numbers(v) for k, v in body["tube"].items()}
    return Proof(
        x=x,
        y=y,
        weights=weights,
        divisor=divisor,
        metric=inputs["metric"],
        source=inputs["source"],
        facts={key: numbers(value) for key, value in body["facts"].items()},
        claims={key: numbers(value) for key, value in body["claims"].items()},
        tube=tube,
        sealed=sealed and inputs["sha256"] == data.hexdigest(),
    )


def numbers(value: Any) -> Any:
    """Turn hexadecimal texts into doubles, at any depth."""
    if isinstance(value, str):
        out = float.fromhex(value)
        if math.isnan(out):
            raise ValueError("NaN is no bound")
        return out
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if value is None or type(value) in {bool, int}:
        return value
    raise ValueError(f"{value!r} is not a hexadecimal double")
