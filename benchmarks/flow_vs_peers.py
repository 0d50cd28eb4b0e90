"""Times the flow against other solvers at equal achieved error and writes docs/performance.md.

Every solver integrates the same problem at a ladder of tolerances. Its error is that of the end
point, relative to the norm of the end point, against DOP853 at a relative tolerance of 3e-13. The
time at an error is interpolated (log-log) on the solver's own frontier of time and error. The same
is done for the limit of the flow, which thalweg reaches by closing the tail.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time

import frontier  # noqa: F401  first: it sets the threads
import numpy as np
import pictures
import roofline
from frontier import DOCS, LADDER, TARGETS, Point, best_of, clock, machine, mean, sweep, time_at
from peers import DENSE_LIMIT, limit_run, scipy_run, solvers, tail_solvers, thalweg_run
from problems import PROBLEMS, FlowProblem

PAGE, DATA = DOCS / "performance.md", DOCS / "performance.json"
FAMILIES = {"CVODE from Python": "CVODE BDF", "CVODE from C": "CVODE in C", "diffrax": "diffrax"}
Found = dict[str, list[Point]]


def table(found: Found, ours: str) -> list[str]:
    """Return times and ratios of all solvers."""
    mine = [time_at(found[ours], e) for e in TARGETS]
    lines = [
        "| solver | " + " | ".join(f"ms at {e:.0e}" for e in TARGETS) + " | times thalweg |",
        "|---|" + "---:|" * (len(TARGETS) + 1),
    ]
    for name, points in found.items():
        times = [time_at(points, e) for e in TARGETS]
        ratios = [f"{t / o:.3g}" if t and o else "–" for t, o in zip(times, mine, strict=True)]
        lines.append(f"| {name} | {' | '.join(map(clock, times))} | {' / '.join(ratios)} |")
    return [*lines, ""]


def section(problem: FlowProblem, found: Found, tail: Found) -> list[str]:
    """Return the tables of one problem: times, ratios, calibration, the closed tail."""
    lines = [
        f"## {problem.name}: {problem.title}",
        "",
        f"{problem.size} unknowns, integrated to t = {problem.t_end:g}. The closest peer run "
        f"agrees with the reference to {agreement(found):.0e}.",
        "",
        f"![work and precision](images/work_precision_{problem.name}.svg)",
        "",
        *table(found, "thalweg (native)"),
        "| thalweg rtol | achieved error | least ms | median ms |",
        "|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r:.0e} | {e:.1e} | {1e3 * least:.3g} | {1e3 * middle:.3g} |"
        for r, e, least, middle in found["thalweg (native)"]
    ]
    if tail:
        told = f"the closest peer run agrees with the reference to {agreement(tail):.0e}"
        lines += ["", f"To the limit (tail closed); {told}:", ""]
        lines += table(tail, "thalweg, to the limit")
    return [*lines, ""]


def agreement(found: Found) -> float:
    """Return the least error of any peer, which says how good the reference is."""
    peers = [v for k, v in found.items() if not k.startswith("thalweg")]
    return min((p[1] for v in peers for p in v), default=float("nan"))


def summary(all_found: dict[str, Found], tails: dict[str, Found]) -> list[str]:
    """Return the geometric means over problems and errors, and the least ratio."""
    lines = [
        "## In short",
        "",
        "Ratios over problems and errors; the best configuration of each family counts.",
        "",
        "| against the best of | geometric mean | least | cases |",
        "|---|---:|---:|---:|",
    ]

    def row(label: str, group: dict[str, Found], start: str, ours: str) -> None:
        ratios = []
        for found in group.values():
            for error in TARGETS:
                peer, mine = best_of(found, start, error), time_at(found.get(ours, []), error)
                if peer is not None and mine is not None:
                    ratios.append(peer / mine)
        if ratios:
            least = min(ratios)
            lines.append(f"| {label} | {mean(ratios):.3g} | {least:.3g} | {len(ratios)} |")

    for label, start in FAMILIES.items():
        row(label, all_found, start, "thalweg (native)")
    for label, start in FAMILIES.items():
        row(f"{label}, to the limit", tails, start, "thalweg, to the limit")
        row(f"{label}, `flow` to the limit", tails, start, "thalweg.flow")
        row(f"{label}, `flow` with verdict read", tails, start, "thalweg.flow, with verdict")
    return [*lines, ""]


def closed_tail(problem: FlowProblem, seconds: float) -> Found:
    """Run to the limit, and the peers to the time at which their loss is as small.

    The reference of the peers is SciPy's. Where explicit steps of large networks would take hours
    it is thalweg's own at the tightest tolerance, and ladders begin where CVODE does not lose its
    way.
    """
    reach = limit_run(problem)
    if reach is None:
        return {}
    until, limit = reach
    longer = dataclasses.replace(problem, t_end=until)
    if problem.size <= DENSE_LIMIT:
        ladder, reference = LADDER, scipy_run(longer, "DOP853")(3e-13, 1e-15)
    else:
        ladder, reference = LADDER[4:], thalweg_run(longer, "native")(1e-12, 0.0)
    return {
        label: sweep(
            *(longer, run, limit if label.startswith("thalweg") else reference, seconds, ladder)
        )
        for label, run in tail_solvers(longer).items()
    }


def kept() -> tuple[dict[str, Found], dict[str, Found]]:
    """Return what was measured before, which a run with ``--only`` completes."""
    data = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    return data.get("flow", {}), data.get("tail", {})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each solver's ladder")
    parser.add_argument(
        "--only",
        nargs="*",
        default=None,
        choices=list(PROBLEMS),
        help="the others keep the figures that are in the data file",
    )
    parser.add_argument("--no-tail", action="store_true", help="leave out the runs to the limit")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} and pictures")
    options = parser.parse_args()
    page = [
        "# Performance",
        "",
        "Time to the end point at equal achieved error, in milliseconds; the last column is the "
        "time of a solver divided by that of thalweg's native engine, at "
        + ", ".join(f"{e:.0e}" for e in TARGETS)
        + ". Written by `python benchmarks/all.py --write`; see "
        "benchmarks/README.md for what is measured and how. *Over budget*: the solver did not "
        "come to that error within the seconds or steps that the benchmark grants each of them, "
        "which says nothing about what it would do with more.",
        "",
        f"Machine: {machine()}.",
        "",
    ]
    began = time.perf_counter()
    everything, tails = kept() if options.only else ({}, {})
    for name in options.only or PROBLEMS:
        problem = PROBLEMS[name]()
        reference = scipy_run(problem, "DOP853")(3e-13, 1e-15)
        everything[name] = {}
        for label, run in solvers(problem).items():
            print(f"{name} {label} {time.perf_counter() - began:.0f} s", flush=True)
            everything[name][label] = sweep(problem, run, reference, options.seconds)
        tails[name] = {} if options.no_tail else closed_tail(problem, options.seconds)
        print("\n".join(section(problem, everything[name], tails[name])), flush=True)
    everything, tails = ({k: d[k] for k in PROBLEMS if d.get(k)} for d in (everything, tails))
    parts = [x for k, f in everything.items() for x in section(PROBLEMS[k](), f, tails.get(k, {}))]
    page += summary(everything, tails) + roofline.section() + parts
    print("\n".join(summary(everything, tails)))
    if options.write:
        PAGE.write_text("\n".join(page).rstrip() + "\n", encoding="utf-8")
        for name, found in everything.items():
            pictures.work_precision(name, found)
        text = json.dumps({"flow": everything, "tail": tails}, indent=1)
        DATA.write_text(text + "\n", encoding="utf-8")
    print(f"{time.perf_counter() - began:.0f} s in all")
    return 0


if __name__ == "__main__":
    np.seterr(all="ignore")  # of peers at loose tolerances
    sys.exit(main())
