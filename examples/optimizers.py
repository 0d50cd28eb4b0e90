"""What gradient descent, SGD, momentum and Adam do to what the flow conserves, on the digits."""

import thalweg as tw

problem = tw.datasets.load("digits").problem(widths=(32,), loss="mean", center=True)
start = tw.init.gaussian(problem, scale=0.1, rng=0)
options = {
    "gd": {"lr": 5e-3},
    "sgd": {"lr": 5e-3},
    "momentum": {"lr": 5e-4},
    "nesterov": {"lr": 5e-4},
    "adam": {"lr": 5e-3},
}
for method, numbers in options.items():
    d = tw.descend(problem, start, method=method, steps=800, **numbers)
    print(f"{method:<8}  loss {d.loss[-1]:.4f}  drift {d.drift[-1]:.4f}")
    if method == "momentum":
        d.plot().savefig("training.png", dpi=95)
rates = [0.01, 0.005, 0.0025, 0.00125, 0.000625]
curve = tw.optimizers.drift_against_step(problem, start, rates, 4.0)
print(curve)
curve.plot().savefig("drift_against_step.png", dpi=95)
