"""The making of a store's folder."""

from pathlib import Path

from thalweg._core import StoreError
from thalweg.basins.store import _disk
from thalweg.basins.store._chunk_file import NAME, run_of
from thalweg.basins.store._lock import FOLDER, guard
from thalweg.basins.store._manifest import (
    NAME as MANIFEST,
    DamagedManifestError,
    Manifest,
    read_manifest,
)

QUARANTINE = "_quarantine"


def begin(folder: Path, manifest: Manifest) -> list[str]:
    """Write the manifest of a new store, or again where it was lost; return what to tell.

    Raises
    ------
    StoreError
        If the folder holds something else or cannot be written.
    """
    _refuse_foreign(folder, manifest)
    _disk.make_folder(folder / FOLDER)
    notes = []
    try:
        with guard(folder):
            try:
                read_manifest(folder)
            except DamagedManifestError:
                if (folder / MANIFEST).exists():
                    goal = _disk.set_aside(folder / MANIFEST, folder / QUARANTINE)
                    notes.append(f"{folder / MANIFEST} was damaged; moved to {goal}, written anew")
                _disk.put(folder, MANIFEST, manifest.to_bytes())
    except StoreError:
        raise
    except OSError as error:
        _disk.fail(folder / MANIFEST, error)
    return notes


def _refuse_foreign(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder without a manifest that holds what this run cannot have written."""
    if not folder.exists():
        return
    try:
        names = sorted(item.name for item in folder.iterdir())
    except OSError as error:
        _disk.fail(folder, error, "read")
    own = {FOLDER, QUARANTINE, MANIFEST, "_report"}
    for name in names:
        if NAME.fullmatch(name):
            run = run_of(_disk.get(folder / name))
            if run not in {None, manifest.fingerprint}:
                raise StoreError(
                    f"{folder} has lost its manifest and holds chunks of another sweep "
                    f"({name}); choose another folder"
                )
        elif name not in own and not name.startswith(_disk.TEMPORARY):
            raise StoreError(
                f"{folder} is no store and not empty (it holds {name}); choose a new folder"
            )
