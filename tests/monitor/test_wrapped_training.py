"""Compiled and wrapped models, autocast, loss scaling."""

import itertools
import warnings

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

nn = torch.nn


SGD = torch.optim.SGD


def mse(model, x, y):
    return ((model(x) - y) ** 2).mean()


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiled_models(mlp, train, backend):
    results = []
    for watched in (False, True):
        torch._dynamo.reset()
        model = mlp(nn.ReLU)
        optimizer = SGD(model.parameters(), lr=0.05)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = torch.compile(model, backend=backend, fullgraph=True)
            torch._dynamo.utils.counters.clear()
            if watched:
                with tw.monitor.watch(compiled, optimizer, every=2) as m:
                    losses = train(compiled, optimizer, 6)
            else:
                losses = train(compiled, optimizer, 6)
            results.append((losses, dict(torch._dynamo.utils.counters["stats"])))
    assert results[0] == results[1]
    assert {law.name for law in m.record.laws} == {"0 -> 2", "2 -> 4"}
    assert all(law.main_cause == "step_size" for law in m.record.laws)


def test_wrapped_models(mlp, train):
    model = mlp(nn.ReLU)
    wrapped = nn.DataParallel(model)
    optimizer = SGD(wrapped.parameters(), lr=0.05)
    with tw.monitor.watch(wrapped, optimizer, every=2) as m:
        train(wrapped, optimizer, 4)
    assert {law.name for law in m.record.laws} == {"0 -> 2", "2 -> 4"}


def test_autocast_to_bfloat16(mlp, batches):
    """The law is accepted within the rounding of bfloat16, whose bits the gradients show."""
    for activation, count in ((nn.ReLU, 2), (nn.Tanh, 0)):
        model = mlp(activation, dtype=torch.float32, widths=(6, 64, 48, 3))
        optimizer = SGD(model.parameters(), lr=0.05)
        pairs = [("0", "2", "relu"), ("2", "4", "relu")]
        with tw.monitor.watch(model, optimizer, every=1, pairs=pairs) as m:
            for x, y in batches(4, dtype=torch.float32):
                optimizer.zero_grad()
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    loss = mse(model, x, y)
                loss.backward()
                optimizer.step()
        assert len(m.record.laws) == count, m
    # The same deviation in float32 is no law.
    from thalweg.monitor._watched import TOLERANCE

    assert TOLERANCE[torch.float32] < 1e-4 < TOLERANCE[torch.bfloat16]


@pytest.mark.parametrize(
    ("fused", "clip", "told"), list(itertools.product((False, True), repeat=3))
)
def test_loss_scaling(mlp, batches, rows, fused, clip, told):  # noqa: PLR0917
    model = mlp(nn.ReLU, dtype=torch.float32)
    optimizer = SGD(model.parameters(), lr=1.0 if clip else 0.05, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=10**6)
    with tw.monitor.watch(model, optimizer, every=1, scaler=scaler if told else None) as m:
        for index, (x, y) in enumerate(batches(5, dtype=torch.float32)):
            optimizer.zero_grad()
            loss = mse(model, x, y) * (float("inf") if index == 2 else 1.0)
            scaler.scale(loss).backward()
            if clip:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()
    found = rows(m, "0 -> 2")
    assert len(found) == 4
    for row in found:
        assert "optimizer" not in row
        assert abs(row["rounding"]) < 1e-2 * row["change"]
        assert row.get("clipping", 0.0) + row["step_size"] == pytest.approx(row["change"], rel=1e-2)
        assert ("clipping" in row) is (clip and told)
    assert any("pass scaler=" in note for note in m.record.notes) is (clip and not told)
