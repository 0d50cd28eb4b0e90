"""Is the method that thalweg chooses the right one? Writes the table of docs/engine.md.

On every problem of a suite each method alone and the choice among them run down a ladder of
tolerances. Their error is the largest over the run, at eight times, relative to the norm of the
weights, against a run at 1e-11; the time at an error is interpolated on each one's frontier. That
error is also told at the end. `--held-out` takes other problems: other shapes, sizes, conditions
and random numbers, with which no rule was made.

What it costs to be too exact: where the error is less than a tenth of the tolerance, the time
divided by that of a run, on the frontier of the choice, whose error is a tenth of it, or all of it.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from flow_vs_peers import time_at  # noqa: E402

from thalweg.integrate import Solution, solve  # noqa: E402
from thalweg.integrate._dop853 import LENGTH  # noqa: E402
from thalweg.integrate._solution import DOP853  # noqa: E402
from thalweg.integrate._spectral import spectral_radius  # noqa: E402
from thalweg.network import pack  # noqa: E402

PAGE = Path(__file__).resolve().parents[1] / "docs" / "engine.md"
MARKS = (
    ("<!-- selection.py -->", "<!-- end of selection.py -->"),
    ("<!-- selection.py --held-out -->", "<!-- end of selection.py --held-out -->"),
)
LADDER = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
TARGETS = (1e-4, 1e-6)
METHODS = ("dop853", "rock4", "bdf", "rodas4")
LARGEST_RODAS = 400  # unknowns
FINE = 1e-5  # tolerance from which errors are compared with it
SHAPES = (
    (2, 2, 2), (5, 5, 5), (4, 3, 3, 2), (10, 8, 8, 5), (3, 20, 3), (20, 5, 10), (40, 20, 5),
    (60, 32, 10), (64, 100, 4), (30, 100, 10), (8, 8, 8, 8), (20, 16, 12, 8), (50, 32, 32, 10),
    (6, 6, 6, 6, 6), (12, 10, 8, 6, 4), (5, 5, 5, 5, 5, 5), (6, 6, 6, 6, 6, 6, 6),
    (4, 4, 4, 4, 4, 4, 4),
)  # fmt: skip
HELD_OUT = (  # no rule of the choice was made with these
    (3, 4, 3), (7, 3, 6), (12, 12, 12), (25, 10, 4), (6, 40, 6), (50, 64, 8), (90, 40, 3),
    (16, 60, 16), (5, 9, 7, 3), (14, 6, 6, 9), (24, 20, 20, 6), (40, 48, 24, 4), (9, 9, 9, 9),
    (7, 5, 6, 5, 7), (16, 12, 12, 8, 6), (10, 8, 8, 8, 8, 3), (5, 6, 7, 7, 6, 5),
    (6, 5, 5, 5, 5, 5, 4),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One flow: shape, size of the start, ratio of singular values of the data, whitened or not."""

    dims: tuple[int, ...]
    scale: float
    condition: float
    white: bool
    seed: int = 0

    @property
    def name(self) -> str:
        """Say what it is."""
        kind = "white" if self.white else "raw"
        shape = "-".join(map(str, self.dims))
        return f"{shape}, start {self.scale:g}, condition {self.condition:g}, {kind}"

    def make(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], float]:
        """Return target, metric, start and end time.

        Whitened: the target has the condition. Raw: the inputs have, and the target is a map that
        knows nothing of it. The end is after the loss above its minimum has fallen
        to a thousandth, or 2000 steps.
        """
        rng = np.random.default_rng(sum(self.dims) + len(self.dims) + self.seed)
        rows, cols = self.dims[-1], self.dims[0]
        spread = np.geomspace(1.0, 1.0 / self.condition, min(rows, cols) if self.white else cols)
        turn = np.linalg.qr(rng.standard_normal((rows, rows)))[0]
        if self.white:
            metric, target = np.ones(cols), np.zeros((rows, cols))
            target[: len(spread), : len(spread)] = np.diag(3.0 * spread)
            target = turn @ target
        else:
            metric = 3.0 * spread
            target = rng.standard_normal((rows, cols)) / np.sqrt(cols) * metric
        # layers of a start of size one keep the length of a vector
        weights = [
            self.scale * rng.standard_normal((high, low)) / np.sqrt(0.5 * (high + low))
            for low, high in itertools.pairwise(self.dims)
        ]
        first = solve(target, metric, weights, t_end=np.inf, max_steps=1)
        values = np.linalg.svd(target, compute_uv=False)
        floor = 0.5 * float(np.sum(values[min(self.dims) :] ** 2))
        until = floor + 1e-3 * (float(first.loss[0]) - floor)
        probe = solve(
            target, metric, weights, t_end=np.inf, rtol=1e-4, loss_stop=until, max_steps=2000
        )
        return target, metric, weights, 1.5 * float(probe.t[-1])


