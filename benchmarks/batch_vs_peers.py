"""Times batches of starts against other solvers and writes docs/performance_batch.md.

Starts per second at equal achieved error: every solver runs a ladder of tolerances; its error is
the 90 % quantile, over a few starts, of the relative error of the end point against DOP853 at a
relative tolerance of 1e-12. Everybody has two threads or processes. Peers get fewer starts than
thalweg, so that the run ends.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from frontier import Point, machine, time_at
from peers import cvode_run, scipy_run
from problems import FlowProblem
from roofline import peak

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance_batch.md"
THREADS = 2
TARGETS = (1e-4, 1e-6, 1e-8)
CHECKED = 24  # starts with a reference
CASES = {
    "4-3-3-2": ((4, 3, 3, 2), (3.0, 1.5), 1000),
    "10-8-8-5": ((10, 8, 8, 5), (5.0, 3.5, 2.5, 1.5, 0.7), 500),
}  # sizes, singular values, starts for diffrax
SCALE, T_END = 0.3, 20.0
Stacks = list[np.ndarray]
Batch = Callable[[Stacks, float, float], np.ndarray]  # starts, rtol, atol -> end points of CHECKED


def problem(dims: tuple[int, ...], sigma: tuple[float, ...]) -> FlowProblem:
    target = np.zeros((dims[-1], dims[0]))
    np.fill_diagonal(target, sigma)
    return FlowProblem("", "", target, np.ones(dims[0]), (), T_END)


def draw(dims: tuple[int, ...], count: int) -> Stacks:
    """Start k is the same whatever the count."""
    n = sum(a * b for a, b in itertools.pairwise(dims))
    rows = SCALE * np.random.default_rng(0).standard_normal((count, n))
    out, position = [], 0
    for low, high in itertools.pairwise(dims):
        out.append(rows[:, position : position + low * high].reshape(-1, high, low))
        position += low * high
    return out


def single(p: FlowProblem, start: Stacks) -> FlowProblem:
    return FlowProblem(p.name, p.title, p.target, p.metric, tuple(start), p.t_end)


def packed(stacks: Stacks) -> np.ndarray:
    return np.concatenate([np.asarray(w)[:CHECKED].reshape(CHECKED, -1) for w in stacks], axis=1)


def thalweg_batch(p: FlowProblem, told: dict[float, dict[str, float]]) -> Batch:
    from thalweg.integrate import solve_batch

    def run(starts: Stacks, rtol: float, _atol: float) -> np.ndarray:
        began = time.perf_counter()
        done = solve_batch(
            p.target, p.metric, starts, t_end=T_END, rtol=rtol, engine="native", threads=THREADS
        )
        spent = time.perf_counter() - began
        n = sum(w[0].size for w in starts[:-1])  # the last layer's gradient needs no product
        flops = 6.0 * p.target.shape[0] * n * float(done.stages.sum()) / spent
        told[rtol] = {
            "flops": max(flops, told.get(rtol, {}).get("flops", 0.0)),
            "needed": done.stats["needed"],
            "stages": float(done.stages.mean()),
            "steps": float(done.steps.mean()),
            "drift": float(done.drift.max()),
            "repaired": float(done.repaired.max()),
        }
        return packed(done.weights)

    return run


def _cvode(task: tuple[FlowProblem, list[Stacks], float, float]) -> list[np.ndarray]:
    p, starts, rtol, atol = task
    return [cvode_run(single(p, s), "lapackdense")(rtol, atol) for s in starts]


def cvode_pool(p: FlowProblem, pool: ProcessPoolExecutor) -> Batch:
    def run(starts: Stacks, rtol: float, atol: float) -> np.ndarray:
        every = [[w[k] for w in starts] for k in range(len(starts[0]))]
        parts = [(p, every[k :: 2 * THREADS], rtol, atol) for k in range(2 * THREADS)]
        ends = np.empty((len(every), sum(w.size for w in every[0])))
        for k, part in enumerate(pool.map(_cvode, parts)):
            ends[k :: 2 * THREADS] = part
        return ends[:CHECKED]

    return run


def diffrax_batch(p: FlowProblem, method: str) -> Batch:
    import diffrax
    import jax
    import jax.numpy as jnp

    target = jnp.asarray(p.target)

    def slope(_t, w, _args):
        back = [w[-1]]
        for item in w[-2::-1]:
            back.insert(0, back[0] @ item)
        signal, out = target - back[0], []
        for j in range(len(w) - 1):
            out.append(back[j + 1].T @ signal)
            signal = signal @ w[j].T
        return (*out, signal)

    def solve(start, rtol, atol):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            getattr(diffrax, method)(),
            0.0,
            T_END,
            None,
            start,
            saveat=diffrax.SaveAt(t1=True),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            max_steps=20_000,
            adjoint=diffrax.ForwardMode(),
            throw=False,
        ).ys

    many = jax.jit(jax.vmap(solve, (0, None, None)))

    def half(part, rtol, atol):
        return [np.asarray(w)[:, 0] for w in many(part, rtol, atol)]

    def run(starts: Stacks, rtol: float, atol: float) -> np.ndarray:
        parts = [tuple(jnp.asarray(w[k::THREADS]) for w in starts) for k in range(THREADS)]
        with ThreadPoolExecutor(THREADS) as pool:
            ends = list(pool.map(lambda part: half(part, rtol, atol), parts))
        joined = [np.empty(np.shape(w)) for w in starts]
        for k, end in enumerate(ends):
            for whole, w in zip(joined, end, strict=True):
                whole[k::THREADS] = w
        return packed(joined)

    return run


def ladder(run: Batch, starts: Stacks, reference: np.ndarray, seconds: float) -> list[Point]:
    """Seconds for each start, down a ladder of tolerances."""
    points: list[Point] = []
    began, count = time.perf_counter(), len(starts[0])
    run(starts, 1e-3, 1e-3 * SCALE)  # compilation for this number of starts
    for rtol in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9):
        times = []
        while len(times) < 2 or (sum(times) < 0.7 and len(times) < 7):
            start = time.perf_counter()
            ends = run(starts, rtol, rtol * SCALE)
            times.append((time.perf_counter() - start) / count)
            if sum(times) * count > seconds / 3:
                break
        errors = np.linalg.norm(ends - reference, axis=1) / np.linalg.norm(reference, axis=1)
        error = float(np.quantile(errors, 0.9))
        points.append((rtol, error, min(times), float(np.median(times))))
        print(f"    {rtol:.0e}: error {error:.1e}, {1 / min(times):.0f} starts/s", flush=True)
        if error < 0.3 * TARGETS[-1] or time.perf_counter() - began > seconds:
            break
    return points


def section(name: str, found: dict[str, list[Point]], told: dict, top: float) -> list[str]:
    ours = [time_at(found["thalweg"], e) for e in TARGETS]
    lines = [f"## {name}", "", "| solver | " + " | ".join(f"{e:.0e}" for e in TARGETS)]
    lines[-1] += " | thalweg is faster by |"
    lines.append("|---|" + "---:|" * (len(TARGETS) + 1))
    for solver, points in found.items():
        times = [time_at(points, e) for e in TARGETS]
        rates = [f"{1 / t:,.0f}" if t else "over budget" for t in times]
        ratios = [f"{t / o:.0f}" if t and o else "–" for t, o in zip(times, ours, strict=True)]
        lines.append(f"| {solver} | {' | '.join(rates)} | {' / '.join(ratios)} |")
    lines += [
        "",
        "| rtol | error | starts/s | steps | stages | stages needed / computed | GFlop/s "
        "| of peak | drift before, after repair |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for rtol, error, least, _ in found["thalweg"]:
        row = told[rtol]
        lines.append(
            f"| {rtol:.0e} | {error:.1e} | {1 / least:,.0f} | {row['steps']:.0f} "
            f"| {row['stages']:.0f} | {row['needed']:.2f} | {row['flops'] / 1e9:.1f} "
            f"| {row['flops'] / top:.0%} | {row['drift']:.0e}, {row['repaired']:.0e} |"
        )
    return [*lines, ""]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} into docs")
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--count", type=int, default=10_000, help="starts for thalweg")
    parser.add_argument("--processes", type=int, default=48, help="starts for CVODE")
    parser.add_argument("--seconds", type=float, default=40.0, help="for each solver and case")
    options = parser.parse_args()
    page = [
        "# Performance of batches",
        "",
        f"Starts per second at equal achieved error, {options.count} Gaussian starts of standard "
        f"deviation {SCALE:g} to t = {T_END:g}, {THREADS} threads. Written by "
        f"`python benchmarks/batch_vs_peers.py {' '.join(sys.argv[1:])}`; "
        "its docstring says how errors are "
        f"measured. Peers: 1000 and 500 starts for diffrax, vmapped, half of them in each "
        f"thread; {options.processes} for CVODE in {THREADS} processes.",
        "",
        "*Stages* are right-hand sides of one start. Starts that want the same kind of step share "
        "a register and the loop over its stages, so few wait: *needed / computed* is the share "
        "that is not lost. "
        "*GFlop/s* counts the three products of needed right-hand sides only; the peak is "
        "that of multiply-adds in registers on the same instruction set, measured beside it.",
        "",
        "Machine: " + machine().replace(", one thread", "") + ".",
        "",
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(THREADS, mp_context=context) as pool:
        for name, (dims, sigma, peers) in CASES.items():
            if options.only not in {None, name}:
                continue
            p, told = problem(dims, sigma), {}
            starts = draw(dims, options.count)
            exact = [
                scipy_run(single(p, [w[k] for w in starts]), "DOP853")(1e-12, 1e-14)
                for k in range(CHECKED)
            ]
            runs: dict[str, tuple[Batch, int]] = {
                "thalweg": (thalweg_batch(p, told), options.count),
                "diffrax Tsit5, vmapped": (diffrax_batch(p, "Tsit5"), peers),
                "diffrax Dopri8, vmapped": (diffrax_batch(p, "Dopri8"), peers),
                "CVODE, process pool": (cvode_pool(p, pool), options.processes),
            }
            found = {}
            for solver, (run, count) in runs.items():
                print(f"{name} {solver}", flush=True)
                part = [w[:count] for w in starts]
                found[solver] = ladder(run, part, np.array(exact), options.seconds)
            top = peak(THREADS)
            page += section(name, found, told, top)
            page += [f"Peak of multiply-adds, {THREADS} threads: {top / 1e9:.0f} GFlop/s.", ""]
    print("\n".join(page))
    if options.write:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    raise SystemExit(main())
