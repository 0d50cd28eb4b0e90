"""A sweep without mathematics, as a module for workers and as a command to be killed."""

import argparse
import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa

from thalweg._core import ThalwegError
from thalweg.basins import Shard, Store, check_stop, ended_by_signals, run_chunks

PLAN = {"n": 600, "scale": [0.1, 1.0], "problem": {"dims": [4, 3, 2]}}
FINGERPRINT = "5e" * 32
KINDS = ["global_minimum", "strict_saddle", "undecided"]


def compute(chunk, *, rows=20, nap=0.0, deaf=False):
    """Rows that depend on the number of the chunk alone, with all types a sweep has."""
    end = time.monotonic() + nap
    while (left := end - time.monotonic()) > 0:
        time.sleep(left if deaf else min(left, 0.05))
        if not deaf:
            check_stop()
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(7, spawn_key=(chunk,))))
    numbers = rng.standard_normal((3, rows))
    numbers[0, ::7] = np.nan
    return pa.table(
        {
            "index": np.arange(chunk * rows, (chunk + 1) * rows),
            "loss": numbers[0],
            "time": numbers[1],
            "kind": [KINDS[int(abs(10 * x)) % 3] for x in numbers[2]],
            "learned": [list(range(int(abs(10 * x)) % 4)) for x in numbers[2]],
            "certified": numbers[2] > 0,
        }
    )


def dies(chunk, how, bad, **options):
    """As `compute`, but some chunks end their worker."""
    if chunk in bad:
        if how == "exit":
            os._exit(9)
        if how == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if how == "memory":
            raise MemoryError
        raise ZeroDivisionError("a mistake in the code")
    return compute(chunk, **options)


def files(folder):
    """Names and bytes of the chunks."""
    return {path.name: path.read_bytes() for path in Path(folder).glob("*.parquet")}


def executor_for(name, workers):
    """Return an executor by a word."""
    if name in {"fork", "spawn", "forkserver"}:
        return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(name))
    return None if name == "threads" else name


def sweep(folder, chunks, *, shard=None, executor="threads", workers=2, compute=compute):
    """What the real command does: open, lock, look what is missing, compute, store."""
    made = executor_for(executor, workers)
    with Store.create_or_open(
        folder, PLAN, FINGERPRINT, chunks, shard=shard or Shard(0, 1), report=say
    ) as store:
        run_chunks(
            compute, store.missing(), store.write, executor=made, workers=workers, report=say
        )


def say(text):
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--chunks", type=int, default=30)
    parser.add_argument("--nap", type=float, default=0.0)
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--executor", default="threads")
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--of", type=int, default=1)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--largest-file", type=int)
    options = parser.parse_args()
    if options.largest_file:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (options.largest_file,) * 2)
    if options.uid and os.getuid() == 0:
        os.setuid(options.uid)
    sys.stdout.write("started\n")
    sys.stdout.flush()
    call = functools.partial(compute, rows=options.rows, nap=options.nap, deaf=options.deaf)
    try:
        with ended_by_signals():
            sweep(
                options.folder,
                options.chunks,
                shard=Shard(options.part, options.of),
                executor=options.executor,
                compute=call,
            )
    except ThalwegError as error:
        say(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
