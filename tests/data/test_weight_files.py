"""Weights come back from every format as they were written, in layer order."""

import itertools
import json
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import thalweg as tw
from thalweg import DataError, DimensionError
from thalweg._core import MissingExtraError, StoreError
from thalweg.data import open_weights, read_weights, write_weights

DIMS = (5, 4, 3, 2)


def chain(dims=DIMS, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(b, a)) for a, b in itertools.pairwise(dims)]


def same(found, wanted):
    assert len(found) == len(wanted)
    for one, two in zip(found, wanted, strict=True):
        assert one.dtype == np.float64
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".NPZ"])
def test_what_is_written_is_read(tmp_path, suffix):
    w = chain((3,) * 13)
    path = write_weights(tmp_path / "new" / f"w{suffix}", w)
    same(read_weights(path), w)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_the_safetensors_package_reads_what_is_written(tmp_path):
    w = chain()
    w[1] = np.asfortranarray(w[1])
    found = load_file(write_weights(tmp_path / "w.safetensors", w))
    assert list(found) == ["W1", "W2", "W3"]
    same(list(found.values()), w)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_files_of_the_safetensors_package(tmp_path, dtype):
    w = [item.astype(dtype) for item in chain((3,) * 13)]
    named = {f"layers.{j}.weight": item for j, item in enumerate(w)}
    save_file(named, tmp_path / "w.safetensors", metadata={"format": "pt"})
    with (tmp_path / "w.safetensors").open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    names = [name for name in header if name != "__metadata__"]
    assert names.index("layers.10.weight") < names.index("layers.2.weight")
    found = open_weights(tmp_path / "w.safetensors", (3,) * 13)
    same(found.weights, w)
    assert found.names[10] == "layers.10.weight"
    assert found.notes == ()
    assert found.to_dict()["layers"][0] == {"name": "layers.0.weight", "shape": [3, 3]}


def test_numbers_are_compared_as_numbers_however_long(tmp_path):
    w = chain((2,) * 4)
    names = ["a." + "9" * 5000, "a.1" + "0" * 5000, "a.0002"]
    save_file(dict(zip(names, w, strict=True)), tmp_path / "w.safetensors")
    same(read_weights(tmp_path / "w.safetensors"), [w[2], w[0], w[1]])


def test_names_without_numbers_take_the_only_order_that_chains(tmp_path):
    w = chain((5, 4, 2))
    save_file({"encoder.weight": w[0], "decoder.weight": w[1]}, tmp_path / "w.safetensors")
    found = open_weights(tmp_path / "w.safetensors", (5, 4, 2))
    same(found.weights, w)
    assert "encoder.weight, decoder.weight: the only one" in found.notes[0]
    assert "encoder.weight, 4 x 5" in repr(found)


def test_several_orders_are_not_guessed(tmp_path):
    w = chain((3, 3, 3, 3))
    named = {"a": w[0], "b": w[1], "c.0": w[2]}
    save_file(named, tmp_path / "w.safetensors")
    with pytest.raises(DataError, match="several orders are possible, name the weights W1"):
        read_weights(tmp_path / "w.safetensors")
    many = {f"{'x' * j}.weight": np.eye(2) for j in range(100)}
    save_file(many, tmp_path / "many.safetensors")
    with pytest.raises(DataError, match="several orders"):
        read_weights(tmp_path / "many.safetensors")


def test_names_tell_the_order_even_if_another_would_chain(tmp_path):
    # Stored as (inputs, outputs): the reverse order chains, but means another map.
    w = [item.T for item in chain((4, 3, 4))]
    save_file({"0.weight": w[0].copy(), "1.weight": w[1].copy()}, tmp_path / "w.safetensors")
    with pytest.raises(DimensionError, match="they fit transposed") as caught:
        open_weights(tmp_path / "w.safetensors", (4, 3, 4))
    assert "0.weight 4x3, 1.weight 3x4" in str(caught.value)


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ((5, 6, 2), "layers 5-6-2 are needed; set the hidden widths to 4,3"),
        ((5, 2), "set the hidden widths to 4,3"),
        ((7, 4, 3, 2), "use weights trained on these data"),
    ],
)
def test_weights_of_another_problem(tmp_path, dims, words):
    path = write_weights(tmp_path / "w.safetensors", chain())
    with pytest.raises(DimensionError, match=words):
        open_weights(path, dims)


