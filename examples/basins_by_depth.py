"""Where random starts end, for one, two and three hidden layers: the article's conjecture, sampled.

python examples/basins_by_depth.py [--starts N] [--quick]
"""

import argparse
import sys

import matplotlib
import numpy as np
from matplotlib.figure import Figure

import thalweg as tw
from thalweg.basins import clopper_pearson
from thalweg.plot import CYCLE, SETTINGS

DIMS = [(4, 3, 2), (4, 3, 3, 2), (4, 3, 3, 3, 2)]
SCALE = 0.1

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--starts", type=int, default=100_000, help="starts for each depth")
parser.add_argument("--quick", action="store_true", help="2000 starts for each depth")
options = parser.parse_args()
n = 2000 if options.quick else options.starts

print(f"Gaussian starts of standard deviation {SCALE:g}; intervals: 95 %, Clopper-Pearson")
print("H  network    starts  global minimum                saddle  undecided  last certified")
with matplotlib.rc_context(SETTINGS):
    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    ax = figure.subplots()
    for dims, colour in zip(DIMS, CYCLE, strict=False):
        hidden = len(dims) - 2
        print(f"H = {hidden}: {n} starts ...", file=sys.stderr, flush=True)
        problem = tw.Problem.from_target([3.0, 1.5], dims=dims)
        s = tw.sweep(problem, tw.init.gaussian, n=n, scale=SCALE, rng=0)
        share = s.fractions()["global_minimum"]
        counts = s.counts()
        saddles = counts.get("strict_saddle", 0) + counts.get("non_strict_saddle", 0)
        open_ones = n - share.count - saddles
        t = np.sort(np.nan_to_num(s.table["t_certificate"].to_numpy(), nan=np.inf))
        certified = t[np.isfinite(t)]
        last = f"t = {certified[-1]:.4g}" if len(certified) else "never"
        span = f"{share.count} [{share.low:.6f}, {share.high:.6f}]"
        name = "-".join(map(str, dims))
        print(f"{hidden}  {name:<9}  {n:>6}  {span:<28}  {saddles:>6}  {open_ones:>9}  {last}")
        for text in (*s.defects(), *(item for item in s.theorems()[1:])):
            status = getattr(text, "status", "DEFECT")
            print(f"     [{status}] {getattr(text, 'statement', text)}")
        left = 1.0 - np.arange(len(t)) / len(t)
        ax.step(t, left, where="post", color=colour, label=f"H = {hidden}, {name}")
    limit = 1.0 - clopper_pearson(n, n)[0]
    ax.axhline(limit, color="black", linestyle=":", linewidth=1.0)
    ax.text(
        0.05, 1.15 * limit, "95 % bound on what no start was in", transform=ax.get_yaxis_transform()
    )
    ax.set(xscale="log", yscale="log", xlabel="time t", ylabel="share of starts")
    ax.set_title("Starts not yet certified to end at a global minimum")
    ax.legend()
    figure.savefig("basins_by_depth.png", dpi=95)
