"""What the repair of the conserved matrices at outputs costs, as a share of `thalweg.flow`.

A run is `thalweg.flow` and the reading of its recorded weights' drift, as a user has it; the repair
is timed inside it. Times are medians of the repeats. `floor` is what no repair can save, the
multiplications of measuring and moving a point once, as a share of those of the right-hand sides
that the run spent on it; linear systems of implicit steps are not counted.

`--decades` lists, for every tolerance from 1e-4 to 1e-11, the drift and whether the loss falls.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any

import frontier  # noqa: F401  first: it sets the threads
import numpy as np
from problems import PROBLEMS, FlowProblem

import thalweg as tw
from thalweg.conserved import drift_scales, imbalance
from thalweg.integrate import _project
from thalweg.trajectory import _path


def flow(case: FlowProblem, rtol: float) -> Any:
    problem = tw.Problem.from_target(case.target, case.dims, case.metric)
    return tw.flow(problem, list(case.weights), case.t_end, rtol=rtol)


def floor(dims: tuple[int, ...], points: int, calls: int) -> float:
    """Return multiplications of one measurement and one move of all points, over those of the run.

    Gram matrices are symmetric, so half of their entries are counted.
    """
    hidden = range(1, len(dims) - 1)
    repair = sum(1.5 * dims[j] ** 2 * (dims[j - 1] + dims[j + 1]) for j in hidden)
    step = 3 * dims[-1] * sum(a * b for a, b in itertools.pairwise(dims[:-1]))
    return repair * points / (step * calls)


def raw_drift(path: _path.Path) -> float:
    """Return the largest relative drift of the points as integrated, in Frobenius norm."""
    start = path.compression.weights
    scales, conserved = drift_scales(start), imbalance(start)
    raw = np.concatenate([np.asarray(part.y) for part in path.pieces])
    dims, worst = path.compression.dims, 0.0
    for y in raw:
        now = imbalance(tw.network.unpack(y, dims))
        for one, two, scale in zip(now, conserved, scales, strict=True):
            worst = max(worst, float(np.linalg.norm(one - two)) / scale)
    return worst


def in_numpy(rows: Any, dims: Any, conserved: Any, enough: Any, **_: Any) -> Any:
    return _project.project_numpy(rows, dims, conserved, enough)


def timed(case: FlowProblem, rtol: float, repair: Any) -> tuple[Any, tuple[float, float, float]]:
    """Return a run, and the seconds of `flow`, of all, and inside `repair`."""
    spent, kept = 0.0, _path.project

    def watched(*args: Any, **options: Any) -> Any:
        nonlocal spent
        begin = time.perf_counter()
        out = repair(*args, **options)
        spent += time.perf_counter() - begin
        return out

    _path.project = watched
    begin = time.perf_counter()
    run = flow(case, rtol)
    middle = time.perf_counter()
    run.drift  # noqa: B018  computed when read
    end = time.perf_counter()
    _path.project = kept
    return run, (middle - begin, end - begin, spent)


def costs(names: list[str], tolerances: list[float], repeats: int) -> None:
    heads = ("problem", "rtol", "points", "flow ms", "run ms", "repair ms", "NumPy ms", "of run")
    print(f"| {' | '.join((*heads, 'of flow'))} |\n|---|" + "---:|" * len(heads), flush=True)
    rest = []
    for name in names:
        case = PROBLEMS[name]()
        for rtol in tolerances:
            found = [timed(case, rtol, _project.project) for _ in range(repeats)]
            run = found[-1][0]
            alone, total, inside = np.median([item[1] for item in found], axis=0)
            slow = timed(case, rtol, in_numpy)[1][2]
            print(
                f"| {name} | {rtol:.0e} | {len(run.t)} | {1e3 * alone:.3g} | {1e3 * total:.3g} | "
                f"{1e3 * inside:.3g} | {1e3 * slow:.3g} | {inside / total:.0%} | "
                f"{inside / alone:.0%} |",
                flush=True,
            )
            share = floor(case.dims, len(run.t), run.stats["rhs"])
            before = raw_drift(run._path)  # noqa: SLF001
            rest.append((name, rtol, before, float(np.max(run.drift)), share))
    print("\n| problem | rtol | drift before | after | floor |\n|---|---:|---:|---:|---:|")
    for name, rtol, before, drift, share in rest:
        print(f"| {name} | {rtol:.0e} | {before:.1e} | {drift:.1e} | {share:.0%} |")


def decades(names: list[str]) -> None:
    tolerances = [10.0**-k for k in range(4, 12)]
    print("| problem | " + " | ".join(f"{rtol:.0e}" for rtol in tolerances) + " | loss |")
    print("|---|" + "---:|" * len(tolerances) + "---|", flush=True)
    for name in names:
        case, cells, falls = PROBLEMS[name](), [], True
        for rtol in tolerances:
            run = flow(case, rtol)
            cells.append(f"{np.max(run.drift):.1e}")
            falls &= bool(np.all(np.diff(run.loss) <= 1e-12 * run.loss[0]))
        print(f"| {name} | {' | '.join(cells)} | {'falls' if falls else 'RISES'} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="*", default=list(PROBLEMS))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rtol", type=float, nargs="*", default=[1e-4, 1e-8, 1e-11])
    parser.add_argument("--decades", action="store_true")
    options = parser.parse_args()
    if options.decades:
        decades(options.problems)
    else:
        costs(options.problems, options.rtol, options.repeats)


if __name__ == "__main__":
    main()
