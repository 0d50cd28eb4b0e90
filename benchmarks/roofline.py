"""Operations per second of a right-hand side, as a share of what this processor can do.

The peak is that of multiply-adds in registers on the same instruction set, measured beside it.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from problems import PROBLEMS


def peak(threads: int = 1) -> float:
    """Multiply-adds in registers, on all threads at once, in operations a second."""
    from thalweg.integrate._native import instruction_set, load

    core = load(instruction_set() or "generic")
    core.thalweg_batch_peak.restype = ctypes.c_double
    core.thalweg_batch_peak.argtypes = [ctypes.c_int64]
    with ThreadPoolExecutor(threads) as pool:
        return max(sum(pool.map(core.thalweg_batch_peak, [10_000_000] * threads)) for _ in range(5))


def section() -> list[str]:
    """Return the table for the problems that are timed, one thread."""
    from thalweg.integrate._field import Field
    from thalweg.integrate._native import Core, instruction_set

    top = peak()
    lines = [
        "## Distance to the limit",
        "",
        f"One right-hand side: {instruction_set()}, one thread; the peak of multiply-adds in "
        f"registers is {top / 1e9:.3g} GFlop/s. The three products of a layer count, as if no row "
        "were padded.",
        "",
        "| problem | operations | µs | GFlop/s | of the peak |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, make in PROBLEMS.items():
        problem = make()
        flops, d_y = 0.0, problem.dims[-1]
        for weight in problem.weights[:-1]:
            flops += 3 * 2.0 * d_y * weight.size
        core = Core(Field(problem.target, problem.metric, problem.dims))
        least = min(core.time_rhs(problem.start, 2000) for _ in range(15))
        lines.append(
            f"| {name} | {flops:,.0f} | {1e6 * least:.3g} | {flops / least / 1e9:.3g} "
            f"| {flops / least / top:.0%} |"
        )
    return [*lines, ""]


if __name__ == "__main__":
    np.seterr(all="ignore")
    print("\n".join(section()))
