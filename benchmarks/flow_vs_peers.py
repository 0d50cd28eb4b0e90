"""Times the flow against other solvers at equal achieved error and writes docs/performance.md.

Every solver integrates the same problem at a ladder of tolerances. Its error is that of the end
point, relative to the norm of the end point, against DOP853 at a relative tolerance of 3e-13. The
time at an error is interpolated (log-log) on the solver's own frontier of time and error.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np
from peers import Run, scipy_run, solvers
from problems import PROBLEMS, FlowProblem

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


TARGETS = (1e-4, 1e-6, 1e-8)
LADDER = (1e-1, 3e-2, *(10.0**-k for k in range(2, 13)))
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
Point = tuple[float, float, float, float]  # rtol, error, least seconds, median seconds


def sweep(problem: FlowProblem, run: Run, reference: np.ndarray, seconds: float) -> list[Point]:
    """Run down the ladder until the error or the time says stop."""
    scale = float(np.sqrt(np.mean(problem.start**2)))
    size = float(np.linalg.norm(reference))
    points: list[Point] = []
    with contextlib.suppress(Exception):
        run(LADDER[0], LADDER[0] * scale)  # compilation and first touch of memory are not timed
    began = time.perf_counter()
    for rtol in LADDER:
        try:
            times = []
            while len(times) < 3 and (sum(times) < 0.4 or not times):
                start = time.perf_counter()
                end = run(rtol, rtol * scale)
                times.append(time.perf_counter() - start)
        except Exception as error:
            print(f"    rtol {rtol:.0e}: {str(error).splitlines()[0][:90]}", flush=True)
            continue
        achieved = float(np.linalg.norm(end - reference)) / size
        points.append((rtol, achieved, min(times), float(np.median(times))))
        if achieved < 0.3 * TARGETS[-1] or time.perf_counter() - began > seconds:
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

    import thalweg
    from thalweg.integrate import engine_name

    packages = ("numpy", "scipy", "scikit-sundae", "jax", "diffrax")
    parts = [f"{cpu()}, {os.cpu_count()} cores (shared), one thread", platform.system()]
    parts += [f"Python {platform.python_version()}", f"thalweg {thalweg.__version__}"]
    parts += [f"{p} {version(p)}" for p in packages]
    return "; ".join(parts) + f"; engine {engine_name()}"


def clock(seconds: float | None) -> str:
    return "over budget" if seconds is None else f"{1e3 * seconds:.3g}"


def section(problem: FlowProblem, found: dict[str, list[Point]]) -> list[str]:
    """Return the tables of one problem: times, ratios, calibration."""
    ours = [time_at(found["thalweg (native)"], e) for e in TARGETS]
    peers = {k: v for k, v in found.items() if not k.startswith("thalweg")}
    agreement = min((p[1] for v in peers.values() for p in v), default=float("nan"))
    lines = [
        f"## {problem.name}: {problem.title}",
        "",
        f"{problem.size} unknowns, integrated to t = {problem.t_end:g}. The closest peer run "
        f"agrees with the reference to {agreement:.0e}.",
        "",
        "| solver | " + " | ".join(f"ms at {e:.0e}" for e in TARGETS) + " | times thalweg |",
        "|---|" + "---:|" * (len(TARGETS) + 1),
    ]
    for name, points in found.items():
        times = [time_at(points, e) for e in TARGETS]
        ratios = [f"{t / o:.3g}" if t and o else "–" for t, o in zip(times, ours, strict=True)]
        lines.append(f"| {name} | {' | '.join(map(clock, times))} | {' / '.join(ratios)} |")
    lines += [
        "",
        "| thalweg rtol | achieved error | least ms | median ms |",
        "|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r:.0e} | {e:.1e} | {1e3 * least:.3g} | {1e3 * middle:.3g} |"
        for r, e, least, middle in found["thalweg (native)"]
    ]
    return [*lines, ""]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less time for each solver")
    parser.add_argument("--only", nargs="*", default=None, choices=list(PROBLEMS))
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} into docs")
    options = parser.parse_args()
    page = [
        "# Performance",
        "",
        "Time to the end point at equal achieved error, in milliseconds; the last column is the "
        "time of a solver divided by that of thalweg's native engine, at "
        + ", ".join(f"{e:.0e}" for e in TARGETS)
        + ". Written by `python benchmarks/flow_vs_peers.py --write"
        + (" --quick" if options.quick else "")
        + "`; see benchmarks/README.md for what is measured and how. *Over budget*: the solver did "
        "not come to that error within the seconds or steps that the benchmark grants each of "
        "them, which says nothing about what it would do with more.",
        "",
        f"Machine: {machine()}.",
        "",
    ]
    for name in options.only or PROBLEMS:
        problem = PROBLEMS[name]()
        reference = scipy_run(problem, "DOP853")(3e-13, 1e-15)
        found = {}
        for label, run in solvers(problem).items():
            print(f"{name} {label}", flush=True)
            found[label] = sweep(problem, run, reference, 1.5 if options.quick else 10.0)
        lines = section(problem, found)
        print("\n".join(lines), flush=True)
        page += lines
    if options.write:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
