"""The run of the README: where a three-layer network trained on the Linnerud data ends, and why."""

import thalweg as tw

problem = tw.datasets.load("linnerud").problem(widths=(4, 4), standardize=True)
run = tw.flow(problem, tw.init.gaussian(problem, scale=0.02, rng=0))
print(run)
run.plot().savefig("linnerud.png", dpi=110)
