"""What the repair of the conserved matrices at outputs costs, as a share of `thalweg.flow`.

A run is `thalweg.flow` and the reading of its recorded weights' drift, as a user has it. The share
is that of the time inside the repair, from the least of the repeats.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import frontier  # noqa: F401  first: it sets the threads
import numpy as np
from problems import PROBLEMS

import thalweg as tw
from thalweg.trajectory import _path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--rtol", type=float, nargs="*", default=[1e-4, 1e-8])
    options = parser.parse_args()
    spent = 0.0
    repair = _path.project

    def timed(*args: Any) -> Any:
        nonlocal spent
        begin = time.perf_counter()
        out = repair(*args)
        spent += time.perf_counter() - begin
        return out

    _path.project = timed
    print("| problem | rtol | ms | repair | points | drift |\n|---|---:|---:|---:|---:|---:|")
    for name in ("P1", "P2", "P3", "P7"):
        case = PROBLEMS[name]()
        problem = tw.Problem.from_target(case.target, case.dims, case.metric)
        for rtol in options.rtol:
            found = []
            for _ in range(options.repeats):
                spent, begin = 0.0, time.perf_counter()
                run = tw.flow(problem, list(case.weights), case.t_end, rtol=rtol)
                drift = float(np.max(run.drift))
                found.append((time.perf_counter() - begin, spent, len(run.t), drift))
            total, inside, points, drift = min(found)
            print(
                f"| {name} | {rtol:.0e} | {1e3 * total:.3g} | {inside / total:.0%} | "
                f"{points} | {drift:.1e} |"
            )


if __name__ == "__main__":
    main()
