"""How the time grows with size, depth, condition number and batch; writes pictures into docs.

Compared at a tolerance of 1e-6 with CVODE driven from C, whose configuration is the fastest of
those that `flow_vs_peers.py` finds; beyond its limit for dense systems there is no peer.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import frontier
import numpy as np
import pictures
from cvode_c import cvode_c_run, library
from peers import DENSE_LIMIT
from problems import FlowProblem

RTOL = 1e-6
PAGE = frontier.DOCS / "performance_scaling.md"


def case(dims: tuple[int, ...], sigma: np.ndarray, scale: float, t_end: float) -> FlowProblem:
    rng = np.random.default_rng(0)
    target = np.zeros((dims[-1], dims[0]))
    target[range(len(sigma)), range(len(sigma))] = sigma
    shapes = zip(dims[1:], dims[:-1], strict=True)
    weights = tuple(scale * rng.standard_normal(shape) for shape in shapes)
    return FlowProblem("", "", target, np.ones(dims[0]), weights, t_end)


def by_size(width: float) -> FlowProblem:
    w = int(width)
    return case((w, w, w), np.linspace(3, 1, min(w, 5)), 0.5 / np.sqrt(w), 20.0)


def by_depth(depth: float) -> FlowProblem:
    return case((6,) * (int(depth) + 1), np.array([3, 2.2, 1.6, 1.2, 0.8, 0.5]), 0.3, 50.0)


def by_condition(condition: float) -> FlowProblem:
    return case((6, 6, 6), np.geomspace(1, 1 / condition, 6), 0.1, 20.0 * condition)


SERIES: dict[str, tuple[str, tuple[float, ...], Callable[[float], FlowProblem]]] = {
    "n": ("width of three equal layers", (3, 5, 8, 12, 17, 32, 64, 128), by_size),
    "depth": ("depth, layers of width 6", (2, 3, 4, 5, 6, 8), by_depth),
    "condition": ("largest by smallest singular value", (1, 10, 100, 1e3, 1e4), by_condition),
}


def best(run: Callable[[], object]) -> float:
    run()
    times = []
    while len(times) < 7 and (sum(times) < 0.5 or not times):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return 1e3 * min(times)


def times_of(problem: FlowProblem) -> tuple[float, float]:
    """Return the milliseconds of thalweg and of CVODE in C; NaN where it does not get there."""
    from thalweg.integrate import solve

    data = problem.target, problem.metric, list(problem.weights)
    ours = best(lambda: solve(*data, t_end=problem.t_end, rtol=RTOL))
    if library() is None or problem.size > DENSE_LIMIT:
        return ours, float("nan")
    scale = float(np.sqrt(np.mean(problem.start**2)))
    peer = cvode_c_run(problem, budget=20_000)
    try:
        return ours, best(lambda: peer(RTOL, RTOL * scale))
    except AssertionError:
        return ours, float("nan")


def by_batch() -> tuple[tuple[int, ...], list[float]]:
    """Return sizes of batches of 4-3-3-2 and the microseconds for each start, one thread."""
    from thalweg.integrate import solve_batch

    problem = case((4, 3, 3, 2), np.array([3.0, 1.5]), 0.3, 20.0)
    sizes, out = (1, 8, 64, 512, 4096), []
    for count in sizes:
        rng = np.random.default_rng(0)
        starts = [0.3 * rng.standard_normal((count, *w.shape)) for w in problem.weights]
        data = problem.target, problem.metric, starts
        run = lambda data=data: solve_batch(*data, t_end=20.0, rtol=RTOL)  # noqa: E731
        out.append(1e3 * best(run) / count)
    return sizes, out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the page and the pictures")
    options = parser.parse_args()
    page = [
        "# Scaling",
        "",
        f"Written by `python benchmarks/scaling.py --write`; rtol {RTOL:g}.",
        "",
    ]
    page += [f"Machine: {frontier.machine()}.", ""]
    for name, (label, values, make) in SERIES.items():
        pairs = [times_of(make(value)) for value in values]
        ours, peer = zip(*pairs, strict=True)
        page += [f"| {label} | weights | thalweg, ms | CVODE in C, ms |", "|---:|---:|---:|---:|"]
        for value, a, b in zip(values, ours, peer, strict=True):
            told = "–" if np.isnan(b) else f"{b:.3g}"
            page.append(f"| {value:g} | {make(value).size} | {a:.3g} | {told} |")
        page += ["", f"![{label}](images/scaling_{name}.svg)", ""]
        if options.write:
            pictures.scaling(name, label, values, {"thalweg": ours, "CVODE in C": peer})
    sizes, each = by_batch()
    page += ["| starts of 4-3-3-2 | µs for each |", "|---:|---:|"]
    page += [f"| {n} | {t:.3g} |" for n, t in zip(sizes, each, strict=True)]
    print("\n".join(page))
    if options.write:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main())
