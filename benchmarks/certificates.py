"""Certificates against trajectories: violations, how often each rule certifies, how tight it is.

``audit`` follows random networks at rtol 1e-12 and compares every bound with what happens; exit
code 1 if one is violated. ``rules`` counts which rule certifies random starts and compares the
measured rate with the certified one. ``chance`` draws the probability that a Gaussian start is
certified, as a function of scales and widths.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import thalweg as tw
from thalweg.certificate import certified_share

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

ROUNDING = 1e-9
"""Relative excess over a bound that counts as a violation; the trajectories are good to 1e-11."""
RTOL = 1e-12
"""Of the trajectories: ``M`` is known to so many parts of ``||D|| prod ||W_j||``."""


# --- random networks ------------------------------------------------------------------------
def network(seed: int) -> tuple[tw.Problem, list[np.ndarray]]:
    """Depth 2-5, widths in all orders, scales 0.05-4, raw and whitened, inputs often dependent."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(2, 6))
    dims = tuple(int(n) for n in rng.integers(1, 6, size=depth + 1))
    samples = int(rng.integers(1, 9))
    X = rng.normal(size=(samples, dims[0])) * np.exp(rng.uniform(-1.0, 1.0, dims[0]))
    Y = rng.normal(size=(samples, dims[-1]))
    metric, loss = str(rng.choice(["raw", "whitened"])), str(rng.choice(["sum", "mean"]))
    p = tw.Problem.from_data(X, Y, dims[1:-1], metric=metric, loss=loss)
    scale = math.exp(rng.uniform(math.log(0.05), math.log(4.0)))
    kind = rng.integers(4)
    if kind == 0:
        growth = float(rng.uniform(1.0, 3.0))
        return p, tw.init.gaussian(p, scale=[scale * growth**j for j in range(depth)], rng=rng)
    if kind == 1:
        try:
            rate = math.exp(rng.uniform(-4.0, 1.0))
            return p, perturbed(tw.init.exponential(p, rate=rate, rng=rng), rng)
        except tw.DataError:
            pass
    return p, tw.init.gaussian(p, scale=scale, rng=rng)


def perturbed(w, rng):
    """Move weights by a tenth of their size, so that no layer is zero."""
    size = max(float(np.abs(item).max()) for item in w)
    return [item + 0.1 * size * rng.normal(size=item.shape) for item in w]


# --- audit ----------------------------------------------------------------------------------
def audit(seed: int) -> tuple[list[str], dict[str, float], list[str]]:
    """Return violations, the ratio of truth to bound for each kind of bound, and the rules."""
    p, w = network(seed)
    run = tw.flow(p, w, t_end=10.0, rtol=RTOL)
    later = int(np.argmax(run.reducible_loss <= 0.1 * run.reducible_loss[0]))
    middle = float(run.t[later])
    told = [(tw.certify(p, w), 0.0), (tw.certify(p, run.weights_at(middle)), middle)]
    told.append((run.certificate, 0.0))
    wrong: list[str] = []
    ratios: dict[str, float] = {}
    for c, offset in told:
        for name, value, bound in comparisons(run, c, offset):
            ratios[name] = max(ratios.get(name, 0.0), value / bound if bound > 0 else 0.0)
            if value > bound * (1.0 + ROUNDING) + 1e-13:
                wrong.append(f"seed {seed}, dims {p.dims}, {p.metric}: {name} {value} > {bound}")
    return wrong, ratios, [c.rule for c, _ in told]


