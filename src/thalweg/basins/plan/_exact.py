"""Numbers and problems as JSON from which the same bits come back."""

import base64
import dataclasses
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Tolerance
from thalweg.problem import Moments, Problem


def packed(array: Array) -> dict[str, Any]:
    """Return an array as its shape and the base64 of its little-endian doubles."""
    data = np.ascontiguousarray(array, dtype="<f8")
    return {"shape": list(data.shape), "f8": base64.b64encode(data.tobytes()).decode("ascii")}


def unpacked(document: dict[str, Any]) -> Array:
    """Undo `packed`."""
    data = np.frombuffer(base64.b64decode(document["f8"]), dtype="<f8")
    return data.reshape(document["shape"]).astype(np.float64)


def encoded(value: Any) -> Any:
    """Return a parameter as JSON types; tuples and arrays are marked, floats are exact."""
    if isinstance(value, np.ndarray):
        return {"array": packed(value)}
    if isinstance(value, tuple):
        return {"tuple": [encoded(item) for item in value]}
    if isinstance(value, float):
        return {"float": value.hex()}
    return value


def decoded(document: Any) -> Any:
    """Undo `encoded`."""
    if isinstance(document, dict):
        if "array" in document:
            return unpacked(document["array"])
        if "tuple" in document:
            return tuple(decoded(item) for item in document["tuple"])
        return float.fromhex(document["float"])
    return document


def encoded_problem(p: Problem) -> dict[str, Any]:
    """Return a problem's reduction: all that its flow and its verdicts depend on."""
    moments = {field.name: getattr(p.moments, field.name) for field in dataclasses.fields(Moments)}
    return {
        "dims": list(p.dims),
        "metric": p.metric,
        "loss": p.loss_name,
        "n_samples": p.n_samples,
        "tolerance": {k: encoded(v) for k, v in dataclasses.asdict(p.tolerance).items()},
        "moments": {
            key: packed(item) if isinstance(item, np.ndarray) else encoded(item)
            for key, item in moments.items()
        },
    }


def decoded_problem(document: dict[str, Any]) -> Problem:
    """Undo `encoded_problem`; the table of data does not come back.

    Raises
    ------
    DataError
        If something is missing.
    """
    try:
        moments: dict[str, Any] = {
            key: unpacked(item) if isinstance(item, dict) and "f8" in item else decoded(item)
            for key, item in document["moments"].items()
        }
        return Problem(
            dims=tuple(int(size) for size in document["dims"]),
            metric=document["metric"],
            loss_name=document["loss"],
            n_samples=document["n_samples"],
            tolerance=Tolerance(**{k: decoded(v) for k, v in document["tolerance"].items()}),
            _moments=Moments(**moments),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"this is not a plan of this version ({error!r}); start a new sweep"
        ) from None
