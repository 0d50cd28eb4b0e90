"""The proof as a file: exact inputs, proved facts, theorems, conclusions (JSON, hex doubles)."""

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
from typing import Any

import numpy as np

from thalweg._core import write_whole
from thalweg.rigorous._balls import library
from thalweg.rigorous._facts import Facts
from thalweg.rigorous._inputs import Inputs

SCHEMA = "thalweg.proof/1"
NOT_ASSUMED = (
    "Nothing is assumed about BLAS, LAPACK or the integrator: their results are candidates whose "
    "residuals are enclosed."
)
THEOREMS = {
    "norms": "Spec 3.1: sup_t ||W_j(t)||_2, from the conserved matrices and a bound on the product",
    "remark-2": (
        "Spec 3.2, 3.4b: sizes rise up to a pivot layer and fall after it, every factor "
        "s_l(min shape) > 0, then ||M(t)||^2 <= ||M(0)||^2 exp(-2 rate t)"
    ),
    "anytime": "Spec 3.3: ||M|| < sigma_min(d_y, k), then L(t) <= L(0) exp(-2 rate t)",
    "basin": "Spec 3.4b: L below the least critical value that is not global; limit is global",
    "graded": "Spec 3.4a: ||M|| < sigma_q, then directions 1..q are learned in the limit",
}
SOURCES = {
    "data": "the statements are about the table and the weights as given, exactly",
    "reduced": (
        "the statements are about the reduced problem: target, metric and weights below, which "
        "were computed from the data with rounding and are exact from there on"
    ),
}


def hexed(value: Any) -> Any:
    """Write doubles exactly, in hexadecimal; leave integers, texts and truth values."""
    if isinstance(value, np.ndarray):
        return hexed(value.tolist())
    if isinstance(value, (list, tuple)):
        return [hexed(item) for item in value]
    if isinstance(value, dict):
        return {key: hexed(item) for key, item in value.items()}
    return value.hex() if isinstance(value, float) else value


def build_proof(
    inputs: Inputs, known: Facts, claims: dict[str, Any], bits: int, tube: dict[str, Any] | None
) -> dict[str, Any]:
    """Assemble the proof object.

    Parameters
    ----------
    inputs
        The exact doubles.
    known
        Proved bounds.
    claims
        What follows from them.
    bits
        Precision at which the facts were proved.
    tube
        The steps of a followed trajectory, or ``None``.

    Returns
    -------
    dict
        JSON types; ``digest`` seals all the rest.
    """
    body = {
        "schema": SCHEMA,
        "about": SOURCES[inputs.source],
        "inputs": {
            "x": hexed(inputs.x),
            "y": hexed(inputs.y),
            "weights": [hexed(weight) for weight in inputs.weights],
            "divisor": inputs.divisor,
            "metric": inputs.metric,
            "source": inputs.source,
            "sha256": inputs.fingerprint(),
        },
        "theorems": THEOREMS,
        "facts": hexed(dataclasses.asdict(known)),
        "claims": hexed(claims),
        "tube": hexed(tube),
        "assumed": NOT_ASSUMED,
        "precision": bits,
        "versions": {
            "thalweg": importlib.metadata.version("thalweg"),
            "python-flint": str(library().__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    return {**body, "digest": digest(body)}


def digest(body: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON text."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_proof(proof: dict[str, Any], path: str | os.PathLike[str]) -> pathlib.Path:
    """Write a proof so that the file is whole or not there.

    Parameters
    ----------
    proof
        From `build_proof`, or ``certificate.proof``.
    path
        Where to.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    text = json.dumps(proof, indent=1, allow_nan=False)
    return write_whole(path, text.encode())
