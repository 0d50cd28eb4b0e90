"""Time at equal achieved error: ladders of tolerances, their frontiers, and what machine it was."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from problems import FlowProblem

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


TARGETS = (1e-4, 1e-6, 1e-8)
LADDER = (1e-1, 3e-2, *(10.0**-k for k in range(2, 13)))
DOCS = Path(__file__).resolve().parents[1] / "docs"
REPEATS, SPAN = 7, 0.02
"""Runs of a solver at a tolerance, and the seconds that they take in all: at least."""
MODULES = {"scikit-sundae": "sksundae"}
Run = Callable[[float, float], np.ndarray]
Point = tuple[float, float, float, float]  # rtol, error, least seconds, median seconds


def sweep(
    problem: FlowProblem,
    run: Run,
    reference: np.ndarray,
    seconds: float,
    ladder: tuple[float, ...] = LADDER,
) -> list[Point]:
    """Run down the ladder until the error or the time says stop.

    Runs that fail, as explicit methods do at loose tolerances, are not on the clock; three are
    enough.
    """
    scale = float(np.sqrt(np.mean(problem.start**2)))
    size = float(np.linalg.norm(reference))
    points: list[Point] = []
    with contextlib.suppress(Exception):
        run(ladder[0], ladder[0] * scale)  # compilation and first touch of memory are not timed
    began, lost, failed = time.perf_counter(), 0.0, 0
    for rtol in ladder:
        try:
            times, first = [], time.perf_counter()
            while (len(times) < REPEATS and sum(times) < 0.25) or sum(times) < SPAN:
                start = time.perf_counter()
                end = run(rtol, rtol * scale)
                times.append(time.perf_counter() - start)
        except Exception as error:
            print(f"    rtol {rtol:.0e}: {str(error).splitlines()[0][:90]}", flush=True)
            lost, failed = lost + time.perf_counter() - first, failed + 1
            if failed == 3:
                break
            continue
        achieved = float(np.linalg.norm(end - reference)) / size
        points.append((rtol, achieved, min(times), float(np.median(times))))
        if achieved < 0.3 * TARGETS[-1] or time.perf_counter() - began - lost > seconds:
            break
    return points


def time_at(points: list[Point], error: float) -> float | None:
    """Return the time at an achieved error, or ``None`` if it was not reached."""
    front: list[tuple[float, float]] = []
    for _, achieved, seconds, _ in sorted(points, key=lambda p: p[2]):
        if np.isfinite(achieved) and (not front or achieved < front[-1][0]):
            front.append((max(achieved, 1e-16), seconds))
    below = [k for k, (achieved, _) in enumerate(front) if achieved <= error]
    if not below:
        return None
    k = below[0]
    if k == 0:
        return front[0][1]
    x = [np.log(front[k][0]), np.log(front[k - 1][0])]
    y = [np.log(front[k][1]), np.log(front[k - 1][1])]
    return float(np.exp(np.interp(np.log(error), x, y)))


def cpu() -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def machine() -> str:
    from importlib.metadata import version
    from importlib.util import find_spec

    import thalweg
    from thalweg.integrate import engine_name

    packages = ("numpy", "scipy", "scikit-sundae", "jax", "diffrax")
    parts = [f"{cpu()}, {os.cpu_count()} cores (shared), one thread", platform.system()]
    parts += [f"Python {platform.python_version()}", f"thalweg {thalweg.__version__}"]
    parts += [f"{p} {version(p)}" for p in packages if find_spec(MODULES.get(p, p))]
    return "; ".join(parts) + f"; engine {engine_name()}"


def clock(seconds: float | None) -> str:
    return "over budget" if seconds is None else f"{1e3 * seconds:.3g}"


def mean(ratios: list[float]) -> float:
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(ratios)))) if ratios else float("nan")


def best_of(found: dict[str, list[Point]], start: str, error: float) -> float | None:
    """Return the least time at an error among the solvers whose name begins so."""
    times = [time_at(points, error) for name, points in found.items() if name.startswith(start)]
    return min((t for t in times if t is not None), default=None)
