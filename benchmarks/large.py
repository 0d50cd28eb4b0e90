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

import thalweg as tw
from thalweg.integrate import _rock4_large, _slices, _solve, _sweep, solve

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance_large.md"
BLAS = ("dgemm", "daxpy", "dscal")


def digits_like(widths, *, scale, samples=2000, pixels=784, classes=10):
    """Return a raw problem with decaying principal components, as images of digits have."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((pixels, pixels)))[0]
    images = rng.standard_normal((samples, pixels)) / (1.0 + np.arange(pixels)) @ basis.T + 0.1
    labels = np.eye(classes)[rng.integers(0, classes, samples)]
    problem = tw.Problem.from_data(images, labels, widths=widths, loss="mean")
    return problem, tw.init.gaussian(problem, scale=scale, rng=0)


def square(width, depth, *, scale):
    values = np.linspace(3.0, 1.0, 20)
    problem = tw.Problem.from_target(values, dims=(width,) * (depth + 1))
    return problem, tw.init.gaussian(problem, scale=scale, rng=0)


CASES = {
    "784-512-512-10, raw": (lambda: digits_like((512, 512), scale=0.03), 12.0),
    "784-128-10, raw": (lambda: digits_like((128,), scale=0.05), 12.0),
    "300-300-300-300": (lambda: square(300, 3, scale=0.04), 3.0),
}


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
    places = [(m, name) for m in (_sweep, _rock4_large) for name in BLAS if hasattr(m, name)]
    return Clock(*places)


def bare_products(dims, repeats=9):
    """Return the least time of the products of one right-hand side, into memory at hand."""
    rng = np.random.default_rng(0)
    depth, d_y = len(dims) - 1, dims[-1]
    weights = [0.05 * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    right = [np.empty((d_y, d)) for d in dims[: depth - 1]] + [weights[-1]]
    signal = [rng.standard_normal((d_y, d)) for d in dims[:depth]]
    slopes = [np.empty_like(w) for w in weights]
    best = np.inf
    for _ in range(repeats):
        begin = time.perf_counter()
        for j in range(depth - 2, -1, -1):
            np.matmul(right[j + 1], weights[j], out=right[j])
        for j in range(depth - 1):
            np.matmul(right[j + 1].T, signal[j], out=slopes[j])
            np.matmul(signal[j], weights[j].T, out=signal[j + 1])
        best = min(best, time.perf_counter() - begin)
    return best


def flow_data(problem, start):
    from thalweg.problem import compress

    small = compress(problem.reduce(start), *problem.flow_data())
    return small.target, small.metric, small.weights


def steps_of(problem, start, t_end, rtol):
    """Return time, share of BLAS, right-hand sides and the ratio to the bare products."""
    data = flow_data(problem, start)
    solve(*data, t_end=1e-3 * t_end, rtol=rtol)
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        done = solve(*data, t_end=t_end, rtol=rtol)
        times.append(time.perf_counter() - begin)
    with blas_clock() as inside:
        begin = time.perf_counter()
        solve(*data, t_end=t_end, rtol=rtol)
        share = inside.seconds / (time.perf_counter() - begin)
    dims = (data[2][0].shape[1], *(w.shape[0] for w in data[2]))
    products = bare_products(dims) * done.stats["rhs"]
    return min(times), share, done.stats, min(times) / products


def copies_of(problem, start, t_end, rtol):
    """Return the peak of a whole flow, its end included, in sets of weights."""
    tw.flow(problem, start, t_end=1e-3 * t_end, rtol=rtol)
    tracemalloc.start()
    began = time.perf_counter()
    run = tw.flow(problem, start, t_end=t_end, rtol=rtol)
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} into docs")
    parser.add_argument("--cross", action="store_true")
    parser.parse_args()
    for name, (make, t_end) in ({} if "--cross" in sys.argv else CASES).items():
        problem, start = make()
        for rtol in (1e-4, 1e-6):
            seconds, share, stats, ratio = steps_of(problem, start, t_end, rtol)
            print(
                name,
                rtol,
                f"{seconds:.2f} s",
                stats,
                f"BLAS {share:.0%} x bare {ratio:.2f}",
                flush=True,
            )
        copies, whole, run = copies_of(problem, start, t_end, 1e-4)
        print(
            "  copies",
            f"{copies:.2f}",
            f"flow {whole:.2f} s",
            run.status,
            run.loss[0],
            run.loss[-1],
            flush=True,
        )
    for dims in [
        (64, 100, 100, 10),
        (128, 128, 128, 10),
        (266, 256, 128, 10),
        (784, 64, 10),
        (784, 128, 10),
        (784, 256, 10),
        (784, 512, 512, 10),
        (100,) * 4,
        (200,) * 4,
        (300,) * 4,
    ]:
        n = sum(a * b for a, b in itertools.pairwise(dims))
        a, b = crossover(dims)
        print(
            dims, n, f"core {a * 1e6:.0f} us, BLAS {b * 1e6:.0f} us, ratio {a / b:.2f}", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
