"""Chunks run anywhere, each result is handed over once, and what dies is tried again."""

import concurrent.futures
import functools
import multiprocessing
import subprocess
import sys
import threading
import time

import pytest
from toy_sweep import FINGERPRINT, PLAN, compute, dies, executor_for, files, sweep

from thalweg._core import DataError, StoreError
from thalweg.basins import (
    ChunksFailedError,
    Outcome,
    StoppedError,
    Store,
    SweepWarning,
    check_stop,
    run_chunks,
)

CHUNKS = 6


def collect(compute, ids, **options):
    """Run and return the rows of each chunk, checking that each came once and in this thread."""
    found, here = {}, threading.current_thread()

    def sink(chunk, table):
        assert chunk not in found
        assert threading.current_thread() is here
        found[chunk] = table

    options.setdefault("report", lambda text: None)
    outcome = run_chunks(compute, ids, sink, **options)
    return found, outcome


@pytest.mark.parametrize(
    ("executor", "workers"),
    [
        ("threads", 1),
        ("threads", 8),
        ("pool", 3),
        ("processes", 2),
        ("spawn", 1),
        ("forkserver", 2),
    ],
)
def test_every_executor_gives_the_same_bytes(tmp_path, reference, executor, workers):
    if executor == "pool":
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            found, outcome = collect(compute, range(CHUNKS), executor=pool)
    else:
        made = executor_for(executor, workers)
        found, outcome = collect(compute, range(CHUNKS), executor=made, workers=workers)
        if executor in {"spawn", "forkserver"}:
            made.shutdown()
    assert outcome == Outcome(CHUNKS, ())
    with Store.create_or_open(tmp_path / "store", PLAN, FINGERPRINT, CHUNKS) as store:
        for chunk, table in found.items():
            store.write(chunk, table)
    assert files(tmp_path / "store") == reference


def test_numbers_given_twice_are_computed_once():
    found, outcome = collect(compute, [3, 1, 3, 1])
    assert sorted(found) == [1, 3]
    assert outcome.done == 2
    assert collect(compute, []) == ({}, Outcome(0, ()))