def test_biases(tmp_path):
    w = chain((3, 3, 2))
    named = {"0.weight": w[0], "0.bias": np.zeros(3), "2.weight": w[1]}
    save_file(named, tmp_path / "w.safetensors")
    found = open_weights(tmp_path / "w.safetensors")
    same(found.weights, w)
    assert found.notes == ("dropped as zero: 0.bias",)
    for name, array in {"0.bias": np.full(3, 1e-9), "fc_bias": np.full(3, np.nan)}.items():
        save_file({**named, name: array}, tmp_path / "w.safetensors")
        with pytest.raises(DataError, match="the theory is for networks without biases"):
            read_weights(tmp_path / "w.safetensors")
    save_file({**named, "norm.weight": np.zeros(3)}, tmp_path / "w.safetensors")
    with pytest.raises(DimensionError, match=r"norm.weight .* has shape \(3,\)"):
        read_weights(tmp_path / "w.safetensors")
    np.savez(tmp_path / "w.npz", W1=w[0], b1=np.ones(3), W2=w[1])
    with pytest.raises(DataError, match=r"b1 in w.npz is a bias"):
        read_weights(tmp_path / "w.npz")


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({}, "holds no weights"),
        ({"W1": np.eye(2), "W3": np.eye(2)}, "without gaps"),
        ({"W1": np.eye(2), "V": np.eye(2)}, "nothing else"),
        ({"a.1": np.eye(2), "a.01": np.eye(2)}, "twice"),
        ({"W1": np.zeros((2, 2, 2))}, "(2, 2, 2)"),
        ({"W1": np.zeros((0, 2)), "W2": np.zeros((1, 0))}, "at least one row"),
        ({"W1": np.array([[0.0, np.nan]])}, "W1 in w.safetensors is nan at [0, 1]"),
        ({"W1": np.array([[-np.inf]])}, "W1 in w.safetensors is -inf at [0, 0]"),
        ({"W1": np.array([[1e200]])}, "1e+200"),
        ({"W1": np.eye(2, dtype=np.int64)}, "dtype I64; F64, F32, F16, BF16 are read"),
        ({"encoder": np.eye(2, 3), "decoder": np.eye(5, 7)}, "do not chain in any order"),
    ],
)
def test_files_without_the_weights_of_a_linear_network(tmp_path, named, words):
    save_file(named, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"w.safetensors") as caught:
        read_weights(tmp_path / "w.safetensors")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_archives_of_runs_hold_their_weights(tmp_path):
    p = tw.Problem.from_target([2.0, 1.0], dims=(3, 2, 2))
    run = tw.flow(p, tw.init.gaussian(p, scale=0.5), t_end=0.1)
    same(read_weights(run.save(tmp_path / "run.npz")), run.final)
    np.savez(tmp_path / "t.npz", X=np.eye(2))
    with pytest.raises(DataError, match=r"t.npz holds no W1; the keys W1, W2, ... are needed"):
        read_weights(tmp_path / "t.npz")


def test_paths_that_are_no_weights(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_weights(tmp_path / "none.npz")
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(DataError, match="no regular file"):
        read_weights(tmp_path / "folder.pt")
    with pytest.raises(DataError, match="no known format"):
        read_weights(tmp_path / "w.h5")
    with pytest.raises(DataError, match="cannot read"):
        read_weights(tmp_path / ("x" * 5000 + ".pt"))
    with pytest.raises(DataError, match=r"use .npz or .safetensors"):
        write_weights(tmp_path / "w.pt", chain())
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        write_weights(tmp_path / "taken" / "w.npz", chain())
    with pytest.raises(DimensionError):
        write_weights(tmp_path / "w.npz", [np.eye(2), np.eye(3)])


def linear_layers(torch, dims, **options):
    pairs = itertools.pairwise(dims)
    return torch.nn.Sequential(*[torch.nn.Linear(a, b, **options) for a, b in pairs])


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
def test_state_dicts_of_pytorch(tmp_path, dtype, suffix):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_tensors

    torch.manual_seed(0)
    model = linear_layers(torch, (3,) * 13, bias=False).to(getattr(torch, dtype))
    path = tmp_path / f"w{suffix}"
    save = save_tensors if suffix == ".safetensors" else torch.save
    save(model.state_dict(), path)
    wanted = [item.detach().double().numpy() for item in model.parameters()]
    found = open_weights(path, (3,) * 13)
    same(found.weights, wanted)
    assert found.names[10:] == ("10.weight", "11.weight")
    path.unlink()
    same(found.weights, wanted)


@pytest.mark.torch
def test_a_state_dict_is_listed_in_layer_order(tmp_path):
    torch = pytest.importorskip("torch")
    w = chain((3, 3, 3))
    tensors = {"encoder.weight": torch.tensor(w[0]), "decoder.weight": torch.tensor(w[1])}
    torch.save(tensors, tmp_path / "w.pt")
    found = open_weights(tmp_path / "w.pt")
    same(found.weights, w)
    assert "as they are listed" in found.notes[0]
    parameters = torch.nn.ParameterList([torch.tensor(item.T).T for item in w])
    torch.save(parameters.state_dict(), tmp_path / "w.pt")
    same(read_weights(tmp_path / "w.pt"), w)


@pytest.mark.torch
def test_state_dicts_that_are_no_linear_network(tmp_path):
    torch = pytest.importorskip("torch")
    eye = torch.eye(2)
    wrong = {
        "a state dict is needed": [eye],
        "is a dict": {"state_dict": {"0.weight": eye}, "epoch": 3},
        "is a int": {"0.weight": eye, "epoch": 3},
        "is no text": {0: eye},
        "torch.int64": {"0.weight": torch.ones(2, 2, dtype=torch.int64)},
        "torch.complex64": {"0.weight": torch.ones(2, 2, dtype=torch.complex64)},
        "layout torch.sparse_coo": {"0.weight": eye.to_sparse()},
        "is nan at [1, 0]": {"0.weight": torch.tensor([[0.0], [float("nan")]])},
        "(2, 2, 2)": {"0.weight": torch.ones(2, 2, 2)},
        "is a bias": {"0.weight": eye, "0.bias": torch.ones(2)},
        "holds no weights": {},
    }
    for words, content in wrong.items():
        torch.save(content, tmp_path / "w.pt")
        with pytest.raises(ValueError, match=r"w.pt") as caught:
            read_weights(tmp_path / "w.pt")
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


def archive_of_torch(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("w/data.pkl", b"\x80\x02}.")


@pytest.mark.parametrize("version", ["2.5.1", "1.13.0+cu117", "unknown", None])
def test_pytorch_that_is_missing_or_not_safe(tmp_path, monkeypatch, version):
    archive_of_torch(tmp_path / "w.pt")
    fake = None
    if version is not None:
        fake = type(sys)("torch")
        fake.__version__ = version
    monkeypatch.setitem(sys.modules, "torch", fake)
    words = "CVE-2025-32434" if version else "needs PyTorch, not found"
    with pytest.raises(MissingExtraError, match=words) as caught:
        read_weights(tmp_path / "w.pt")
    assert "pip install 'torch>=2.6', or save the weights as .safetensors" in str(caught.value)
