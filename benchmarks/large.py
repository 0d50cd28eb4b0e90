"""Large networks: share of BLAS, cost of a step against its bare products, memory, crossover.

``python benchmarks/large.py [--write]`` writes ``docs/performance_large.md``.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
from frontier import machine
from scipy.linalg.blas import daxpy
from threadpoolctl import threadpool_limits

import thalweg as tw
from thalweg.integrate import _combine, _rock4_large, _slices, _solve, _sweep, solve
from thalweg.integrate._field import Field
from thalweg.integrate._rock4 import table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance_large.md"
BLAS = ("dgemm", "daxpy")


def digits_like(widths, *, scale, samples=2000, pixels=784, classes=10):
    """Return a raw problem with decaying principal components, as images of digits have."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((pixels, pixels)))[0]
    images = rng.standard_normal((samples, pixels)) / (1.0 + np.arange(pixels)) @ basis.T + 0.1
    labels = np.eye(classes)[rng.integers(0, classes, samples)]
    problem = tw.Problem.from_data(images, labels, widths=widths, loss="mean")
    return problem, tw.init.gaussian(problem, scale=scale, rng=0)


def square(width, depth, *, scale, rank=20):
    values = np.linspace(3.0, 1.0, rank)
    problem = tw.Problem.from_target(values, dims=(width,) * (depth + 1))
    return problem, tw.init.gaussian(problem, scale=scale, rng=0)


CASES = {
    "784-512-512-10, raw": (lambda: digits_like((512, 512), scale=0.03), 300.0),
    "784-128-10, raw": (lambda: digits_like((128,), scale=0.05), 300.0),
    "300-300-300-300": (lambda: square(300, 3, scale=0.04), 3.0),
}


def closed():
    return square(300, 3, scale=0.04, rank=300)


CLOSED = "300-300-300-300, rank 300, tail closed"


class Clock:
    """Adds up the time inside some functions of a module."""

    def __init__(self, *places) -> None:
        self.seconds, self._places = 0.0, places
        self._saved = {}

    def __enter__(self):
        for module, name in self._places:
            self._saved[module, name] = function = getattr(module, name)
            setattr(module, name, self._timed(function))
        return self

    def __exit__(self, *_):
        for (module, name), function in self._saved.items():
            setattr(module, name, function)

    def _timed(self, function):
        clock = time.perf_counter

        def timed(*args, **kwargs):
            begin = clock()
            out = function(*args, **kwargs)
            self.seconds += clock() - begin
            return out

        return timed


def blas_clock() -> Clock:
    places = [(m, name) for m in (_sweep, _combine) for name in BLAS if hasattr(m, name)]
    return Clock(*places)


