"""What a record gives back: table, file, page, pictures, scalars, callbacks."""

import sys
import types

import pytest

import thalweg as tw
from thalweg.monitor import PARTS, read

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.fixture
def watched(mlp, train):
    model = mlp(nn.ReLU)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01)
    with tw.monitor.watch(model, optimizer, every=3, values_every=2) as m:
        train(model, optimizer, 20)
    return m


def test_parquet_gives_everything_back(watched, tmp_path):
    again = read(watched.save(tmp_path / "run.parquet"))
    assert again.table.equals(watched.table)
    assert again.to_dict() == watched.record.to_dict()
    assert repr(again) == repr(watched)
    (tmp_path / "other.parquet").write_bytes(b"no parquet")
    with pytest.raises(tw.DataError, match="no record of a monitor"):
        read(tmp_path / "other.parquet")


def test_the_summary_fits_on_a_screen(watched):
    text = repr(watched)
    assert len(text.splitlines()) <= 15
    assert "momentum" in text
    assert "no law: 4" in text
    assert "0 -&gt; 2" in watched._repr_html_()
    for law in watched.record.laws:
        assert sum(law.shares.values()) == pytest.approx(1.0, abs=1e-9)


def test_summed_changes_are_the_drift_where_every_step_is_taken_apart(mlp, train):
    model = mlp(nn.ReLU)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    with tw.monitor.watch(model, optimizer, every=1) as m:
        train(model, optimizer, 15)
    for law in m.record.laws:
        assert law.observed_change == pytest.approx(law.drift, rel=1e-9)


def test_page_is_one_file_without_addresses(watched, tmp_path):
    page = watched.report(tmp_path / "run.html").read_text("utf-8")
    assert page.count("<svg") == 3
    assert "://" not in page
    assert "<script" not in page
    assert "momentum" in page
    assert "4 is an output of the model" in page


def test_page_of_a_model_without_laws(mlp, train, tmp_path):
    model = mlp(nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with tw.monitor.watch(model, optimizer) as m:
        train(model, optimizer, 2)
    page = m.report(tmp_path / "none.html").read_text("utf-8")
    assert "No pair of layers" in page
    with pytest.raises(tw.DataError, match="nothing to draw"):
        m.plot()


def test_pictures(watched):
    figure = watched.plot()
    assert [ax.get_label() for ax in figure.axes] == ["drift", "causes", "steps"]
    bars = figure.axes[1].patches
    assert sum(bar.get_width() for bar in bars) == pytest.approx(2.0, abs=0.05)
    assert len(watched.plot(panel="causes").axes) == 1
    with pytest.raises(tw.DataError, match="panel"):
        watched.plot(panel="none")


class Writer:
    def __init__(self):
        self.seen = []

    def add_scalar(self, tag, value, step):
        self.seen.append((tag, value, step))


def test_scalars_for_tensorboard_and_sinks(mlp, train):
    model = mlp(nn.ReLU)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    live, writer = [], Writer()
    sink = lambda step, values: live.append((step, values))  # noqa: E731
    with tw.monitor.watch(model, optimizer, every=2, sink=sink) as m:
        train(model, optimizer, 6)
    m.to_tensorboard(writer, prefix="laws")
    tags = {tag for tag, _, _ in writer.seen}
    assert "laws/0 -> 2/drift" in tags
    assert "laws/2 -> 4/step_size" in tags
    assert all(isinstance(value, float) for _, value, _ in writer.seen)
    assert [step for step, _ in live] == [1, 2, 4, 6]
    late = {(tag.removeprefix("laws/"), step): value for tag, value, step in writer.seen}
    assert late["0 -> 2/change", 6] == live[-1][1]["0 -> 2/change"]


def test_all_parts_are_columns():
    from thalweg.monitor._rows import SCHEMA

    assert set(PARTS) <= set(SCHEMA.names)


# --- trainers ---------------------------------------------------------------------------------
class Callback:
    """What both trainers ask of a base class: nothing."""


def test_lightning_adapter_with_its_documented_hooks(mlp, train, monkeypatch):
    fake = types.ModuleType("lightning.pytorch")
    fake.Callback = Callback
    monkeypatch.setitem(sys.modules, "lightning", types.ModuleType("lightning"))
    monkeypatch.setitem(sys.modules, "lightning.pytorch", fake)
    model = mlp(nn.ReLU)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    callback = tw.monitor.lightning_callback(every=2)
    assert isinstance(callback, Callback)
    trainer = types.SimpleNamespace(optimizers=[optimizer])
    callback.on_train_start(trainer, model)
    train(model, optimizer, 4)
    callback.on_exception(trainer, model, KeyboardInterrupt())
    callback.on_train_end(trainer, model)
    assert not optimizer._optimizer_step_pre_hooks
    assert callback.monitor.record.steps == 4


def test_hugging_face_adapter_with_its_documented_hooks(mlp, train, monkeypatch):
    fake = types.ModuleType("transformers")
    fake.TrainerCallback = Callback
    monkeypatch.setitem(sys.modules, "transformers", fake)
    model = mlp(nn.ReLU)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)

    class Accelerated(torch.optim.Optimizer):
        """Accelerate wraps the optimizer in one of its own."""

        def __init__(self):
            self.optimizer = optimizer

    callback = tw.monitor.hugging_face_callback(every=2)
    callback.on_train_begin(None, None, None, model=model, optimizer=Accelerated())
    train(model, optimizer, 4)
    callback.on_train_end(None, None, None, model=model)
    assert not optimizer._optimizer_step_pre_hooks
    assert callback.monitor.record.steps == 4


def test_missing_trainers_are_named(monkeypatch):
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(tw.MissingExtraError, match="pip install lightning"):
        tw.monitor.lightning_callback()
    with pytest.raises(tw.MissingExtraError, match="pip install transformers"):
        tw.monitor.hugging_face_callback()


@pytest.mark.filterwarnings("ignore")
def test_with_lightning_itself(tmp_path):
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 3))

        def training_step(self, batch, _index):
            x, y = batch
            return ((self.net(x) - y) ** 2).mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.05)

    data = torch.utils.data.TensorDataset(torch.randn(64, 6), torch.randn(64, 3))
    callback = tw.monitor.lightning_callback(every=2)
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(Module(), torch.utils.data.DataLoader(data, batch_size=8))
    record = callback.monitor.record
    assert record.steps == 16
    assert [law.main_cause for law in record.laws] == ["step_size"]
