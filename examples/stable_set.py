"""A start of rank one never learns a second direction: its limit is a saddle, and it says so."""

import numpy as np

import thalweg as tw

problem = tw.Problem.from_target([3.0, 2.0, 1.0], dims=(5, 4, 3))
rng = np.random.default_rng(0)
hidden = rng.normal(size=4)
start = [0.1 * np.outer(hidden, rng.normal(size=5)), 0.1 * np.outer(rng.normal(size=3), hidden)]
print(tw.flow(problem, start).limit)
