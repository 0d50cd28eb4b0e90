"""Every single call to the system fails once; the power fails after every single call."""

import contextlib
import errno
import os
import random

import pytest
from fake_disk import Disk, FailingOS, RecordingOS
from toy_sweep import FINGERPRINT, PLAN, compute, files, sweep

from thalweg._core import StoreError
from thalweg.basins import Store
from thalweg.basins.store import _disk, _lock

CHUNKS = 6


def run(folder, done, ids=range(CHUNKS)):
    """A sweep in one thread, so that calls are counted the same way every time."""
    with Store.create_or_open(folder, PLAN, FINGERPRINT, CHUNKS, report=lambda text: None) as store:
        missing = set(store.missing())
        for chunk in ids:
            if chunk in missing:
                store.write(chunk, compute(chunk))
            done(chunk)


@contextlib.contextmanager
def instead_of_os(stand_in):
    with pytest.MonkeyPatch.context() as patch:
        for module in (_disk, _lock):
            patch.setattr(module, "os", stand_in)
        yield


def count_calls(folder, ids):
    counting = FailingOS(0, 0)
    with instead_of_os(counting):
        run(folder, lambda chunk: None, ids)
    return counting.count


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EFBIG])
def test_every_call_fails_once(tmp_path, reference, number):
    ids = range(2)
    calls = count_calls(tmp_path / "count", ids)
    assert calls > 50
    failures = 0
    for k in range(1, calls + 1):
        folder, done, text = tmp_path / str(k), [], ""
        with instead_of_os(FailingOS(k, number)):
            try:
                run(folder, done.append, ids)
            except StoreError as error:
                text = str(error)
        if text:
            failures += 1
            assert os.strerror(number) in text
            assert str(folder) in text
            assert "\n" not in text
        there = files(folder) if folder.exists() else {}
        assert there.items() <= reference.items(), k
        assert len(there) >= len(done), k
        run(folder, done.append, ids)
        assert files(folder) == {name: reference[name] for name in sorted(reference)[:2]}
    # Reading errors of the disk are tried again, so fewer of them are reported.
    assert failures > calls / 4


def record(root):
    """Return what a sweep did to the disk, with marks where a chunk was said to be stored."""
    recording = RecordingOS(root)
    with instead_of_os(recording):
        run(root / "store", lambda chunk: recording.log.append(("stored", chunk)))
    return recording.log


def after_power_failure(log, moment, draw, folder):
    """Return the chunks said to be stored before the power failed, and the folder afterwards."""
    disk, stored = Disk(), set()
    for entry in log[:moment]:
        if entry[0] == "stored":
            stored.add(entry[1])
        else:
            disk.apply(entry)
    folder.mkdir()
    disk.fail(draw, folder)
    return stored


def lost(log, moment, draw, folder):
    """Return what was said to be stored and is not; everything else must go on as always."""
    stored = after_power_failure(log, moment, draw, folder)
    store = Store.create_or_open(
        folder / "store", PLAN, FINGERPRINT, CHUNKS, report=lambda text: None
    )
    return stored & set(store.missing())


@pytest.mark.parametrize(
    "count", [60, pytest.param(1500, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_the_power_fails_at_any_moment(tmp_path, reference, count):
    (tmp_path / "real").mkdir()
    log, draw = record(tmp_path / "real"), random.Random(0)
    for number in range(count):
        moment = number % (len(log) + 1) if count > len(log) else draw.randrange(len(log) + 1)
        folder = tmp_path / str(number)
        assert not lost(log, moment, draw, folder)
        run(folder / "store", lambda chunk: None)
        assert files(folder / "store") == reference


@pytest.mark.parametrize("omitted", ["files", "folders"])
def test_without_syncs_the_same_failures_lose_chunks(tmp_path, omitted):
    (tmp_path / "real").mkdir()
    log, draw = record(tmp_path / "real"), random.Random(0)
    folders = {entry[1] for entry in log if entry[0] == "folder"}

    def kept(entry):
        return entry[0] != "sync" or (entry[1] in folders) == (omitted == "files")

    log = [entry for entry in log if kept(entry)]
    losses = 0
    for number in range(20):
        with contextlib.suppress(StoreError):  # the manifest may be lost as well
            losses += bool(lost(log, len(log), draw, tmp_path / str(number)))
    assert losses > 5


def test_bytes_that_the_disk_changed_are_written_again(tmp_path, reference, monkeypatch):
    lies, get = [], _disk.get

    def lying(path):
        content = get(path)
        if ".writing-chunk" in path.name and len(lies) < 2:
            lies.append(path)
            return content[:-1] + b"?"
        return content

    monkeypatch.setattr(_disk, "get", lying)
    sweep(tmp_path / "store", CHUNKS)
    assert len(lies) == 2
    assert files(tmp_path / "store") == reference
    monkeypatch.setattr(_disk, "get", lambda path: get(path) + b"?")
    with pytest.raises(StoreError, match="other bytes than were written"):
        _disk.put(tmp_path, "file", b"content")
    assert not (tmp_path / "file").exists()
