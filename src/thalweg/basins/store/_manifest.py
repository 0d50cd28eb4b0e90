"""The file that says which sweep a folder holds."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from thalweg._core import VERSION, StoreError
from thalweg.basins.store import _disk

NAME = "_manifest.json"
KIND = "thalweg sweep"
FORMAT = 1


class DamagedManifestError(Exception):
    """The manifest is not there or not what was written."""


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a store holds; written once, never changed.

    Attributes
    ----------
    plan
        The whole plan, enough to go on without the command that began.
    fingerprint
        Hash of everything that rows depend on; the name of the run inside every chunk.
    chunks
        How many there are.
    version
        Version of thalweg that wrote it.
    """

    plan: dict[str, Any]
    fingerprint: str
    chunks: int
    version: str = VERSION

    def to_bytes(self) -> bytes:
        """Return the file: JSON with the hash of its own content."""
        body = {"kind": KIND, "format": FORMAT, **dataclasses.asdict(self)}
        body["sha256"] = _digest(body)
        return (json.dumps(body, sort_keys=True, indent=1) + "\n").encode()


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a store.

    Raises
    ------
    DamagedManifestError
        If it is missing or its bytes are not those written.
    StoreError
        If it is of another format, or the folder cannot be read.
    """
    try:
        content = _disk.get(folder / NAME)
    except FileNotFoundError as error:
        raise DamagedManifestError("missing") from error
    except OSError as error:
        _disk.fail(folder / NAME, error, "read")
    try:
        body = json.loads(content)
        claimed = body.pop("sha256")
        if body["kind"] == KIND and body["format"] != FORMAT:
            raise StoreError(
                f"{folder} has format {body['format']}, written by thalweg {body['version']}; "
                f"this is {VERSION}, which reads format {FORMAT}: use the version that wrote it"
            )
        if claimed != _digest(body):
            raise DamagedManifestError("damaged")
        return Manifest(body["plan"], body["fingerprint"], body["chunks"], body["version"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedManifestError("damaged") from error


def refuse_difference(folder: Path, there: Manifest, here: Manifest) -> None:
    """Refuse a store that holds another sweep than the one asked for, and say what differs.

    Raises
    ------
    StoreError
        If the two are not the same run.
    """
    if (there.fingerprint, there.chunks) == (here.fingerprint, here.chunks):
        return
    plan = json.loads(json.dumps(here.plan))
    found = _differences(there.plan, plan)
    if there.chunks != here.chunks:
        found.append(f"{there.chunks} chunks there, {here.chunks} here")
    if there.version != here.version:
        found.append(f"thalweg {there.version} there, {here.version} here")
    shown = "; ".join(found[:3]) or "the data or the versions of the libraries"
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise StoreError(
        f"{folder} holds another sweep ({shown}{more}); "
        f"choose another folder, or resume that one as it was planned"
    )


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    """Return where two plans differ, one short text for each place."""
    if isinstance(there, dict) and isinstance(here, dict):
        keys = sorted({*there, *here})
        return [
            text
            for key in keys
            for text in _differences(
                there.get(key, "nothing"), here.get(key, "nothing"), f"{name}.{key}".strip(".")
            )
        ]
    return [] if there == here else [f"{name} is {_short(there)} there, {_short(here)} here"]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 32 else f"{text[:29]}..."


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