def bare_products(dims, repeats):
    """Return the time of the products of one right-hand side, into memory at hand."""
    rng = np.random.default_rng(0)
    depth, d_y = len(dims) - 1, dims[-1]
    weights = [0.05 * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    right = [np.empty((d_y, d)) for d in dims[: depth - 1]] + [weights[-1]]
    signal = [rng.standard_normal((d_y, d)) for d in dims[:depth]]
    slopes = [np.empty_like(w) for w in weights]
    begin = time.process_time()
    for _ in range(repeats):
        for j in range(depth - 2, -1, -1):
            np.matmul(right[j + 1], weights[j], out=right[j])
        for j in range(depth - 1):
            np.matmul(right[j + 1].T, signal[j], out=slopes[j])
            np.matmul(signal[j], weights[j].T, out=signal[j + 1])
    return (time.process_time() - begin) / repeats


def flow_data(problem, start):
    from thalweg.problem import compress

    small = compress(problem.reduce(start), *problem.flow_data())
    return small.target, small.metric, small.weights


def steps_of(problem, start, t_end, rtol):
    """Return time, share of BLAS, right-hand sides and the ratio to the bare products."""
    data = flow_data(problem, start)
    solve(*data, t_end=1e-3 * t_end, rtol=rtol)
    dims = (data[2][0].shape[1], *(w.shape[0] for w in data[2]))
    times, ratios = [], []
    for _ in range(3):  # in turn, as the machine may be shared
        begin, busy = time.perf_counter(), time.process_time()
        done = solve(*data, t_end=t_end, rtol=rtol)
        times.append(time.perf_counter() - begin)
        busy, count = time.process_time() - busy, done.stats["rhs"]
        ratios.append(busy / count / bare_products(dims, min(count, 200)))
    with blas_clock() as inside:
        begin = time.perf_counter()
        solve(*data, t_end=t_end, rtol=rtol)
        share = inside.seconds / (time.perf_counter() - begin)
    return min(times), share, done.stats, float(np.median(ratios))


def copies_of(problem, start, t_end, rtol):
    """Return the peak of a whole flow and of reading its end, in sets of weights."""
    tw.flow(problem, start, t_end=1e-3, rtol=rtol)
    tracemalloc.start()
    began = time.perf_counter()
    run = tw.flow(problem, start, t_end=t_end, rtol=rtol)
    assert all(np.isfinite(weight).all() for weight in run.final)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 8 / problem.n_parameters, time.perf_counter() - began, run


def crossover(dims, rtol=1e-5):
    """Return the time per right-hand side of the compiled core and of BLAS on blocks."""
    rng = np.random.default_rng(0)
    target = np.zeros((dims[-1], dims[0]))
    k = min(dims[0], dims[-1])
    target[range(k), range(k)] = np.linspace(3.0, 1.0, k)
    scale = 0.5 / np.sqrt(max(dims))
    weights = [scale * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    out = []
    for largest in (2**40, 0):
        for module in (_solve, _slices):
            module.LARGEST = largest
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            done = solve(target, np.ones(dims[0]), weights, t_end=1.0, rtol=rtol, method="rock4")
            times.append((time.perf_counter() - begin) / done.stats["rhs"])
        out.append(min(times))
    return out


SHAPES = (
    *((64, 100, 100, 10), (128, 128, 128, 10), (784, 64, 10), (784, 128, 10)),
    *((784, 256, 10), (784, 512, 512, 10), (100,) * 4, (200,) * 4, (300,) * 4),
)


def stream(size=2**22):
    """Return the bytes a second that one sum of two vectors reads and writes, far beyond caches."""
    x, out = np.ones(size), np.ones(size)
    times = []
    for _ in range(9):
        begin = time.process_time()
        daxpy(x, out, a=1e-9)
        times.append(time.process_time() - begin)
    return 3 * x.nbytes / float(np.median(times))


class Sums(_sweep.Sweep):
    """What a step does besides its products."""

    def stage(self, y, out, alpha, before=None, after=None):
        for begin in range(0, y.size, _sweep.BLOCK):
            part = slice(begin, min(begin + _sweep.BLOCK, y.size))
            for work in (before, after):
                if work is not None:
                    work(part)
        return 0.0


def sums_alone(dims, stages=12):
    """Return the time of a step's sums for each right-hand side, and bytes moved a second.

    Read and written once: three vectors in the first point and in each of the recursion, then two,
    three, four and six, and three in the error.
    """
    field = Field(np.zeros((dims[-1], dims[0])), np.ones(dims[0]), dims)
    position = min(range(len(table())), key=lambda k: abs(table()[k].stages - stages))
    stages, sweep = table()[position].stages, Sums(field)
    y, slope, *room = (np.ones(field.size) for _ in range(2 + _rock4_large.ROOM))
    times = []
    for _ in range(9):
        begin = time.process_time()
        _rock4_large.rock4_large(sweep, y, slope, (1e-3, position), room)
        times.append(time.process_time() - begin)
    seconds = float(np.median(times))
    return seconds / stages, 8 * field.size * (3 * (stages - 4) + 15 + 3) / seconds


def tables() -> list[str]:
    lines = [
        "| network | rtol | seconds | steps | right-hand sides | in BLAS | times bare products "
        "| sums alone | GB/s of sums |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    memory = [
        "| network | weights | peak of `flow`, in sets of weights | seconds | status |",
        "|---|---:|---:|---:|---|",
    ]
    for name, (make, t_end) in CASES.items():
        problem, start = make()
        weights = flow_data(problem, start)[2]
        dims = (weights[0].shape[1], *map(len, weights))
        sums, rate = sums_alone(dims)
        sums /= bare_products(dims, 100)
        for rtol in (1e-4, 1e-6):
            seconds, share, stats, ratio = steps_of(problem, start, t_end, rtol)
            lines.append(
                f"| {name} | {rtol:.0e} | {seconds:.2f} | {stats['steps']} | {stats['rhs']} "
                f"| {share:.0%} | {ratio:.2f} | {sums:.2f} | {1e-9 * rate:.0f} |"
            )
            print(lines[-1], flush=True)
    for name, (make, t_end) in (*CASES.items(), (CLOSED, (closed, None))):
        problem, start = make()
        copies, whole, run = copies_of(problem, start, t_end, 1e-4)
        memory.append(
            f"| {name} | {problem.n_parameters:,} | {copies:.1f} | {whole:.1f} | {run.status} |"
        )
        print(memory[-1], flush=True)
    lines += ["", *memory, ""]
    lines += [
        "| layers | weights | compiled core, µs | BLAS on blocks, µs | ratio |",
        "|---|---:|---:|---:|---:|",
    ]
    for dims in SHAPES:
        size = sum(a * b for a, b in itertools.pairwise(dims))
        core, blas = (1e6 * t for t in crossover(dims))
        shape = "-".join(map(str, dims))
        lines.append(f"| {shape} | {size:,} | {core:.0f} | {blas:.0f} | {core / blas:.2f} |")
        print(lines[-1], flush=True)
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} into docs")
    options = parser.parse_args()
    page = [
        "# Large networks",
        "",
        "Beyond 100 000 weights the flow is integrated by BLAS on blocks that stay in the cache, "
        "in bounded memory. Written by `python benchmarks/large.py --write`; one thread. *Bare "
        "products* is the time of the matrix products of as many right-hand sides, taken in "
        "turn, into memory at hand; what a step takes beyond them are sums of vectors, the "
        "estimate of the spectral radius and points written to disk. The peak is that of "
        "`tracemalloc` over a whole `flow`, its end included, beyond the problem and the start. "
        "*Sums alone* are those of a step of twelve right-hand sides without any product, in units "
        "of the bare products; the bytes that they move a second compare with those of `daxpy` "
        "far beyond the caches: where they reach it, memory is what bounds a step beyond its "
        "products. "
        "The last table is the time for each right-hand side, all else included, of both engines.",
        "",
        f"Machine: {machine().split('; engine')[0]}.",
        "",
    ]
    with threadpool_limits(1):
        page += [f"`daxpy`: {1e-9 * stream():.0f} GB/s.", "", *tables()]
    if options.write:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
