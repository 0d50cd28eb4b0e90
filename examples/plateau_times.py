"""How long small starts stay at the first saddles: against scale, for two, three and four layers.

python examples/plateau_times.py [--quick]
"""

import argparse
import sys

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import thalweg as tw
from thalweg.plot import CYCLE, SETTINGS

SIGMA = (3.0, 1.5)
SCALES = {
    2: [1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5],
    3: [3e-2, 1e-2, 3e-3, 1e-3],
    4: [1e-1, 5e-2, 3e-2, 2e-2],
}
"""By depth. Four layers at scale 1e-4 would need 1e7 units of time: too long for many starts."""

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--quick", action="store_true", help="60 starts for each scale, not 1000")
n = 60 if parser.parse_args().quick else 1000


def slope(
    x: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[float, float, float]:
    """Least-squares slope through medians, and what it can be while they are in their boxes."""
    share = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    least, most = np.where(share > 0, low, high), np.where(share > 0, high, low)
    return float(share @ y), float(share @ least), float(share @ most)


print(f"exit times of {n} Gaussian starts for each scale, target singular values {SIGMA}")
print("layers  plateau  scale    starts  not left  median [joint 95 % per line of slopes]")
with matplotlib.rc_context(SETTINGS):
    figure = Figure(figsize=(8.0, 4.8), layout="constrained")
    ax = figure.subplots()
    answers = []
    for depth, scales in SCALES.items():
        print(f"{depth} layers ...", file=sys.stderr, flush=True)
        p = tw.Problem.from_target(SIGMA, dims=(4, *(depth - 1) * (3,), 2))
        s = tw.sweep(p, tw.init.gaussian, n=n, scale=scales, rng=0)
        print(f"{depth} layers ended at: {s.counts()}")
        found = s.plateau_times((0.5,), level=1.0 - 0.05 / len(scales))
        for learned, line in (((), "-"), ((0,), "--")):
            rows = [item for item in found if item.learned == learned]
            at = np.array([item.parameters["scale"] for item in rows])
            middle, low, high = np.array([item.quantiles[0][1:] for item in rows]).T
            name = "{σ₁}" if learned else "{}"
            for scale, item in zip(at, rows, strict=True):
                _, m, a, b = item.quantiles[0]
                counts = f"{scale:<7g}  {item.n:>6}  {item.censored:>8}"
                print(f"{depth:>6}  {name:<7}  {counts}  {m:.4g} [{a:.4g}, {b:.4g}]")
            if depth == 2:
                got = slope(np.log(1.0 / at), middle, low, high)
                theory = f"1/σ = {1.0 / SIGMA[len(learned)]:.3f} per unit of ln(1/scale)"
            else:
                got = slope(np.log(at), np.log(middle), np.log(low), np.log(high))
                theory = f"exponent {2 - depth}"
            answers.append(
                f"{depth} layers, at {name}: {got[0]:.3f} [{got[1]:.3f}, {got[2]:.3f}]; {theory}"
            )
            colour = CYCLE[depth - 2]
            bars = np.array([middle - low, high - middle])
            ax.errorbar(
                at,
                middle,
                bars,
                fmt="o",
                linestyle=line,
                color=colour,
                capsize=3,
                label=f"{depth} layers, leaves {name}",
            )
    print("slopes through the medians, with joint 95 % intervals, and what theory says")
    print("\n".join(answers))
    ax.set(xscale="log", yscale="log", xlabel="scale of the start", ylabel="time of exit (median)")
    ax.set_title("Plateaus: logarithmic in the scale for two layers, a power beyond")
    ax.legend()
    figure.savefig("plateau_times.png", dpi=95)
