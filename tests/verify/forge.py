"""Changing a proof and sealing it again, as somebody who forges a file would."""

import copy
import hashlib
import json

import numpy as np

from thalweg.rigorous import write_proof
from thalweg.verify import verify_proof


def seal(proof):
    """Recompute both checksums, as somebody who forges a file would."""
    out = copy.deepcopy(proof)
    data = hashlib.sha256()
    inputs = out["inputs"]
    for grid in (inputs["x"], inputs["y"], *inputs["weights"]):
        array = np.array([[float.fromhex(x) for x in row] for row in grid])
        data.update(repr(array.shape).encode() + array.astype("<f8").tobytes())
    data.update(f"{inputs['divisor']} {inputs['metric']} {inputs['source']}".encode())
    inputs["sha256"] = data.hexdigest()
    out.pop("digest")
    text = json.dumps(out, sort_keys=True, separators=(",", ":"))
    out["digest"] = hashlib.sha256(text.encode()).hexdigest()
    return out


def check(proof, tmp_path):
    return verify_proof(write_proof(proof, tmp_path / "proof.json"))


def numbers(node, path=()):
    """Yield the place of every number in a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from numbers(value, (*path, key))
    elif isinstance(node, list):
        for key, value in enumerate(node):
            yield from numbers(value, (*path, key))
    elif isinstance(node, (int, float)) or (isinstance(node, str) and "0x" in node):
        yield path


def altered(proof, path, change):
    out = copy.deepcopy(proof)
    node = out
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = change(node[path[-1]])
    return out
