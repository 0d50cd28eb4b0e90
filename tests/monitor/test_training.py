"""The training is the same with and without the monitor, and odd loops are understood."""

import itertools
import weakref

import pytest

import thalweg as tw

torch = pytest.importorskip("torch")

nn = torch.nn


SGD = torch.optim.SGD


def mse(model, x, y):
    return ((model(x) - y) ** 2).mean()


class Regularized(nn.Module):
    """Dropout, batch statistics and attention: what uses random numbers and buffers."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)
        )
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.body(x)


MAKERS = {
    "sgd": lambda p: SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.001),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", MAKERS)
def test_losses_are_the_same_bits(train, batches, dtype, name):
    ((x, y),) = batches(1, size=50, dtype=dtype, seed=9)

    def run(*, watched):
        torch.manual_seed(3)
        model = Regularized().to(dtype)
        optimizer = MAKERS[name](model.parameters())
        if not watched:
            losses = train(model, optimizer, 12, dtype=dtype)
        else:
            everything = {"every": 2, "values_every": 1, "full_batch": lambda: mse(model, x, y)}
            with tw.monitor.watch(model, optimizer, **everything) as m:
                losses = train(model, optimizer, 12, dtype=dtype)
            assert m.record.laws
            assert m.record.notes == ()
        kept = [p.detach().clone() for p in (*model.parameters(), *model.buffers())]
        return losses, kept, torch.get_rng_state(), model.calls

    (one, first, random, calls), (two, second, numbers, more) = (
        run(watched=False),
        run(watched=True),
    )
    assert one == two
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert torch.equal(random, numbers)
    # The loss on all data, at the recorded steps 1, 2, 4, ..., 12.
    assert more == calls + 7


def test_hooks_are_taken_away_also_after_an_error(mlp, train):
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.1)

    def hooks():
        return (
            len(optimizer._optimizer_step_pre_hooks)
            + len(optimizer._optimizer_step_post_hooks)
            + sum(len(p._backward_hooks or ()) for p in model.parameters())
            + sum(len(p._post_accumulate_grad_hooks or ()) for p in model.parameters())
        )

    m = tw.monitor.watch(model, optimizer)

    def interrupted():
        with m:
            train(model, optimizer, 2)
            assert hooks() > 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert hooks() == 0
    assert m.table.num_rows == 2


def test_no_graph_is_kept(mlp, batches):
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.1)
    with tw.monitor.watch(model, optimizer, every=1):
        for x, y in batches(3):
            optimizer.zero_grad()
            out = model(x)
            ((out - y) ** 2).mean().backward()
            optimizer.step()
            dead = weakref.ref(out)
            del out
            assert dead() is None


def test_an_error_of_the_monitor_does_not_stop_the_training(mlp, train):
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.1)

    def broken(_step, _values):
        raise OSError("disk full")

    with tw.monitor.watch(model, optimizer, sink=broken) as m:
        with pytest.warns(UserWarning, match="monitoring stopped at step 1: OSError: disk full"):
            train(model, optimizer, 1)
        assert len(train(model, optimizer, 3)) == 3
    assert "disk full" in m.record.notes[0]


def test_gradients_of_several_passes_at_the_same_weights_obey(mlp, batches, rows):
    model = mlp(nn.ReLU)
    optimizer = SGD(model.parameters(), lr=0.05)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for index, (x, y) in enumerate(batches(9)):
            (mse(model, x, y) / 3).backward()
            if index % 3 == 2:
                optimizer.step()
                optimizer.zero_grad(set_to_none=index > 4)
    found = rows(m, "0 -> 2")
    assert [row["passes"] for row in found] == [3, 3, 3]
    for row in found:
        assert "leftover" not in row
        assert row["step_size"] == pytest.approx(row["change"], rel=1e-8)


def test_a_leftover_gradient_is_detected(mlp, batches, rows):
    """Negative control of the step identity: zero_grad was forgotten."""
    model = mlp(nn.ReLU)
    optimizer = SGD(model.parameters(), lr=0.05)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for x, y in batches(4):
            mse(model, x, y).backward()
            optimizer.step()
    first, *later = rows(m, "0 -> 2")
    assert "leftover" not in first
    for row in later:
        assert row["leftover"] > 0.3 * row["change"]
        assert abs(row["defect"]) < 1e-10 * row["change"]
        assert abs(row["rounding"]) < 1e-6 * row["change"]
    assert m.record.laws[0].main_cause == "leftover"


def test_clipping_by_norm_is_told_with_its_factor(mlp, batches, rows):
    model = mlp(nn.ReLU)
    optimizer = SGD(model.parameters(), lr=0.5)
    factors = []
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for x, y in batches(4):
            optimizer.zero_grad()
            mse(model, x, y).backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            factors.append(0.1 / float(norm))
            optimizer.step()
    for row, factor in zip(rows(m, "0 -> 2"), factors, strict=True):
        assert factor < 1.0
        assert row["factor"] == pytest.approx(factor, rel=1e-4)
        # Half of what is mixed belongs to each: c and c (c - 1) of the unclipped square.
        ratio = row["clipping"] / row["step_size"]
        assert ratio == pytest.approx(row["factor"] - 1.0, rel=1e-6)
        assert row["clipping"] + row["step_size"] == pytest.approx(row["change"], rel=1e-7)


def test_clipping_by_value_breaks_the_law(mlp, batches, rows):
    model = mlp(nn.ReLU)
    optimizer = SGD(model.parameters(), lr=0.1)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for x, y in batches(4):
            optimizer.zero_grad()
            mse(model, x, y).backward()
            for parameter in model.parameters():
                parameter.grad.data.clamp_(-0.01, 0.01)
            optimizer.step()
    for row in rows(m, "0 -> 2"):
        assert row["clipping"] > 0.5 * row["change"]
        assert "factor" not in row
        assert abs(row["rounding"]) < 1e-6 * row["change"]


def test_noise_is_separated_by_the_loss_on_all_data(mlp, batches, rows):
    model = mlp(nn.ReLU)
    optimizer = SGD(model.parameters(), lr=0.05)
    data = list(batches(6, size=4))
    x_all, y_all = (torch.cat(parts) for parts in zip(*data, strict=True))
    with tw.monitor.watch(
        model, optimizer, every=1, full_batch=lambda: mse(model, x_all, y_all)
    ) as m:
        for x, y in data:
            optimizer.zero_grad()
            mse(model, x, y).backward()
            optimizer.step()
        optimizer.zero_grad()
        mse(model, x_all, y_all).backward()
        optimizer.step()
    *noisy, smooth = rows(m, "0 -> 2")
    for row in noisy:
        assert abs(row["noise"]) > 1e-2 * row["change"]
        assert row["noise"] + row["step_size"] == pytest.approx(row["change"], rel=1e-7)
        assert row["passes"] == 1
    assert abs(smooth["noise"]) < 1e-9 * smooth["change"]


def test_values_in_between_cost_no_accuracy(mlp, train, conserved, rows):
    model = mlp(nn.ReLU)
    optimizer = SGD(model.parameters(), lr=0.05)
    with tw.monitor.watch(model, optimizer, every=50, values_every=1) as m:
        train(model, optimizer, 70)
    found = rows(m, "0 -> 2")
    assert [row["step"] for row in found] == list(range(1, 71))
    assert [row["step"] for row in found if "change" in row] == [1, 50]
    value = float((conserved(model[0], model[2], diagonal=True) ** 2).sum() ** 0.5)
    assert found[-1]["value"] == pytest.approx(value, rel=1e-12)
    assert all(a["drift"] <= 2.0 * b["drift"] for a, b in itertools.pairwise(found))


def test_memory_is_bounded(mlp, train):
    model = mlp(nn.ReLU)
    optimizer = SGD(model.parameters(), lr=0.05)
    with tw.monitor.watch(model, optimizer, every=1, values_every=1, max_records=8) as m:
        train(model, optimizer, 100)
    steps = m.table.column("step").to_pylist()
    assert len(set(steps)) <= 20
    assert max(steps) > 90
    assert m.record.steps == 100


def test_drift_of_full_batches_is_of_first_order_in_the_step(mlp, batches, rows):
    """Spec 8.1 over a fixed time: halving the step halves the drift."""
    (data,) = batches(1)
    drifts = []
    for steps in (200, 400, 800):
        model = mlp(nn.ReLU)
        optimizer = SGD(model.parameters(), lr=2.0 / steps)
        with tw.monitor.watch(model, optimizer, every=steps) as m:
            for _ in range(steps):
                optimizer.zero_grad()
                mse(model, *data).backward()
                optimizer.step()
        drifts.append(rows(m, "0 -> 2")[-1]["drift"])
    assert drifts[0] / drifts[1] == pytest.approx(2.0, abs=0.1)
    assert drifts[1] / drifts[2] == pytest.approx(2.0, abs=0.1)


def test_small_steps_converge_to_the_flow_with_order_one(mlp, batches):
    """Full batches on raw data, against `tw.flow` from the same start."""
    ((x, y),) = batches(1)
    model = mlp(bias=False)
    start = [p.detach().numpy().copy() for p in model.parameters()]
    layers = [layer for layer in model if isinstance(layer, nn.Linear)]
    problem = tw.Problem.from_torch(layers, x.numpy(), y.numpy())
    end = tw.flow(problem, start, t_end=0.05, rtol=1e-11).weights_at(0.05)
    errors = []
    for steps in (200, 400, 800):
        model = mlp(bias=False)
        optimizer = SGD(model.parameters(), lr=0.05 / steps)
        with tw.monitor.watch(model, optimizer, every=steps):
            for _ in range(steps):
                optimizer.zero_grad()
                (0.5 * ((model(x) - y) ** 2).sum()).backward()
                optimizer.step()
        pairs = zip(model.parameters(), end, strict=True)
        errors.append(max(float(abs(p.detach().numpy() - w).max()) for p, w in pairs))
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.1)
    assert errors[1] / errors[2] == pytest.approx(2.0, abs=0.1)
