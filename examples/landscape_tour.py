"""The pictures of docs/landscape.md: the atlas with a run's path, and the way out of a saddle."""

import thalweg as tw

linnerud = tw.datasets.load("linnerud").problem(widths=(4, 4), standardize=True)
run = tw.flow(linnerud, tw.init.gaussian(linnerud, scale=0.02, rng=0))
tw.atlas(linnerud).plot(run=run).savefig("atlas.png", dpi=110)

problem = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(5, 4, 4, 3))
saddle = tw.critical_point(problem, learned=(0,), kind="non_strict_saddle", rng=0)
verdict = tw.classify(problem, saddle)
verdict.plot().savefig("descent.png", dpi=90)
print(verdict)
