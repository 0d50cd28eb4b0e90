"""Starts on stable sets of saddles and near them: how long the escape takes; how small the basins.

python examples/stable_sets.py [--quick]
"""

import argparse
import sys

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import thalweg as tw
from thalweg.landscape import kinds_of
from thalweg.plot import CYCLE, SETTINGS

SIGMA = (3.0, 1.5)
SMALL = [1e-3, 1e-4, 1e-5, 1e-6]
CASES = [
    # layers, what the start can learn (None: the start is zero), distances, horizon
    (2, 0, SMALL, 100.0),
    (2, 1, SMALL, 100.0),
    (3, 1, SMALL, 100.0),
    (3, None, [1e-1, 3e-2, 1e-2, 3e-3], None),
    (3, 0, [1e-2, 3e-3, 1e-3], None),
    (4, None, [3e-1, 1.5e-1, 1e-1, 5e-2], None),
    (4, 0, [1e-1, 5e-2, 3e-2], None),
]

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--quick", action="store_true", help="few directions, few points")
quick = parser.parse_args().quick
n, points = (20, 3) if quick else (200, 20)
rng = np.random.default_rng(0)


def problem_of(depth: int) -> tw.Problem:
    """Return the problem with this many layers."""
    return tw.Problem.from_target(SIGMA, dims=(4, *(depth - 1) * (3,), 2))


def start_on(p: tw.Problem, mode: int | None) -> list[np.ndarray]:
    """Return weights that only one hidden chain and one singular direction use, or zero ones."""
    out = [np.zeros((p.dims[j + 1], p.dims[j])) for j in range(p.depth)]
    if mode is not None:
        for j, weight in enumerate(out):
            weight[mode if j == p.depth - 1 else 0, mode if j == 0 else 0] = 0.7
    return out


def near(start: list[np.ndarray], distance: float) -> list[np.ndarray]:
    """Return the start moved by a distance in a random direction."""
    noise = [rng.normal(size=weight.shape) for weight in start]
    size = np.sqrt(sum(np.sum(item**2) for item in noise))
    return [weight + distance / size * item for weight, item in zip(start, noise, strict=True)]


def slope(
    x: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[float, float, float]:
    """Least-squares slope through medians, and what it can be while they are in their boxes."""
    share = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    least, most = np.where(share > 0, low, high), np.where(share > 0, high, low)
    return float(share @ y), float(share @ least), float(share @ most)


print(f"escape times at distance eps of starts on stable sets; {n} random directions each")
with matplotlib.rc_context(SETTINGS):
    figure = Figure(figsize=(10.0, 4.6), layout="constrained")
    axes = figure.subplots(1, 2)
    for case, (depth, mode, distances, horizon) in enumerate(CASES):
        print(f"case {case + 1} of {len(CASES)} ...", file=sys.stderr, flush=True)
        p = problem_of(depth)
        start = start_on(p, mode)
        verdict = tw.flow(p, start).limit.verdict
        distances = distances[: 2 if quick else None]
        strict = verdict.kind == "strict_saddle"
        times, left = [], 0
        for distance in distances:
            starts = [near(start, distance) for _ in range(n)]
            s = tw.basins.from_starts(p, starts, experiment="near a stable set", t_end=horizon)
            found = s.plateau_times((0.5,), level=1.0 - 0.05 / len(distances))
            item = next(one for one in found if one.learned == verdict.learned)
            times.append(item.quantiles[0][1:])
            left += item.censored + n - item.n
        middle, low, high = np.array(times).T
        closer = 1.0 / np.array(distances)
        name = "{" + ", ".join(f"σ{i + 1}" for i in verdict.learned) + "}"
        if strict:
            got = slope(np.log(closer), middle, low, high)
            law = f"1/|λ_min| = {1.0 / abs(verdict.smallest_eigenvalue):.3f} per unit of ln(1/eps)"
        else:
            got = slope(np.log(closer), np.log(middle), np.log(low), np.log(high))
            order = verdict.descent_curve.order
            law = f"order {order}: exponent {order - 2} of 1/eps"
        print(f"{depth} layers, on: {verdict.kind.replace('_', ' ')} {name}")
        print(f"  near: slope {got[0]:.3f} [{got[1]:.3f}, {got[2]:.3f}]; {law}; not left: {left}")
        ax = axes[0 if strict else 1]
        bars = np.array([middle - low, high - middle])
        label = f"{depth} layers, {name}"
        ax.errorbar(closer, middle, bars, fmt="o-", color=CYCLE[case % 4], capsize=3, label=label)
    for ax, title in zip(axes, ("Strict saddles", "Non-strict saddles"), strict=True):
        ax.set(xscale="log", xlabel="1/eps", ylabel="median time of escape", title=title)
        ax.legend()
    axes[1].set_yscale("log")
    figure.savefig("stable_sets.png", dpi=95)

print(f"codimension of the basins from the Hessian, {points} random critical points each")
for dims in ((2, 2, 2), (2, 2, 2, 2), (4, 3, 2)):
    p = tw.Problem.from_target(SIGMA, dims=dims)
    for learned in ((), (0,), (1,)):
        for kind in kinds_of(p, learned):
            verdicts = [
                tw.classify(p, tw.critical_point(p, learned, kind, rng=k)) for k in range(points)
            ]
            good = [v.inertia[0] for v in verdicts if v.inertia[1] == v.stratum_dimension]
            bound = f"codimension at least {min(good)} there" if good else "no bound"
            name = "{" + ", ".join(f"σ{i + 1}" for i in learned) + "}"
            print(
                f"{'-'.join(map(str, dims))}, {kind.replace('_', ' ')} {name}: {bound}; "
                f"hypothesis holds at {len(good)}, fails at {points - len(good)}"
            )
