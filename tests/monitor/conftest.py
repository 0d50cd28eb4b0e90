"""Small networks, one training loop, and the conserved quantities computed without the package."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn


def pytest_collection_modifyitems(items):
    for item in items:
        if "monitor" in str(item.path.parent.name):
            item.add_marker(pytest.mark.torch)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def mlp():
    """Return a maker of three layers with an activation."""

    def make(
        activation=nn.Identity, *, bias=True, dtype=torch.float64, seed=0, widths=(6, 9, 7, 3)
    ):
        torch.manual_seed(seed)
        layers = []
        for index, (a, b) in enumerate(itertools.pairwise(widths)):
            layers += [activation()] if index else []
            layers.append(nn.Linear(a, b, bias=bias))
        return nn.Sequential(*layers).to(dtype)

    return make


@pytest.fixture
def batches():
    """Return a maker of batches; equal seeds give equal batches."""

    def make(count, *, inputs=6, outputs=3, size=20, dtype=torch.float64, seed=1):
        generator = torch.Generator().manual_seed(seed)
        for _ in range(count):
            x = torch.randn(size, inputs, generator=generator, dtype=dtype)
            yield x, torch.randn(size, outputs, generator=generator, dtype=dtype)

    return make


@pytest.fixture
def train(batches):
    """Return a loop that a user could have written; returns the losses."""

    def run(model, optimizer, steps, *, watched=None, **options):
        losses = []
        for x, y in batches(steps, **options):
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return run


@pytest.fixture
def conserved():
    """Return C of two consecutive linear layers, from NumPy alone."""

    def value(first, second, *, diagonal=False):
        w1, w2 = (layer.weight.detach().double().numpy() for layer in (first, second))
        c = w2.T @ w2 - w1 @ w1.T
        if first.bias is not None:
            b = first.bias.detach().double().numpy()
            c = c - np.outer(b, b)
        return np.diag(c).copy() if diagonal else c

    return value


@pytest.fixture
def rows():
    """Return the rows of one law as dictionaries without what is missing."""

    def of(monitor, law=None):
        found = monitor.table.to_pylist()
        return [
            {k: v for k, v in row.items() if v is not None}
            for row in found
            if law is None or row["law"] == law
        ]

    return of