def suite(*, held_out: bool = False) -> list[Case]:
    """Return the cases: every shape with three combinations of the rest."""
    scales, conditions = (1e-4, 1e-2, 0.1, 0.3, 1.0), (1.0, 10.0, 100.0, 1e3, 1e4)
    if held_out:
        scales, conditions = (3e-4, 0.03, 0.2, 0.5, 0.8), (1.0, 5.0, 30.0, 300.0, 5e3)
    cases = []
    for i, dims in enumerate(HELD_OUT if held_out else SHAPES):
        for j in range(3):
            scale, condition = scales[(i + 2 * j) % 5], conditions[(2 * i + j) % 5]
            scale = max(scale, (0.0, 1e-2, 0.1)[min(len(dims) - 3, 2)])  # else at rest too long
            cases.append(Case(dims, scale, condition, (i + j) % 2 == 0, 1000 * held_out))
    return cases


def largest_error(run: Solution, reference: list[np.ndarray], times: np.ndarray) -> float:
    """Return the largest error over the times, relative to the norm of the weights."""
    found = [pack(run.at(float(t))) for t in times]
    pairs = zip(found, reference, strict=True)
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs)


def bound_by_stability(run: Solution) -> float:
    """Return the share of steps that a looser tolerance would not make much cheaper.

    They are as long as order eight is stable (estimates of the radius differ by a tenth), or of
    order four with more right-hand sides than the fewest, which grow with the step.
    """
    vector, count = None, 0
    for y, step in zip(run.y, run._steps, strict=False):  # noqa: SLF001
        if step["kind"] == DOP853:
            radius, vector = spectral_radius(run._field, y, vector)  # noqa: SLF001
            count += step["h"] * radius >= 0.9 * LENGTH
        else:
            count += step["kind"] > 0
    return count / max(len(run._steps), 1)  # noqa: SLF001


def gains(points: list[tuple[float, float, float, float]]) -> list[tuple[float, float]]:
    """Return how much faster runs would be with errors of a tenth and all of the tolerance."""
    out = []
    for rtol, error, seconds, _ in points:
        if rtol <= FINE:
            goals = [goal if error < goal else None for goal in (0.1 * rtol, rtol)]
            less = [goal and time_at(points, goal) for goal in goals]
            tenth, whole = (max(seconds / time, 1.0) if time else 1.0 for time in less)
            out.append((tenth, whole))
    return out


def measure(
    case: Case,
    repeats: int,
    factors: list[tuple[float, float]],
    shares: list[float],
) -> dict[str, list[tuple[float, float, float, float]]]:
    """Return, for each method, (rtol, error, least and median seconds) down the ladder.

    `factors` gets the errors of the choice divided by the tolerance: over the run, at its end;
    `shares` that of its steps which stability bounds, at `FINE`.
    """
    target, metric, weights, t_end = case.make()
    exact = solve(target, metric, weights, t_end=t_end, rtol=1e-11, max_steps=100000)
    times = t_end * np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0])
    reference = [pack(exact.at(float(t))) for t in times]
    found = {}
    for method in ("auto", *METHODS):
        if method == "rodas4" and len(reference[0]) > LARGEST_RODAS:
            continue
        points, spent = [], time.perf_counter()
        for rtol in LADDER:
            seconds = []
            for _ in range(repeats):
                begin = time.perf_counter()
                run = solve(
                    target, metric, weights, t_end=t_end, rtol=rtol, method=method, max_steps=20000
                )
                seconds.append(time.perf_counter() - begin)
                if seconds[-1] > 0.3:
                    break
            if run.status.value != "t_end":  # too loose, or too slow: then so are finer ones
                if method in {"dop853", "rock4"}:
                    break
                continue
            error = largest_error(run, reference, times)
            points.append((rtol, error, min(seconds), float(np.median(seconds))))
            if method == "auto" and rtol <= FINE:
                end = largest_error(run, reference[-1:], times[-1:])
                factors.append((error / rtol, end / rtol))
                shares += [bound_by_stability(run)] if rtol == FINE else []
            if time.perf_counter() - spent > 2.0:
                break
        found[method] = points
    return found


