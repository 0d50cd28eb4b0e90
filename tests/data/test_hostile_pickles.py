"""Files of PyTorch that are not what they claim: code, bombs, lies about sizes."""

import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from hostile import read_or_refuse, refuse, refused_in_little_memory
from hypothesis import HealthCheck, given, settings, strategies as st

from thalweg.data import read_weights


class Canary:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def with_pickle(path, content, **options):
    """Write an archive like that of torch.save around any pickle."""
    with zipfile.ZipFile(path, "w", **options) as file:
        file.writestr("w/data.pkl", content)
        file.writestr("w/byteorder", "little")
        file.writestr("w/data/0", bytes(72))
        file.writestr("w/version", "3\n")
    return path


@pytest.mark.torch
@pytest.mark.parametrize("nested", [False, True])
def test_pickles_with_code_are_not_run(tmp_path, nested):
    torch = pytest.importorskip("torch")
    gadget = Canary(tmp_path / "canary")
    content = {"0.weight": torch.eye(2), "1.weight": gadget} if nested else gadget
    torch.save(content, tmp_path / "w.pt")
    refuse(tmp_path / "w.pt", "mkdir")
    assert not (tmp_path / "canary").exists()
    torch.load(tmp_path / "w.pt", weights_only=False)  # the canary works
    assert (tmp_path / "canary").exists()


def test_older_formats_of_pytorch_are_not_opened(tmp_path):
    canary = tmp_path / "canary"
    (tmp_path / "legacy.pt").write_bytes(pickle.dumps(Canary(canary)))
    refuse(tmp_path / "legacy.pt", "older formats are pickles, which may run code")
    with tarfile.open(tmp_path / "tar.pt", "w") as file:
        content = pickle.dumps(Canary(canary))
        member = tarfile.TarInfo("pickle")
        member.size = len(content)
        file.addfile(member, io.BytesIO(content))
    refuse(tmp_path / "tar.pt", "older formats")
    (tmp_path / "empty.pth").write_bytes(b"")
    refuse(tmp_path / "empty.pth", "no state dict")
    assert not canary.exists()


@pytest.mark.torch
def test_legacy_files_that_pytorch_writes(tmp_path):
    torch = pytest.importorskip("torch")
    state = {"0.weight": torch.eye(2)}
    torch.save(state, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    refuse(tmp_path / "w.pt", "older formats")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_that_torch_never_writes(tmp_path):
    bomb = bytes(10**8)
    packed = with_pickle(tmp_path / "bomb.pt", bomb, compression=zipfile.ZIP_DEFLATED)
    assert packed.stat().st_size < 10**6
    refuse(packed, "is compressed")
    refuse(with_pickle(tmp_path / "long.pt", bytes(2**24 + 1)), "one data.pkl of at most")
    twice = with_pickle(tmp_path / "twice.pt", b"")
    with zipfile.ZipFile(twice, "a") as file:
        file.writestr("w/data.pkl", b"")
    refuse(twice, "same name twice")
    script = with_pickle(tmp_path / "script.pt", b"")
    with zipfile.ZipFile(script, "a") as file:
        file.writestr("w/constants.pkl", b"")
    refuse(script, "TorchScript")
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as file:
        file.writestr("w/other", b"")
    refuse(tmp_path / "other.pt", "one data.pkl")
    whole = packed.read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    refuse(tmp_path / "cut.pt", "damaged archive")


@pytest.mark.torch
def test_bombs_take_no_memory(tmp_path):
    pytest.importorskip("torch")
    packed = with_pickle(tmp_path / "b.pt", bytes(10**8), compression=zipfile.ZIP_DEFLATED)
    refused_in_little_memory(packed, "is compressed")


def long(value):
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def forged_tensor(*, numbers=9, offset=0, shape=(3, 3), strides=(3, 1)):
    """Return a pickle of one tensor over data/0, which has 72 bytes."""
    return (
        b"\x80\x02}X\x08\x00\x00\x000.weightctorch._utils\n_rebuild_tensor_v2\n("
        b"(X\x07\x00\x00\x00storagectorch\nDoubleStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        + long(numbers)
        + b"tQ"
        + long(offset)
        + b"".join(long(item) for item in shape)
        + b"\x86"
        + b"".join(long(item) for item in strides)
        + b"\x86\x89ccollections\nOrderedDict\n)RtRs."
    )


@pytest.mark.torch
def test_tensors_that_claim_more_than_there_is(tmp_path):
    pytest.importorskip("torch")
    path = with_pickle(tmp_path / "w.pt", forged_tensor())
    np.testing.assert_array_equal(read_weights(path)[0], np.zeros((3, 3)))
    forged = {
        "resize": {"numbers": 2**40, "shape": (2**20, 2**20), "strides": (2**20, 1)},
        "storage": {"offset": -1},
        "resizable": {"offset": 10**6},
        "overflow": {"shape": (2**62, 2**62), "strides": (0, 0)},
        "damaged": {"shape": (-3, -3)},
    }
    for words, claims in forged.items():
        with_pickle(path, forged_tensor(**claims))
        refuse(path, words)
    with_pickle(path, forged_tensor(shape=(2**20, 2**20), strides=(0, 0)))
    refused_in_little_memory(path, "GiB as doubles")


@pytest.mark.torch
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 200), value=st.binary(min_size=1, max_size=3))
def test_mutations_of_a_state_dict_end_in_one_line(tmp_path, place, value):
    pytest.importorskip("torch")
    content = forged_tensor()
    start = place % len(content)
    path = with_pickle(tmp_path / "w.pt", content[:start] + value + content[start + len(value) :])
    read_or_refuse(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - place])
    read_or_refuse(path)
