"""What one step changes, to the last digits, against matrices computed by NumPy."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.monitor import PARTS

torch = pytest.importorskip("torch")
nn = torch.nn

SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
OPTIMIZERS = {
    "sgd": (SGD, {"lr": 0.05}),
    "maximize": (SGD, {"lr": 0.001, "maximize": True, "weight_decay": 0.1}),
    "decay": (SGD, {"lr": 0.05, "weight_decay": 0.1}),
    "momentum": (SGD, {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    "nesterov": (SGD, {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "foreach": (SGD, {"lr": 0.02, "momentum": 0.9, "foreach": True}),
    "fused": (SGD, {"lr": 0.02, "momentum": 0.9, "fused": True}),
    "adam": (ADAM, {"lr": 0.01, "weight_decay": 0.1}),
    "amsgrad": (ADAM, {"lr": 0.01, "amsgrad": True, "maximize": True}),
    "adamw": (ADAMW, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw fused": (ADAMW, {"lr": 0.01, "weight_decay": 0.1, "fused": True}),
    "adamw tensor": (ADAMW, {"lr": torch.tensor(0.01, dtype=torch.float64), "foreach": False}),
}


@pytest.mark.parametrize("activation", [nn.Identity, nn.ReLU, nn.LeakyReLU])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_gradient_step_changes_the_law_by_its_square(mlp, batches, conserved, activation, decay):
    """Spec 8.1, 8.2: ``C <- (1 - lr decay)^2 C + lr^2 (G2^T G2 - G1 G1^T - g1 g1^T)``."""
    model = mlp(activation)
    optimizer = SGD(model.parameters(), lr=0.05, weight_decay=decay)
    diagonal = activation is not nn.Identity
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for x, y in batches(5):
            before = conserved(model[0], model[2], diagonal=diagonal)
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
            g1, b1, g2 = (p.grad.numpy() for p in (model[0].weight, model[0].bias, model[2].weight))
            square = 0.05**2 * (g2.T @ g2 - g1 @ g1.T - np.outer(b1, b1))
            square = np.diag(square) if diagonal else square
            after = conserved(model[0], model[2], diagonal=diagonal)
            size = np.linalg.norm(model[0].weight.detach().numpy()) ** 2
            predicted = (1.0 - 0.05 * decay) ** 2 * before + square
            assert np.abs(after - predicted).max() <= 1e-14 * size
            row = [r for r in m.table.to_pylist() if r["law"] == "0 -> 2"][-1]
            change = after - before
            assert abs(row["change"] - np.linalg.norm(change)) <= 1e-14 * size
            assert abs(row["value"] - np.linalg.norm(after)) <= 1e-14 * size
            along = float((square * change).sum() / np.linalg.norm(change))
            if decay == 0.0:
                assert row["step_size"] == pytest.approx(along, rel=1e-9, abs=1e-14 * size)
                assert row["step_size"] == pytest.approx(row["change"], rel=1e-8)


def test_momentum_breaks_the_step_identity(mlp, train, conserved):
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(model, optimizer, 4)
    before = conserved(model[0], model[2])
    train(model, optimizer, 1)
    g1, b1, g2 = (p.grad.numpy() for p in (model[0].weight, model[0].bias, model[2].weight))
    square = 0.05**2 * (g2.T @ g2 - g1 @ g1.T - np.outer(b1, b1))
    assert np.abs(conserved(model[0], model[2]) - before - square).max() > 1e-4


@pytest.mark.parametrize("activation", [nn.Identity, nn.ReLU])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parts_add_up_to_the_measured_change(  # noqa: PLR0917
    mlp, batches, conserved, rows, name, activation
):
    model = mlp(activation)
    make, options = OPTIMIZERS[name]
    optimizer = make(model.parameters(), **options)
    diagonal = activation is not nn.Identity
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for x, y in batches(8):
            before = conserved(model[0], model[2], diagonal=diagonal)
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
            measured = np.linalg.norm(conserved(model[0], model[2], diagonal=diagonal) - before)
            row = rows(m, "0 -> 2")[-1]
            told = sum(
                row.get(part, 0.0) for part in PARTS if part not in {"rounding", "optimizer"}
            )
            assert "optimizer" not in row
            assert abs(told - measured) < 1e-6 * measured


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "adamw fused"])
def test_in_float32_parts_add_up_to_a_hundredth(mlp, train, rows, name):
    model = mlp(nn.ReLU, dtype=torch.float32)
    make, options = OPTIMIZERS[name]
    with tw.monitor.watch(model, make(model.parameters(), **options), every=1) as m:
        train(model, m._optimizers[0], 20, dtype=torch.float32)
    assert len(m.record.laws) == 2
    for row in rows(m):
        assert "optimizer" not in row
        assert abs(row["rounding"]) < 1e-2 * row["change"]


def test_an_update_that_is_not_the_formula_is_not_explained(mlp, batches, rows):
    """Negative control: someone moves the weights inside the step."""
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.05)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        m.stop()
        optimizer.register_step_post_hook(lambda *_: model[0].weight.data.mul_(1.0 + 1e-6))
        m.start()
        for x, y in batches(2):
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
    assert all("optimizer" in row for row in rows(m, "0 -> 2"))
    assert all("rounding" in row for row in rows(m, "2 -> 4"))


def test_unknown_optimizers_are_measured_only(mlp, train, rows):
    model = mlp()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        train(model, optimizer, 3)
    assert all(row["optimizer"] == pytest.approx(row["change"]) for row in rows(m))


def test_a_closure_with_several_evaluations_is_measured_only(mlp, batches, rows):
    model = mlp()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
    ((x, y),) = batches(1)

    def closure():
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        return loss

    with tw.monitor.watch(model, optimizer, every=1) as m:
        for _ in range(3):
            optimizer.step(closure)
    assert all(row["optimizer"] == pytest.approx(row["change"]) for row in rows(m))


def test_a_closure_of_a_known_optimizer_is_attributed(mlp, batches, rows):
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.1)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for x, y in batches(3):

            def closure(x=x, y=y):
                optimizer.zero_grad()
                loss = ((model(x) - y) ** 2).mean()
                loss.backward()
                return loss

            optimizer.step(closure)
    assert all(row["step_size"] == pytest.approx(row["change"], rel=1e-8) for row in rows(m))


def test_learning_rates_that_differ_are_a_cause_of_their_own(mlp, train, rows):
    model = mlp()
    groups = [{"params": model[0].parameters(), "lr": 0.01}, {"params": model[2:].parameters()}]
    optimizer = SGD(groups, lr=0.1)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        train(model, optimizer, 5)
    for row in rows(m, "0 -> 2"):
        assert row["learning_rates"] > 0.5 * row["change"]
        assert abs(row["rounding"]) < 1e-6 * row["change"]
    assert all("learning_rates" not in row for row in rows(m, "2 -> 4"))


def test_schedulers_are_followed(mlp, batches, rows):
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for x, y in batches(4):
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()
            scheduler.step()
    assert [row["lr"] for row in rows(m, "0 -> 2")] == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    assert all(row["step_size"] == pytest.approx(row["change"], rel=1e-7) for row in rows(m))


def test_adaptivity_is_what_differs_from_a_common_step(mlp, batches, rows):
    """With huge eps Adam's scaling is the same for all coordinates: nothing is adaptive."""
    for eps, adaptive in ((1e6, False), (1e-8, True)):
        model = mlp()
        optimizer = ADAM(model.parameters(), lr=0.05 * max(1.0, eps), betas=(0.0, 0.999), eps=eps)
        with tw.monitor.watch(model, optimizer, every=1) as m:
            for x, y in batches(3):
                optimizer.zero_grad()
                ((model(x) - y) ** 2).mean().backward()
                optimizer.step()
        row = rows(m, "0 -> 2")[-1]
        assert (abs(row["adaptivity"]) > 1e-2 * row["change"]) is adaptive


@pytest.mark.parametrize("make", [torch.optim.Adam, torch.optim.AdamW])
def test_the_first_step_of_adam_remembers_nothing(make):
    """Corrected for its bias the first moment is the gradient, so momentum has no part."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.ReLU(), torch.nn.Linear(7, 3))
    model = model.double()
    optimizer = make(model.parameters(), lr=1e-2, weight_decay=0.0)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 5, dtype=torch.float64)).square().mean().backward()
            optimizer.step()
    first, *later = m.table.to_pylist()
    assert abs(first["momentum"]) < 1e-12 * first["change"]
    assert abs(first["adaptivity"]) > 0.1 * first["change"]
    assert all(abs(row["momentum"]) > 1e-6 * row["change"] for row in later)
