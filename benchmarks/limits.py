"""Does the flow end where theory says, on every bundled data set?

For each data set, network and seed the loss at the limit is compared with least squares (no
bottleneck) or reduced-rank regression (bottleneck), computed here by ``numpy.linalg`` alone. Runs
without a bottleneck and with a target of full rank must also be certified. Exit code 1 on a miss.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import thalweg as tw

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


NETWORKS = ((8,), (16, 16), (12, 2, 12))
ACCURACY = 1e-9


def is_one_hot(Y: np.ndarray) -> bool:
    return Y.shape[1] > 1 and bool(np.all((Y == 0) | (Y == 1)) and np.all(Y.sum(axis=1) == 1))


def oracle(X: np.ndarray, Y: np.ndarray, widths: tuple[int, ...]) -> tuple[float, bool]:
    """Return the least loss that the network can reach and whether a certificate is due."""
    fitted = X @ np.linalg.lstsq(X, Y, rcond=None)[0]
    strengths = np.linalg.svd(fitted, compute_uv=False)
    widest = min(X.shape[1], Y.shape[1])
    rank = min(widest, *widths)
    best = 0.5 * float(np.sum((Y - fitted) ** 2)) + 0.5 * float(np.sum(strengths[rank:] ** 2))
    full = int(np.sum(strengths > 1e-10 * strengths[0])) == widest
    return best, full and rank == widest


def run(task: tuple[str, bool, tuple[int, ...], int]) -> dict[str, object]:
    name, centred, widths, seed = task
    data = tw.datasets.load(name)
    X, Y = np.array(data.X), np.array(data.Y)
    if centred:
        X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    problem = tw.Problem.from_data(X, Y, widths=widths)
    best, due = oracle(X, Y, widths)
    began = time.perf_counter()
    result = tw.flow(problem, tw.init.gaussian(problem, scale=0.1, rng=seed))
    seconds = time.perf_counter() - began
    product = np.linalg.multi_dot(list(reversed(result.final)))
    loss = 0.5 * float(np.sum((Y - X @ product.T) ** 2))
    error = abs(loss - best) / best
    certified = result.limit.certified
    good = result.status == "limit" and error <= ACCURACY and (certified or not due)
    return {
        "error": error,
        "certified": certified,
        "due": due,
        "seconds": seconds,
        "steps": int(result.stats.get("steps", 0)),
        "good": good,
        "kind": result.limit.verdict.kind,
        "status": result.status,
        "message": result.message,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="starts per network")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--only", nargs="*", default=None, help="names of data sets")
    options = parser.parse_args()
    cases = []
    for name in options.only or tw.datasets.names():
        variants = (False, True) if is_one_hot(np.asarray(tw.datasets.load(name).Y)) else (False,)
        cases += [(name, centred, widths) for centred in variants for widths in NETWORKS]
    misses = 0
    print(f"{'data':24} {'widths':12} {'worst error':>11} {'certified':>9} {'due':>4} ", end="")
    print(f"{'seconds':>8} {'steps':>7}")
    with ProcessPoolExecutor(options.workers) as pool:
        tasks = [(*case, seed) for case in cases for seed in range(options.seeds)]
        results = pool.map(run, tasks)
        for name, centred, widths in cases:
            rows = [next(results) for _ in range(options.seeds)]
            label = name + (" (centred)" if centred else "")
            print(
                f"{label:24} {widths!s:12} {max(r['error'] for r in rows):11.1e} "
                f"{sum(r['certified'] for r in rows):6}/{len(rows):2} "
                f"{sum(r['due'] for r in rows):4} "
                f"{sum(r['seconds'] for r in rows) / len(rows):8.2f} "
                f"{max(r['steps'] for r in rows):7}",
                flush=True,
            )
            for seed, row in enumerate(rows):
                if not row["good"]:
                    misses += 1
                    print(
                        f"  MISS seed {seed}: {row['status']}, {row['kind']}, "
                        f"error {row['error']:.1e}, certified {row['certified']}; {row['message']}",
                        flush=True,
                    )
    print(f"{misses} misses in {len(tasks)} runs")
    return int(misses > 0)


if __name__ == "__main__":
    sys.exit(main())
