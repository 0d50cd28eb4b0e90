"""Told to stop, a sweep ends within seconds and leaves a store that goes on."""

import signal
import time

import pytest
from toy_sweep import files, sweep

from thalweg.basins import Store

CHUNKS = 6


def begin(start, folder, *options):
    """Start a sweep and wait until its first chunks are there."""
    toy = start(folder, "--chunks", 1000, "--nap", 0.02, *options)
    wait_for(lambda: folder.exists() and len(files(folder)) >= 3)
    return toy


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code", "executor"),
    [
        (signal.SIGINT, 130, "threads"),
        (signal.SIGINT, 130, "processes"),
        (signal.SIGTERM, 143, "processes"),
        (signal.SIGHUP, 129, "threads"),
    ],
)
def test_a_signal_ends_the_sweep_and_the_store_goes_on(tmp_path, start, executor, number, code):
    folder = tmp_path / "store"
    toy = begin(start, folder, "--executor", executor)
    toy.send_signal(number)
    _, error = toy.communicate(timeout=20)
    assert toy.returncode == code
    assert error == ""
    store = Store.open(folder)
    missing = store.missing()
    assert 0 < len(missing) < 1000
    assert len(files(folder)) == 1000 - len(missing)
    with store:  # no lock is left
        pass


@pytest.mark.parametrize("executor", ["threads", pytest.param("processes", marks=pytest.mark.slow)])
def test_a_chunk_that_does_not_listen_is_dropped(tmp_path, start, executor):
    folder = tmp_path / "store"
    toy = start(folder, "--nap", 60, "--deaf", "--executor", executor)
    wait_for((folder / "_locks" / "0-of-1").exists)
    time.sleep(0.3)
    toy.send_signal(signal.SIGINT)
    toy.communicate(timeout=30)  # the chunk would take twice as long
    assert toy.returncode == 130
    sweep(folder, 30)
    assert Store.open(folder).missing() == []


def test_a_second_interrupt_does_not_wait(tmp_path, start):
    folder = tmp_path / "store"
    toy = start(folder, "--nap", 60, "--deaf")
    wait_for((folder / "_locks" / "0-of-1").exists)
    time.sleep(0.3)
    toy.send_signal(signal.SIGINT)
    time.sleep(0.2)
    toy.send_signal(signal.SIGINT)
    toy.communicate(timeout=30)
    assert toy.returncode == 130
    assert Store.open(folder).missing() == list(range(30))
