"""The compiled core's batches: structures as in ``src/native/lane_start.hpp``, threads, Ctrl-C."""

import concurrent.futures
import ctypes
import functools
from collections.abc import Callable

import numpy as np

from thalweg._core import Array, IntegrationError
from thalweg.integrate._modes import CLOSENESS
from thalweg.integrate._native import Double, Integer, Pointer, instruction_set, load
from thalweg.integrate._rows import UNFINISHED, Results
from thalweg.integrate._spectral import first_vector

INTERFACE = 2
POLL = 0.1  # seconds between two looks at the progress


class BatchLimits(ctypes.Structure):
    """When a start ends and how exact its steps are."""

    _fields_ = [
        *(
            (name, Double)
            for name in (
                *("t_end", "loss_stop", "gradient_stop", "basin_level"),
                *("rtol", "finest", "grown", "rest"),
            )
        ),
        ("max_steps", Integer),
    ]


class PlateauTask(ctypes.Structure):
    """What plateaus are measured by, and where they are written."""

    _fields_ = [
        *((name, Integer) for name in ("room", "modes", "rank")),
        ("closeness", Double),
        *((name, Pointer) for name in ("sigma", "left", "right", "events")),
    ]


class Queue(ctypes.Structure):
    """What the threads of a batch share."""

    _fields_ = [(name, Integer) for name in ("count", "next", "done", "stop", "useful", "spent")]


@functools.cache
def library(name: str | None) -> ctypes.CDLL | None:
    """Return the core that computes batches, or ``None``."""
    core = None if name is None else load(name)
    if core is None or not hasattr(core, "thalweg_batch_run"):
        return None
    core.thalweg_batch_run.restype = ctypes.c_int
    core.thalweg_batch_run.argtypes = [ctypes.c_int, *[Pointer] * 10]
    return core if core.thalweg_batch_interface() == INTERFACE else None


def run_lanes(
    problem: tuple[Array, Array, tuple[int, ...]],
    starts: Array,
    limits: BatchLimits,
    results: Results,
    threads: int,
    *,
    progress: Callable[[int, int], None] | None,
) -> Queue:
    """Integrate packed `starts` ``(N, n)`` into the results; return the queue with its counts.

    Ctrl-C ends the batch within a step: rows not reached keep the status `UNFINISHED`.

    Raises
    ------
    IntegrationError
        If the core is not there or memory does not suffice.
    """
    core = library(instruction_set())
    if core is None:
        raise IntegrationError("the compiled core has no batches here; use engine='numpy'")
    target, metric, dims = problem
    sizes = np.array(dims, dtype=np.int64)
    target, metric = (np.ascontiguousarray(item, dtype=np.float64) for item in (target, metric))
    vector = np.ascontiguousarray(first_vector(starts.shape[1]))
    results.rows["status"] = UNFINISHED
    plateaus = _task(results)
    queue = Queue(len(starts), 0, 0, 0, 0, 0)
    arrays = (sizes, target, metric)
    arguments: list[int | None] = [len(dims) - 1, *(item.ctypes.data for item in arrays)]
    arguments += [ctypes.addressof(limits), ctypes.addressof(queue)]
    arguments += [None if plateaus is None else ctypes.addressof(plateaus), vector.ctypes.data]
    arguments += [item.ctypes.data for item in (starts, results.ends, results.rows)]
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(core.thalweg_batch_run, *arguments) for _ in range(threads)]
        waiting = set(futures)
        try:
            while waiting:
                _, waiting = concurrent.futures.wait(waiting, POLL)
                if progress is not None and waiting:
                    progress(int(queue.done), len(starts))
        except KeyboardInterrupt:
            queue.stop = 1
        except BaseException:
            queue.stop = 1
            raise
    if any(future.result() for future in futures):
        raise IntegrationError("not enough memory for the compiled core; use fewer threads")
    return queue


def _task(results: Results) -> PlateauTask | None:
    modes = results.modes
    if modes is None:
        return None
    arrays = (modes.sigma, modes.left, modes.right, results.events)
    sizes = (modes.room, len(modes.sigma), modes.rank)
    return PlateauTask(*sizes, CLOSENESS, *(item.ctypes.data for item in arrays))