def achieved(factors: list[tuple[float, float]]) -> list[str]:
    """Return a table of errors divided by the tolerance asked for."""
    lines = [
        f"| error divided by rtol, rtol from {FINE:g} to {LADDER[-1]:g} | smallest | median | "
        "largest | below 0.1 | above 10 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    names = ("largest over eight times of the run", "at the end of the run")
    for name, ratio in zip(names, np.array(factors).T, strict=True):
        low, high = np.mean(ratio < 0.1), np.mean(ratio > 10)
        values = f"{ratio.min():.2g} | {np.median(ratio):.2g} | {ratio.max():.2g}"
        lines.append(f"| {name} | {values} | {low:.0%} | {high:.0%} |")
    return lines


def price(
    faster: list[tuple[float, float]], factors: list[tuple[float, float]], shares: list[float]
) -> list[str]:
    """Return a table of what it costs to be more exact than asked for, and why it is little."""
    gain, exact = np.array(faster), np.array(factors)[:, 0] < 0.1
    lines = [
        "| faster if the error were | median of all | of those below 0.1 | upper quartile of these "
        "| largest |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, ratio in zip(("a tenth of rtol", "rtol"), gain.T, strict=True):
        below = ratio[exact] if exact.any() else np.ones(1)
        values = np.median(ratio), np.median(below), np.quantile(below, 0.75), ratio.max()
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    low, middle, high = np.quantile(shares, (0.25, 0.5, 0.75))
    lines += [
        "",
        f"Steps whose cost stability sets, at {FINE:g}: median of the cases {middle:.0%}, "
        f"quartiles {low:.0%} and {high:.0%}.",
    ]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", type=int, nargs="*", default=None, help="numbers of cases")
    parser.add_argument("--held-out", action="store_true", help="problems no rule was made with")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    options = parser.parse_args()
    head = ["case", *(f"best at {e:.0e} | ms | auto ms | auto / best" for e in TARGETS)]
    head.append("error / rtol")
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---|---:|---:|---:|" * 2 + "---:|"]
    ratios: list[float] = []
    factors: list[tuple[float, float]] = []
    shares: list[float] = []
    faster: list[tuple[float, float]] = []
    for number, case in enumerate(suite(held_out=options.held_out)):
        if options.only is not None and number not in options.only:
            continue
        before = len(factors)
        found = measure(case, options.repeats, factors, shares)
        faster += gains(found["auto"])
        cells = [case.name]
        for target in TARGETS:
            auto = time_at(found["auto"], target)
            parts = {m: time_at(p, target) for m, p in found.items() if m != "auto"}
            best = min((m for m in parts if parts[m]), key=lambda m: parts[m] or np.inf, default="")
            if auto is None or not best:
                cells += ["–"] * 4
                continue
            ratios.append(auto / parts[best])
            cells += [best, f"{1e3 * parts[best]:.3g}", f"{1e3 * auto:.3g}", f"{ratios[-1]:.2f}"]
        own = [error for error, _ in factors[before:]]
        cells.append(f"{min(own):.2g} … {max(own):.2g}" if own else "–")
        lines.append("| " + " | ".join(cells) + " |")
        print(f"{number}: {lines[-1]}", flush=True)
    text = (
        f"{len(lines) - 2} cases. Time of the choice divided by that of the best single method: "
        f"median {np.median(ratios):.2f}, worst {max(ratios):.2f}; "
        f"above 1.3 in {sum(r > 1.3 for r in ratios)} of {len(ratios)}."
    )
    text += "\n\n" + "\n".join([*achieved(factors), "", *price(faster, factors, shares)])
    print(text)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        begin, end = MARKS[options.held_out]
        start, rest = page.split(begin)
        table = text if options.held_out else "\n".join([text, "", *lines])
        PAGE.write_text(f"{start}{begin}\n{table}\n{end}{rest.split(end)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
