"""One writer for each chunk; a dead one hinders nobody."""

import errno
import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
from toy_sweep import FINGERPRINT, PLAN, compute, files, sweep

from thalweg._core import StoreError
from thalweg.basins import WHOLE, Shard, Store, StoreLockedError
from thalweg.basins.store import _lock

CHUNKS = 6


def store_at(folder, shard=WHOLE):
    return Store.create_or_open(folder, PLAN, FINGERPRINT, CHUNKS, shard=shard)


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_second_writer_is_told_who_the_first_is(tmp_path):
    with store_at(tmp_path / "store"):
        words = f"process {os.getpid()} on {os.uname().nodename}"
        with pytest.raises(StoreLockedError, match=words) as caught, store_at(tmp_path / "store"):
            pass
        assert caught.value.exit_code == 75
        assert "\n" not in str(caught.value)
    with store_at(tmp_path / "store"):
        pass
    assert names(tmp_path / "store" / "_locks") == ["guard"]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (Shard(0, 2), Shard(1, 2), True),
        (Shard(1, 4), Shard(3, 8), True),
        (Shard(1, 4), Shard(5, 8), False),
        (Shard(0, 2), Shard(0, 3), False),
        (Shard(2, 3), Shard(0, 1), False),
        (Shard(1, 2), Shard(1, 2), False),
    ],
)
def test_parts_hinder_each_other_only_where_they_share_chunks(tmp_path, one, other, together):
    with store_at(tmp_path / "store", one):
        if together:
            with store_at(tmp_path / "store", other) as second:
                second.write(other.part, compute(other.part))
        else:
            with pytest.raises(StoreLockedError), store_at(tmp_path / "store", other):
                pass


def test_readers_need_no_lock(tmp_path):
    with store_at(tmp_path / "store") as store:
        store.write(0, compute(0))
        assert Store.open(tmp_path / "store").read().num_rows == 20


def run_toys(start, folder, count, *options):
    """Start several at once; return exit codes and errors."""
    toys = [start(folder, "--chunks", CHUNKS, *options) for _ in range(count)]
    ends = [toy.communicate(timeout=60) for toy in toys]
    return [toy.returncode for toy in toys], [error for _, error in ends]


def test_two_commands_on_one_store(tmp_path, start, reference):
    codes, errors = run_toys(start, tmp_path / "store", 2, "--nap", 0.4)
    assert sorted(codes) == [0, 75]
    (loser,) = (error for code, error in zip(codes, errors, strict=True) if code == 75)
    assert loser.startswith("error: ")
    assert loser.count("\n") == 1
    assert files(tmp_path / "store") == reference


@pytest.mark.slow
def test_eight_commands_on_one_store(tmp_path, start, reference):
    codes, _ = run_toys(start, tmp_path / "store", 8, "--nap", 3)
    assert sorted(codes) == [0] + 7 * [75]
    assert files(tmp_path / "store") == reference


def test_eight_parts_at_once_fill_one_store(tmp_path, lab):
    found = lab("--victim none --chunks 40")
    assert found == {"codes": [0] * 8, "same": True}


def test_a_killed_holder_leaves_no_lock(tmp_path, start, reference):
    toy = start(tmp_path / "store", "--chunks", CHUNKS, "--nap", 30)
    wait_for_lock(tmp_path / "store")
    with pytest.raises(StoreLockedError, match=f"process {toy.pid} "), store_at(tmp_path / "store"):
        pass
    toy.send_signal(signal.SIGKILL)
    toy.wait()
    sweep(tmp_path / "store", CHUNKS)
    assert files(tmp_path / "store") == reference
    assert names(tmp_path / "store" / "_locks") == ["guard"]


def wait_for_lock(folder):
    end = time.monotonic() + 60
    while not (folder / "_locks" / "0-of-1").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.05)


def test_children_do_not_inherit_the_lock(tmp_path):
    folder = tmp_path / "store"
    with store_at(folder):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with store_at(folder):
            pass
    finally:
        child.communicate(b"\n")


def test_forked_children_do_not_keep_or_drop_the_lock(tmp_path, lab):
    assert lab("--victim fork") == {"held_by_parent": True, "kept_by_child": False}


def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch):
    def unsupported(handle, flags):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(StoreError, match="on a file system with locks"):
        sweep(tmp_path / "store", CHUNKS)
    assert not files(tmp_path / "store")


def test_a_holder_that_never_lets_go_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    sweep(tmp_path / "store", CHUNKS)
    monkeypatch.setattr(_lock, "PATIENCE", 0.1)
    with (
        _lock.guard(tmp_path / "store"),
        pytest.raises(StoreLockedError, match="does not go on"),
        store_at(tmp_path / "store"),
    ):
        pass


def test_spawned_workers_run_while_the_store_is_locked(tmp_path, reference):
    sweep(tmp_path / "store", CHUNKS, executor="processes")
    assert files(tmp_path / "store") == reference
    assert not multiprocessing.active_children()
