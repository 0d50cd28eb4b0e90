"""With one hidden layer, how much of the tolerance's factor "size of the start" is needed?

The tolerance of a step is enlarged by powers of the size that the weights reach over that of the
start. Told are the largest error over `rtol` on the suite of selection.py and on its held-out
problems, and how many right-hand sides that saves. Nothing is timed.
"""

from __future__ import annotations

import sys

import numpy as np
from selection import largest_error, suite

from thalweg.integrate import solve
from thalweg.network import pack

POWERS = (0.0, 0.25, 0.5, 1.0)
TOLERANCES = (1e-5, 1e-7)


def main() -> int:
    print("suite | power | largest error / rtol | below 0.1 | rhs saved, median | largest")
    for held_out in (False, True):
        errors: dict[float, list[float]] = {power: [] for power in POWERS}
        calls: dict[float, list[float]] = {power: [] for power in POWERS}
        for case in (c for c in suite(held_out=held_out) if len(c.dims) == 3):
            target, metric, weights, t_end = case.make()
            exact = solve(target, metric, weights, t_end=t_end, rtol=1e-11)
            times = t_end * np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0])
            reference = [pack(exact.at(float(t))) for t in times]
            size, reach = (float(np.sqrt(np.mean(y**2))) for y in (pack(weights), reference[-1]))
            for power in POWERS:
                for rtol in TOLERANCES:
                    wide = rtol * size * max(reach / size, 1.0) ** power
                    run = solve(target, metric, weights, t_end=t_end, atol=wide)
                    errors[power].append(largest_error(run, reference, times) / rtol)
                    calls[power].append(run.stats["rhs"])
        for power in POWERS:
            error, saved = np.array(errors[power]), np.divide(calls[0.0], calls[power])
            cells = f"{error.max():.2g} | {np.mean(error < 0.1):.0%} | {np.median(saved):.2f}"
            name = "held-out" if held_out else "suite"
            print(f"{name} | {power:g} | {cells} | {saved.max():.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
