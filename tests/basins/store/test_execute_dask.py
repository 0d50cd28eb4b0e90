"""Dask: the same bytes as here, whichever workers die meanwhile."""

import functools
import os
import signal
import threading

import pytest
from toy_sweep import FINGERPRINT, PLAN, compute, dies, files

from thalweg._core import DataError
from thalweg.basins import ChunksFailedError, Store, connect_dask, run_chunks

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.timeout(180),
    # Its event loops and sockets are closed when the interpreter feels like it.
    pytest.mark.filterwarnings("ignore"),
]
CHUNKS = 6


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


def store_of(folder, chunks, compute, executor, **options):
    told = []
    with Store.create_or_open(folder, PLAN, FINGERPRINT, chunks) as store:
        missing = store.missing()
        run_chunks(compute, missing, store.write, executor=executor, report=told.append, **options)
    return told


def test_the_same_bytes_as_here(tmp_path, cluster, reference):
    assert not store_of(tmp_path / "store", CHUNKS, compute, f"dask:{cluster.scheduler_address}")
    assert files(tmp_path / "store") == reference


def test_an_executor_of_the_users_client(tmp_path, cluster, reference):
    with distributed.Client(cluster) as client:
        store_of(tmp_path / "store", CHUNKS, compute, client.get_executor())
        assert client.status == "running"
    assert files(tmp_path / "store") == reference


def test_a_restart_of_the_cluster(tmp_path, cluster):
    with distributed.Client(cluster) as client:
        restarted = threading.Event()

        def progress(done, count):
            if done == 5 and not restarted.is_set():
                restarted.set()
                client.restart()

        nap = functools.partial(compute, nap=0.02)
        store_of(tmp_path / "there", 20, nap, client.get_executor(), progress=progress)
    store_of(tmp_path / "here", 20, compute, None)
    assert files(tmp_path / "there") == files(tmp_path / "here")


def test_workers_die_during_the_run(tmp_path, cluster):
    nap = functools.partial(compute, nap=0.05)
    store_of(tmp_path / "here", 60, compute, None)
    killed = []

    def progress(done, count):
        if done in {5, 25}:
            with distributed.Client(cluster, set_as_default=False) as client:
                pids = list(client.run(os.getpid).values())
            os.kill(pids[0], signal.SIGKILL)
            killed.append(pids[0])

    executor = f"dask:{cluster.scheduler_address}"
    store_of(tmp_path / "there", 60, nap, executor, progress=progress)
    assert len(killed) == 2
    assert files(tmp_path / "there") == files(tmp_path / "here")


@pytest.mark.slow
def test_a_chunk_that_kills_workers_is_given_up(tmp_path, cluster):
    with distributed.Client(cluster) as client:
        client.wait_for_workers(1)
        bad = functools.partial(dies, how="exit", bad=(2,))
        with pytest.raises(ChunksFailedError, match=r"KilledWorker.*3 times alone") as caught:
            store_of(tmp_path / "store", CHUNKS, bad, client.get_executor(retries=0))
    assert list(caught.value.failed) == [2]
    assert len(files(tmp_path / "store")) == CHUNKS - 1


def test_a_chunk_computed_twice_is_handed_over_once(tmp_path, cluster, reference):
    with distributed.Client(cluster) as client:
        executor = client.get_executor()
        # The same work a second time, unasked.
        copies = [executor.submit(compute, chunk) for chunk in range(CHUNKS)]
        store_of(tmp_path / "store", CHUNKS, compute, executor)
        assert all(copy.result().num_rows == 20 for copy in copies)
    assert files(tmp_path / "store") == reference


def test_a_cluster_that_disappears_is_replaced_by_threads(tmp_path):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as own:
        client = distributed.Client(own)
        gone = threading.Event()

        def progress(done, count):
            if done == 3 and not gone.is_set():
                gone.set()
                client.close()

        nap = functools.partial(compute, nap=0.02)
        told = store_of(tmp_path / "store", 20, nap, client.get_executor(), progress=progress)
    assert any("going on with threads" in text for text in told)
    assert len(files(tmp_path / "store")) == 20


def test_no_scheduler_is_said(monkeypatch):
    monkeypatch.setattr("thalweg.basins.executors._dask.SECONDS", 1)
    with pytest.raises(DataError, match="no Dask scheduler answers at 'tcp://127"):
        connect_dask("dask:tcp://127.0.0.1:1")
