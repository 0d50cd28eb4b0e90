"""Times whole sweeps against loops over other solvers and writes docs/performance_basins.md.

Everybody follows the same starts from the same problem with two threads or processes, end to end:
for thalweg from the call of `tw.sweep` to its table of verdicts, on disk and in memory; for the
others from starts in memory to end points, with no verdict. They do not know when a start may stop.
*Told when to stop*: each of their starts is given the flow time at which thalweg's ended, which no
real loop would know. *Stops at the loss*: an event ends a start at the loss at which thalweg ends.
Kvaerno5 is only run with ``--implicit``, because it takes many minutes. The error is the 90 %
quantile, over a few starts, of the final loss against DOP853 at a relative tolerance of 1e-12,
relative to the loss of zero weights. Each solver is timed at the loosest tolerance of a ladder
whose error is at most 1e-6, as well as at 1e-6, the tolerance with which thalweg sweeps.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from batch_vs_peers import CASES, SCALE, problem, single
from flow_vs_peers import machine
from peers import cvode_run, scipy_run
from problems import FlowProblem

import thalweg as tw
from thalweg.basins import Plan, run_plan
from thalweg.basins.rows._compute import TAIL

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance_basins.md"
THREADS, CHECKED, ALLOWED = 2, 24, 1e-6
LADDER = (1e-3, 1e-4, 1e-6)
STARTS = {"4-3-3-2": (65_536, 1000, 200), "10-8-8-5": (8_192, 200, 48)}
"""Starts for thalweg, for diffrax, for CVODE."""
Timed = tuple[float, float, float]  # rtol, error, starts a second


def loss_of(p: FlowProblem, end: list[np.ndarray]) -> float:
    out = end[0]
    for w in end[1:]:
        out = w @ out
    return 0.5 * float(np.sum((p.target - out * p.metric) ** 2))


def unpacked(p: FlowProblem, flat: np.ndarray, like: list[np.ndarray]) -> list[np.ndarray]:
    ends = np.cumsum([w.size for w in like])
    parts = np.split(flat, ends[:-1])
    return [part.reshape(w.shape) for part, w in zip(parts, like, strict=True)]


def ours(plan: Plan, rtol: float, total: float, *, disk: bool) -> Timed:
    # The loss at the limit is zero, so the final loss itself is the error.
    plan = dataclasses.replace(plan, rtol=rtol)
    best, error = np.inf, np.nan
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            s = run_plan(plan, store=f"{folder}/store" if disk else None)
            table = s.table
            best = min(best, time.perf_counter() - began)
            assert s.fractions()["global_minimum"].count == plan.count
            error = float(np.quantile(np.abs(table["loss"].to_numpy()[:CHECKED]) / total, 0.9))
    return rtol, error, plan.count / best


def diffrax_many(
    p: FlowProblem, method: str, goal: float | None = None
) -> Callable[..., list[np.ndarray]]:
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

    def low(_t, w, _args, **_options):
        out = w[0]
        for item in w[1:]:
            out = item @ out
        return 0.5 * jnp.sum((target - out) ** 2) < goal

    event = None if goal is None else diffrax.Event(low)

    def solve(start, end, rtol, atol):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            getattr(diffrax, method)(),
            0.0,
            end,
            None,
            start,
            saveat=diffrax.SaveAt(t1=True),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            max_steps=100_000,
            adjoint=diffrax.ForwardMode(),
            event=event,
            throw=False,
        ).ys

    many = jax.jit(jax.vmap(solve, (0, 0, None, None)))

    def run(starts, times, rtol):
        parts = [
            (tuple(jnp.asarray(w[k::THREADS]) for w in starts), jnp.asarray(times[k::THREADS]))
            for k in range(THREADS)
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            ends = list(
                pool.map(
                    lambda part: [np.asarray(w)[:, 0] for w in many(*part, rtol, rtol * SCALE)],
                    parts,
                )
            )
        joined = [np.empty(np.shape(w)) for w in starts]
        for k, end in enumerate(ends):
            for whole, w in zip(joined, end, strict=True):
                whole[k::THREADS] = w
        return joined

    return run


def one_cvode(p: FlowProblem, start: list[np.ndarray], end: float, rtol: float) -> np.ndarray:
    task = single(p, start)
    timed = FlowProblem(task.name, task.title, task.target, task.metric, task.weights, end)
    return cvode_run(timed, "lapackdense")(rtol, rtol * SCALE)


def cvode_many(p: FlowProblem, parallel) -> Callable[..., list[np.ndarray]]:
    from joblib import delayed

    def run(starts, times, rtol):
        every = [[w[k] for w in starts] for k in range(len(times))]
        flat = parallel(
            delayed(one_cvode)(p, start, float(t), rtol)
            for start, t in zip(every, times, strict=True)
        )
        ends = [unpacked(p, item, every[0]) for item in flat]
        return [np.stack([end[j] for end in ends]) for j in range(len(starts))]

    return run


def peer(p: FlowProblem, run, data, known: tuple[np.ndarray, float], seconds: float):
    (starts, times), (reference, total) = data, known
    found: list[Timed] = []
    began = time.perf_counter()
    for rtol in LADDER:
        run(starts, times, rtol)  # compilation, worker processes
        start = time.perf_counter()
        ends = run(starts, times, rtol)
        spent = time.perf_counter() - start
        losses = np.array([loss_of(p, [w[k] for w in ends]) for k in range(CHECKED)])
        error = float(np.quantile(np.abs(losses - reference) / total, 0.9))
        found.append((rtol, error, len(times) / spent))
        print(f"    {rtol:.0e}: error {error:.1e}, {len(times) / spent:.0f} starts/s", flush=True)
        if time.perf_counter() - began > seconds:
            break
    return found


def best(found: list[Timed]) -> Timed | None:
    good = [item for item in found if item[1] <= ALLOWED]
    return max(good, key=lambda item: item[2]) if good else None


def section(name: str, table: dict[str, list[Timed]]) -> list[str]:
    lines = [f"## {name}", "", "| solver | rtol | error | rows a second | thalweg is faster by |"]
    lines.append("|---|---:|---:|---:|---:|")
    base = best(table["thalweg, store on disk"])
    assert base is not None
    for solver, found in table.items():
        item = best(found)
        if item is None:
            lines.append(f"| {solver} | – | above 1e-6 | – | – |")
            continue
        rtol, error, rate = item
        lines.append(
            f"| {solver} | {rtol:.0e} | {error:.0e} | {rate:,.0f} | {base[2] / rate:.1f} |"
        )
    lines += ["", "All at a tolerance of 1e-6:", "", "| solver | error | rows a second |"]
    lines.append("|---|---:|---:|")
    for solver, found in table.items():
        for rtol, error, rate in found:
            if rtol == 1e-6:
                lines.append(f"| {solver} | {error:.0e} | {rate:,.0f} |")
    return [*lines, ""]


def sections() -> dict[str, list[str]]:
    """Return the sections of the page that is there, so that one case can be measured again."""
    if not PAGE.exists():
        return {}
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.split("\n", 1)[0]: ["## " + part.rstrip(), ""] for part in parts}


def main() -> int:
    import joblib

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} into docs")
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--seconds", type=float, default=25.0, help="for each solver and case")
    parser.add_argument("--implicit", action="store_true", help="Kvaerno5, too")
    options = parser.parse_args()
    page = [
        "# Performance of sweeps",
        "",
        f"Rows a second, Gaussian starts of standard deviation {SCALE:g}, {THREADS} cores. Written "
        f"by `python benchmarks/basins_vs_peers.py --write`; its docstring says "
        "what is measured. A row of thalweg is a verdict with plateaus, times and certified rate; "
        "a row of the others is an end point.",
        "",
        "Machine: " + machine().replace(", one thread", "") + f"; joblib {joblib.__version__}.",
        "",
    ]
    kept = sections() if options.only else {}
    with joblib.Parallel(n_jobs=THREADS) as parallel:
        for name, (dims, sigma, _) in CASES.items():
            if options.only not in {None, name}:
                continue
            kept.pop(name, None)
            page += section(
                name, case(name, dims, sigma, parallel, options.seconds, implicit=options.implicit)
            )
    for lines in kept.values():
        page += lines
    print("\n".join(page))
    if options.write:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
    return 0


def case(
    name: str, dims, sigma, parallel, seconds: float, *, implicit: bool
) -> dict[str, list[Timed]]:
    p, total = problem(dims, sigma), 0.5 * float(np.sum(np.square(sigma)))
    many, some, few = STARTS[name]
    plan = tw.basins.make_plan(
        tw.Problem.from_target(list(sigma), dims=dims), tw.init.gaussian, many, scale=SCALE
    )
    short = tw.basins.make_plan(plan.problem, tw.init.gaussian, some, scale=SCALE)
    times = run_plan(short).table["t_decision"].to_numpy()
    starts = plan.stacks(0, some)
    reference = []
    for k in range(CHECKED):
        start = [w[k] for w in starts]
        task = single(p, start)
        timed = FlowProblem(task.name, task.title, task.target, task.metric, task.weights, times[k])
        end = scipy_run(timed, "DOP853")(1e-12, 1e-14)
        reference.append(loss_of(p, unpacked(p, end, start)))
    exact = np.array(reference)
    table: dict[str, list[Timed]] = {}
    for label, disk in (("thalweg, store on disk", True), ("thalweg, in memory", False)):
        table[label] = [ours(plan, rtol, total, disk=disk) for rtol in LADDER]
        for rtol, error, rate in table[label]:
            print(f"{name} {label} {rtol:.0e}: error {error:.1e}, {rate:.0f} rows/s", flush=True)
    print(f"{name} diffrax, told when to stop", flush=True)
    data = starts, times
    label = "diffrax Tsit5, vmapped, told when to stop"
    table[label] = peer(p, diffrax_many(p, "Tsit5"), data, (exact, total), seconds)
    print(f"{name} diffrax, stops at the loss", flush=True)
    data = starts, np.full_like(times, 1.5 * times.max())  # a loose tolerance may never get there
    label = "diffrax Tsit5, vmapped, stops at the loss"
    run = diffrax_many(p, "Tsit5", TAIL * total)
    table[label] = peer(p, run, data, (np.zeros(CHECKED), total), seconds)
    if implicit:
        print(f"{name} diffrax Kvaerno5", flush=True)
        data = [w[:CHECKED] for w in starts], times[:CHECKED]
        label = "diffrax Kvaerno5, vmapped, told when to stop"
        table[label] = peer(p, diffrax_many(p, "Kvaerno5"), data, (exact, total), seconds)
    print(f"{name} CVODE", flush=True)
    data = [w[:few] for w in starts], times[:few]
    table["CVODE, joblib, told when to stop"] = peer(
        p, cvode_many(p, parallel), data, (exact, total), seconds
    )
    return table


if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    raise SystemExit(main())
