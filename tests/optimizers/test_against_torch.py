"""The same steps as ``torch.optim``, and the same limit of small steps as the flow."""

import numpy as np
import pytest

import thalweg as tw

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

CASES = [
    ({"method": "gd"}, lambda q: torch.optim.SGD(q, lr=0.01)),
    (
        {"method": "gd", "weight_decay": 0.1},
        lambda q: torch.optim.SGD(q, lr=0.01, weight_decay=0.1),
    ),
    ({"method": "momentum"}, lambda q: torch.optim.SGD(q, lr=0.01, momentum=0.9)),
    (
        {"method": "momentum", "momentum": 0.5, "weight_decay": 0.1},
        lambda q: torch.optim.SGD(q, lr=0.01, momentum=0.5, weight_decay=0.1),
    ),
    (
        {"method": "nesterov", "weight_decay": 0.1},
        lambda q: torch.optim.SGD(q, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
    ),
    ({"method": "adam"}, lambda q: torch.optim.Adam(q, lr=0.01)),
    (
        {"method": "adam", "betas": (0.7, 0.95), "eps": 1e-4, "weight_decay": 0.1},
        lambda q: torch.optim.Adam(q, lr=0.01, betas=(0.7, 0.95), eps=1e-4, weight_decay=0.1),
    ),
    ({"method": "adamw"}, lambda q: torch.optim.AdamW(q, lr=0.01, weight_decay=0.0)),
    (
        {"method": "adamw", "weight_decay": 0.2},
        lambda q: torch.optim.AdamW(q, lr=0.01, weight_decay=0.2),
    ),
]


def trained(w, X, Y, make, batches, *, mean):
    """Weights after every step of a PyTorch training on the tables as they are."""
    layers = []
    for item in w:
        layer = torch.nn.Linear(item.shape[1], item.shape[0], bias=False, dtype=torch.float64)
        layer.weight.data = torch.tensor(item)
        layers.append(layer)
    model = torch.nn.Sequential(*layers)
    optimizer = make(model.parameters())
    X, Y = torch.tensor(X), torch.tensor(Y)
    points = []
    for rows in batches:
        optimizer.zero_grad()
        loss = 0.5 * ((model(X[rows]) - Y[rows]) ** 2).sum()
        loss = loss * (1.0 if mean else len(X)) / len(rows)
        loss.backward()
        optimizer.step()
        points.append([layer.weight.detach().numpy().copy() for layer in layers])
    return points


def passes(m, size, seed, steps):
    """Batches as a shuffled loader without replacement orders them, last batch kept."""
    generator, out = np.random.default_rng(seed), []
    while len(out) < steps:
        order = generator.permutation(m)
        out += [order[i : i + size] for i in range(0, m, size)]
    return out[:steps]


@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_every_step_is_that_of_pytorch(case, batch):
    options, make = CASES[case]
    rng = np.random.default_rng(case)
    # More features than samples: the part of W_1 that never sees data must do as in PyTorch, too.
    X, Y = rng.normal(size=(10, 12)), rng.normal(size=(10, 3))
    mean = case % 2 == 0
    p = tw.Problem.from_data(X, Y, (5, 4), loss="mean" if mean else "sum")
    w = tw.init.gaussian(p, scale=0.3, rng=rng)
    steps = 30
    if batch and options["method"] == "gd":
        options = {**options, "method": "sgd"}
    batches = passes(10, batch, 7, steps) if batch else [np.arange(10)] * steps
    points = trained(w, X, Y, make, batches, mean=mean)
    d = tw.descend(
        p, w, lr=0.01, steps=steps, batch_size=batch, rng=7, snapshots=steps - 1, **options
    )
    snapshots = dict(d.snapshots)
    for step, there in enumerate(points[:-1], start=1):
        for one, two in zip(snapshots[step], there, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)
    for one, two in zip(d.weights, points[-1], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


def test_full_batch_sgd_of_pytorch_converges_to_the_flow_with_order_one():
    rng = np.random.default_rng(0)
    # Correlated columns of different scale: raw is far from whitened.
    X = rng.normal(size=(12, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 0.8, 0.3], [0.0, 0.0, 0.3]])
    Y = rng.normal(size=(12, 2))
    p = tw.Problem.from_data(X, Y, (4,))
    w = tw.init.gaussian(p, scale=0.5, rng=1)
    t_end, counts = 0.5, [400, 800, 1600]
    there = tw.flow(p, w, t_end, rtol=1e-11).weights_at(t_end)
    q = tw.Problem.from_data(X, Y, (4,), metric="whitened")
    elsewhere = tw.flow(q, w, t_end).weights_at(t_end)
    gaps, others = [], []
    for count in counts:
        lr = p.flow_time(t_end, 1, "sum") / count
        end = trained(
            w,
            X,
            Y,
            lambda params, lr=lr: torch.optim.SGD(params, lr=lr),
            [np.arange(12)] * count,
            mean=False,
        )[-1]
        gaps.append(distance(end, there))
        others.append(distance(end, elsewhere))
    ratios = np.array(gaps[:-1]) / np.array(gaps[1:])
    assert np.all(np.abs(ratios - 2.0) < 0.1)
    assert min(others) > 0.05
    assert np.all(np.abs(np.array(others[:-1]) / np.array(others[1:]) - 1.0) < 0.1)


def distance(one, two):
    return np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(one, two, strict=True)))
