"""A ReLU network through its kinks, and the article's Eq. (1), as pictures."""

import numpy as np

import thalweg as tw
from thalweg.plot import draw_systems

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
net = tw.nonlinear.ShallowProblem(X, Y, hidden=6, activation="relu")
run = net.flow(net.start(0.5, rng=1), t_end=30.0)
run.plot().savefig("relu.png", dpi=90)
print(run)

systems = [tw.counterexamples.bounded_eq1, tw.counterexamples.unbounded]
draw_systems(systems).savefig("eq1.png", dpi=90)
for system in systems:
    print(system.name, system.flow([0.5] * len(system.variables)).status)
