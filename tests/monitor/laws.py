"""Training on random targets, and whether the laws found are obeyed."""

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")


def follow(model, x, *, steps=3, lr=0.05, outputs=None, **options):
    """Train on random targets; returns the record."""
    model = model.to(x.dtype) if x.is_floating_point() else model
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(5)
    with tw.monitor.watch(model, optimizer, every=1, **options) as m:
        for _ in range(steps):
            optimizer.zero_grad()
            out = model(x)
            target = torch.randn(out.shape, generator=generator, dtype=out.dtype)
            ((out - target) ** 2).mean().backward()
            optimizer.step()
    return m.record


def vectors(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def kinds(record):
    return {law.name: law.kind for law in record.laws}


def obeyed(record):
    """Every change is of second order in the step: nothing but the step size causes it."""
    assert record.table.num_rows > 0
    for row in record.table.to_pylist():
        assert abs(row["defect"]) < 1e-9 * row["change"] + 1e-18
        assert row["step_size"] == pytest.approx(row["change"], rel=1e-6, abs=1e-16)