def test_progress_counts_every_chunk():
    seen = []
    collect(compute, range(4), progress=lambda done, count: seen.append((done, count)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_computing_goes_on_while_a_chunk_is_written():
    begun = []

    def slow_sink(chunk, table):
        if len(begun) < 3:
            time.sleep(0.3)
        assert len(begun) >= 3

    def watched(chunk):
        begun.append(chunk)
        return compute(chunk)

    run_chunks(watched, range(6), slow_sink, workers=2)


def test_no_more_results_are_held_than_needed():
    held, most = set(), 0

    def watched(chunk):
        nonlocal most
        held.add(chunk)
        most = max(most, len(held))
        return compute(chunk)

    run_chunks(watched, range(50), lambda chunk, table: held.discard(chunk), workers=2)
    assert most <= 3


@pytest.mark.parametrize("how", ["exit", pytest.param("segfault", marks=pytest.mark.slow)])
def test_a_chunk_that_kills_its_worker_is_given_up_and_the_others_finish(tmp_path, reference, how):
    bad = functools.partial(dies, how=how, bad=(2,))
    folder, told = tmp_path / "store", []
    with Store.create_or_open(folder, PLAN, FINGERPRINT, CHUNKS) as store:
        with pytest.raises(ChunksFailedError, match=r"1 chunks .* \(2\), 5 could") as caught:
            run_chunks(
                bad, store.missing(), store.write, executor="processes", workers=2,
                report=told.append,
            )  # fmt: skip
        assert caught.value.exit_code == 3
        assert list(caught.value.failed) == [2]
        assert store.missing() == [2]
    assert any("chunk 2 is given up" in text for text in told)
    sweep(folder, CHUNKS)
    assert files(folder) == reference


def test_a_broken_pool_of_the_user_is_replaced_with_a_message():
    pool = executor_for("forkserver", 2)
    bad = functools.partial(dies, how="exit", bad=(1,))
    told = []
    with pytest.raises(ChunksFailedError) as caught:
        run_chunks(bad, range(4), lambda *_: None, executor=pool, report=told.append)
    assert list(caught.value.failed) == [1]
    assert "a worker of the ProcessPoolExecutor died" in told[0]
    assert not multiprocessing.active_children()


def test_an_executor_that_was_shut_down_is_replaced_by_threads():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.warns(SweepWarning, match="going on with threads in this process"):
        found, _ = collect(compute, range(4), executor=pool, report=None)
    assert sorted(found) == [0, 1, 2, 3]


def test_lack_of_memory_is_tried_again_alone():
    tries, lock = [], threading.Lock()

    def hungry(chunk):
        with lock:
            tries.append(chunk)
            if chunk == 1 and tries.count(1) < 3:
                raise MemoryError
        return compute(chunk)

    found, _ = collect(hungry, range(4))
    assert sorted(found) == [0, 1, 2, 3]
    assert tries.count(1) == 3

    with pytest.raises(ChunksFailedError, match=r"MemoryError \(3 times alone\)"):
        collect(functools.partial(dies, how="memory", bad=(1,)), range(4))


def test_a_mistake_in_the_code_is_not_tried_again():
    tries = []

    def wrong(chunk):
        tries.append(chunk)
        return dies(chunk, "mistake", (2,))

    with pytest.raises(ChunksFailedError, match="chunk 2: ZeroDivisionError: a mistake"):
        collect(wrong, range(6))
    assert sorted(tries) == list(range(6))


def test_when_nothing_works_the_run_ends_early():
    with pytest.raises(ChunksFailedError, match="0 could"):
        collect(functools.partial(dies, how="mistake", bad=range(1000)), range(1000))


def test_what_cannot_be_sent_to_a_worker_is_said():
    with pytest.raises(ChunksFailedError, match=r"(?i)pickle"):
        collect(lambda chunk: compute(chunk), range(3), executor="processes", workers=1)


def test_a_full_disk_ends_the_run():
    def full(chunk, table):
        raise StoreError("cannot write: No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        run_chunks(compute, range(100), full)


def test_unknown_executors_are_refused():
    with pytest.raises(DataError, match="'dask:ADDRESS'"):
        collect(compute, range(3), executor="cloud")


def test_a_stop_keeps_what_is_finished():
    stop = threading.Event()

    def progress(done, count):
        if done == 5:
            stop.set()

    nap = functools.partial(compute, nap=0.02)
    found, outcome = collect(nap, range(100), stop=stop, progress=progress)
    assert 5 <= outcome.done == len(found) < 20
    assert sorted([*found, *outcome.left]) == list(range(100))


def test_a_computation_can_see_that_it_should_stop():
    stop, seen = threading.Event(), []

    def endless(chunk):
        try:
            while True:
                check_stop()
                stop.set()
        except StoppedError:
            seen.append(chunk)
            raise

    found, outcome = collect(endless, range(4), stop=stop)
    assert not found
    assert outcome == Outcome(0, (0, 1, 2, 3))
    assert seen
    check_stop()  # elsewhere it means nothing


@pytest.mark.parametrize("how", ["-c", "-"])
def test_no_guard_of_the_main_module_is_needed(tmp_path, environment, how):
    code = (
        "from toy_sweep import *\n"
        f"sweep({str(tmp_path / 'store')!r}, 4)\n"
        f"sweep({str(tmp_path / 'other')!r}, 4, executor='processes')\n"
        f"print(files({str(tmp_path / 'store')!r}) == files({str(tmp_path / 'other')!r}))\n"
    )
    arguments = [sys.executable, "-P", how] + ([code] if how == "-c" else [])
    done = subprocess.run(
        arguments, input=code, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"


def test_a_script_without_a_guard_falls_back_to_threads(tmp_path, environment):
    script = tmp_path / "script.py"
    script.write_text(
        "from toy_sweep import *\n"
        f"sweep({str(tmp_path / 'store')!r}, 4, executor='processes')\n"
        "print('done')\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "done\n"
    assert "worker processes do not start here" in done.stderr
    assert len(files(tmp_path / "store")) == 4
