"""A full disk, a limit on file sizes, a folder that cannot be written: said, and nothing lost."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from toy_sweep import FINGERPRINT, PLAN, compute, files, sweep

from thalweg._core import StoreError
from thalweg.basins import Store

CHUNKS = 6


@pytest.fixture
def public(tmp_path):
    """A folder that other users can reach; those of pytest they cannot."""
    folder = Path(tempfile.mkdtemp(prefix="thalweg-"))
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_folder_is_refused_before_anything_is_computed(public, start):
    folder = public / "store"
    folder.mkdir()
    folder.chmod(0o555)
    toy = start(folder, "--nap", 30, "--uid", 65534)
    _, error = toy.communicate(timeout=60)
    assert toy.returncode == 2
    assert "Permission denied; choose a folder in which you may write" in error
    assert error.count("\n") == 1


def test_a_finished_store_in_a_read_only_folder_can_be_read(public, start, reference):
    folder = public / "store"
    sweep(folder, CHUNKS)
    folder.chmod(0o555)
    toy = start(folder, "--chunks", CHUNKS, "--uid", 65534)
    _, error = toy.communicate(timeout=60)
    assert toy.returncode == 2
    assert "may write" in error
    assert files(folder) == reference
    assert Store.open(folder).missing() == []


def test_a_limit_on_file_sizes(tmp_path, start):
    toy = start(tmp_path / "store", "--rows", 400, "--largest-file", 3000)
    _, error = toy.communicate(timeout=60)
    assert toy.returncode == 2
    assert "File too large; raise the limit on file sizes (ulimit -f)" in error
    assert error.count("\n") == 1
    assert not files(tmp_path / "store")
    assert not [path for path in (tmp_path / "store").iterdir() if ".writing" in path.name]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root")
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(tmp_path, small_disk):
    def run(folder):
        with Store.create_or_open(folder, PLAN, FINGERPRINT, 40) as store:
            for chunk in store.missing():
                store.write(chunk, compute(chunk, rows=1000))

    run(tmp_path / "reference")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(100_000))
    with pytest.raises(StoreError, match="No space left on device; make room"):
        run(small_disk / "store")
    whole = files(tmp_path / "reference")
    there = files(small_disk / "store")
    assert 0 < len(there) < 40
    assert there.items() <= whole.items()
    assert len(Store.open(small_disk / "store").missing()) == 40 - len(there)
    # With more room the same command goes on.
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    run(small_disk / "store")
    assert files(small_disk / "store") == whole
