"""What watching costs: the same training loop bare and watched, block after block, in one run.

784-256-256-10, batch 128, float32, one thread. Every round trains two equal models for 25 steps
each, one of them watched, in alternating order; the figure is the median over rounds of the ratio
of processor times, in which the turns of other programs do not count. ``--check`` makes an overhead
of 5 % or more an error.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import nn

import thalweg as tw

BLOCK = 25
LIMIT = 0.05
OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.01),
    "SGD, momentum 0.9, weight decay": lambda p: torch.optim.SGD(
        p, lr=0.01, momentum=0.9, weight_decay=1e-4
    ),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=1e-3),
}
CASES = [("relu", name, {"every": BLOCK}, name != "AdamW") for name in OPTIMIZERS] + [
    ("relu", "SGD", {"every": 10**9, "values_every": 1}, True),
    ("relu", "SGD", {"every": BLOCK, "values_every": 1}, False),
    ("relu", "SGD", {"every": 1}, False),
    ("linear", "SGD", {"every": BLOCK}, True),
    ("linear", "AdamW", {"every": BLOCK}, False),
    ("linear", "SGD", {"every": BLOCK, "probes": 8}, False),
]


def loop(activation: str, make):
    """Return a function that trains for one block, its model and its optimizer."""
    torch.manual_seed(0)
    between = nn.ReLU if activation == "relu" else nn.Identity
    model = nn.Sequential(
        nn.Linear(784, 256), between(), nn.Linear(256, 256), between(), nn.Linear(256, 10)
    )
    optimizer, loss = make(model.parameters()), nn.CrossEntropyLoss()
    inputs, labels = torch.randn(128, 784), torch.randint(0, 10, (128,))

    def block() -> float:
        begin = time.process_time()
        for _ in range(BLOCK):
            optimizer.zero_grad()
            loss(model(inputs), labels).backward()
            optimizer.step()
        return time.process_time() - begin

    return block, model, optimizer


def measure(activation: str, name: str, options: dict, rounds: int) -> tuple[float, float]:
    """Return the median overhead and the median milliseconds of a bare step."""
    bare, *_ = loop(activation, OPTIMIZERS[name])
    watched, model, optimizer = loop(activation, OPTIMIZERS[name])
    ratios, times = [], []
    with tw.monitor.watch(model, optimizer, **options) as m:
        bare(), watched()
        for index in range(rounds):
            if index % 2:
                one, two = bare(), watched()
            else:
                two, one = watched(), bare()
            ratios.append(two / one)
            times.append(one)
    assert len(m.record.laws) == 2, m
    return statistics.median(ratios) - 1.0, 1e3 * statistics.median(times) / BLOCK


def main() -> int:
    """Measure all cases and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--only", type=int, nargs="*")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    over = 0
    print("| network | optimizer | options | bare step | overhead |\n|---|---|---|---|---|")
    for number, (activation, name, options, required) in enumerate(CASES):
        if arguments.only is not None and number not in arguments.only:
            continue
        share, milliseconds = measure(activation, name, options, arguments.rounds)
        told = ", ".join(f"`{key}={value}`" for key, value in options.items())
        print(f"| {activation} | {name} | {told} | {milliseconds:.2f} ms | {100 * share:.1f} % |")
        over += required and share >= LIMIT
    return int(arguments.check and over > 0)


if __name__ == "__main__":
    raise SystemExit(main())