def comparisons(run, c, offset):
    """Yield name, true value and bound; the loss relative to its bound."""
    begin = max(c.time, offset)
    after = run.t >= begin
    t = run.t[after]
    for j, value in enumerate(run.layer_norms[after].max(axis=0)):
        yield "norm (flow)", float(value), float(c.flow_norm_bounds[j])
    for time in t[:: max(1, len(t) // 8)]:
        for j, item in enumerate(run.weights_at(float(time))):
            yield "norm (data)", float(np.linalg.norm(item, 2)), float(c.norm_bounds[j])
    loss, bound = run.reducible_loss[after], c.loss_bound(t - offset)
    moved = (t - begin) * c.rate > 0.05
    known = RTOL * float(run.problem.flow_data()[1].max() * np.prod(run.layer_norms.max(axis=0)))
    excess = np.maximum(loss[moved] - c.least_loss - 1e-14 * c.least_loss, 0.0)
    limit = np.sqrt(bound[moved] - c.least_loss) + known
    for ratio in np.sqrt(excess) / limit:
        yield f"loss ({c.rule})", float(ratio) ** 2, 1.0
    if c.rate > 0.0:
        yield f"path ({c.rule})", length(run, t[:: max(1, len(t) // 60)]), c.path_bound


def length(run, times) -> float:
    """Length of the polygon through some points, in the coordinates of the flow."""
    points = [run.problem.reduce(run.weights_at(float(time))) for time in times]
    flat = np.array([np.concatenate([item.ravel() for item in point]) for point in points])
    return float(np.linalg.norm(np.diff(flat, axis=0), axis=1).sum())


def run_audit(arguments) -> int:
    seeds = range(arguments.seed, arguments.seed + arguments.n)
    best: dict[str, float] = {}
    rules: collections.Counter[str] = collections.Counter()
    count = 0
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for wrong, ratios, names in pool.map(audit, seeds, chunksize=20):
            rules.update(names)
            count += len(wrong)
            for line in wrong:
                print("VIOLATION", line, flush=True)
            for name, value in ratios.items():
                best[name] = max(best.get(name, 0.0), value)
    print(f"{arguments.n} networks, {sum(rules.values())} certificates, {count} violations")
    print("rules:", ", ".join(f"{name} {value}" for name, value in sorted(rules.items())))
    for name, value in sorted(best.items()):
        print(f"tightest {name}: {value:.6f} of the bound")
    return int(count > 0)


# --- rules ----------------------------------------------------------------------------------
SHAPES = {
    "falling": (4, 4, 3, 2),
    "equal": (3, 3, 3, 3),
    "rising": (2, 3, 4, 4),
    "rising, then falling": (2, 4, 3, 2),
    "falling, then rising": (4, 3, 2, 3, 4),
}
GROWTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def paper_rate(w: list[np.ndarray], metric: np.ndarray) -> float:
    """Remark 2 as in the paper (with the product): first layer as pivot, no accumulation."""
    sizes = [item.shape[0] for item in w]
    factors = []
    for j, (one, two) in enumerate(itertools.pairwise(w)):
        if sizes[j] < sizes[j + 1]:
            return 0.0
        values = np.linalg.eigvalsh(two.T @ two - one @ one.T)
        factors.append(values[sizes[j] - sizes[j + 1]])
    return math.prod(factors) * metric.min() ** 2 if min(factors) > 0.0 else 0.0


def tightness(task) -> tuple[str, float, bool, float, float]:
    """Return shape, growth, whether the paper's rule holds, our rate, measured over certified."""
    name, growth, seed = task
    rng = np.random.default_rng([seed, int(10 * growth)])
    dims = SHAPES[name]
    p = tw.Problem.from_target(rng.normal(size=(dims[-1], dims[0])), dims=dims)
    scales = [0.4 * growth**j for j in range(len(dims) - 1)]
    w = tw.init.gaussian(p, scale=scales, rng=rng)
    c = tw.certify(p, w)
    by_matrices = [item.holds for item in c.hypotheses if item.name.startswith("remark-2")]
    paper = paper_rate(w, p.flow_data()[1])
    if not all(by_matrices):
        return name, growth, paper > 0.0, 0.0, math.nan
    run = tw.flow(p, w, t_end=30.0, rtol=1e-10)
    loss = run.reducible_loss
    good = (run.t > 0.0) & (loss > 1e-16 * loss[0])
    measured = np.min(np.log(loss[0] / loss[good]) / (2.0 * run.t[good]))
    return name, growth, paper > 0.0, c.rate, float(measured / c.rate)


def run_rules(arguments) -> int:
    tasks = [
        (name, growth, seed)
        for name in SHAPES
        for growth in GROWTHS
        for seed in range(arguments.seed, arguments.seed + arguments.n)
    ]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(tightness, tasks, chunksize=25))
    print(
        "| sizes | growth of scales | Remark 2 | any pivot | measured/certified, median | least |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    lost = 0
    for name in SHAPES:
        for growth in GROWTHS:
            mine = [row for row in rows if row[:2] == (name, growth)]
            ratios = sorted(row[4] for row in mine if row[3] > 0.0)
            lost += sum(row[2] and row[3] == 0.0 for row in mine)
            paper = 100.0 * sum(row[2] for row in mine) / len(mine)
            ours = 100.0 * len(ratios) / len(mine)
            middle = f"{ratios[len(ratios) // 2]:.3g}" if ratios else "–"
            least = f"{ratios[0]:.3g}" if ratios else "–"
            sizes = "-".join(map(str, SHAPES[name]))
            print(
                f"| {name}: {sizes} | {growth:g} | {paper:.0f} % | {ours:.0f} % | {middle} | "
                f"{least} |"
            )
    print(f"certified by Remark 2 but not here: {lost}")
    return int(lost > 0)


# --- chance ---------------------------------------------------------------------------------
NETWORKS = ((2, 2, 2), (4, 4, 4), (4, 6, 4), (4, 8, 4), (4, 4, 4, 4), (4, 8, 6, 4))
WIDTHS = range(4, 13)


def shares(dims: tuple[int, ...], growth: float, n: int, seed: int):
    """Ask how often growing scales are certified; a common factor of the scales changes nothing."""
    p = tw.Problem.from_target(np.linspace(2.0, 1.0, min(dims[0], dims[-1])), dims=dims)
    scales = [0.3 * growth**j for j in range(len(dims) - 1)]
    return certified_share(p, scales, n=n, rng=seed)


def curve(ax, x, found, label, style="-"):
    """Draw fractions with their intervals, and print them."""
    band = np.array([item.interval for item in found])
    (line,) = ax.plot(x, [item.fraction for item in found], style, label=label, linewidth=1.8)
    ax.fill_between(x, band[:, 0], band[:, 1], color=line.get_color(), alpha=0.15, linewidth=0)
    print(f"{label}: " + " ".join(f"{item.fraction:.3f}" for item in found))


def run_chance(arguments) -> int:
    from matplotlib.figure import Figure

    n, seed = arguments.n, arguments.seed
    growths = np.geomspace(0.125, 8.0, 19)
    figure = Figure(figsize=(11.0, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for dims in NETWORKS:
        found = [shares(dims, float(x), n, seed) for x in growths]
        curve(left, growths, found, "-".join(map(str, dims)))
    for growth in (1.0, 2.0, 4.0):
        for depth, style in ((2, "o-"), (3, "s--")):
            sizes = [(4, *(width,) * (depth - 1), 4) for width in WIDTHS]
            label = f"4-{'n-' * (depth - 1)}4, growth {growth:g}"
            curve(right, WIDTHS, [shares(dims, growth, n, seed) for dims in sizes], label, style)
    left.set_title("Scales of the layers", loc="left", weight="bold")
    left.set_xlabel("growth: scale of each layer over that of the one before")
    left.set_xscale("log", base=2)
    right.set_title("Widths", loc="left", weight="bold")
    right.set_xlabel("hidden width n")
    for ax in (left, right):
        ax.set_ylim(-0.03, 1.03)
        ax.set_ylabel("fraction of Gaussian starts with a rate")
        ax.grid(visible=True, linewidth=0.5, color="#d9dde2")
        ax.spines[["top", "right"]].set_visible(False)
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.15), "ncols": 3}
        ax.legend(frameon=False, fontsize=8.5, **below)
    figure.savefig(arguments.out, dpi=110)
    print(arguments.out)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["audit", "rules", "chance"])
    parser.add_argument("-n", type=int, default=200, help="networks, or starts for each point")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", default="certified_share.png", help="picture of `chance`")
    arguments = parser.parse_args()
    tasks = {"audit": run_audit, "rules": run_rules, "chance": run_chance}
    return tasks[arguments.what](arguments)


if __name__ == "__main__":
    sys.exit(main())
