"""Damaged, forged and hostile files end in one line, execute nothing and take no memory."""

import io
import os
import pathlib
import pickle
import resource
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from thalweg import DataError, ThalwegError
from thalweg.data import read_table


class Canary:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


def member(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name + ".npy", content)
    return path


def refuse(path, words, **options):
    with pytest.raises(ThalwegError) as caught:
        read_table(path, **options)
    assert words in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)


def test_pickles_are_never_opened(tmp_path):
    canary = tmp_path / "canary"
    array = np.array([[Canary(str(canary))]], dtype=object)
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    np.save(tmp_path / "y.npy", np.ones((1, 1)))
    np.savez(tmp_path / "t.npz", X=array, Y=np.ones((1, 1)))
    (tmp_path / "p.npy").write_bytes(pickle.dumps(Canary(str(canary))))
    (tmp_path / "p.npz").write_bytes(pickle.dumps(Canary(str(canary))))
    refuse(tmp_path / "x.npy", "pickle", y=tmp_path / "y.npy")
    refuse(tmp_path / "t.npz", "pickle")
    refuse(tmp_path / "p.npy", "not a readable", y=tmp_path / "y.npy")
    refuse(tmp_path / "p.npz", "not a readable")
    assert not canary.exists()
    np.load(tmp_path / "x.npy", allow_pickle=True)  # the canary works
    assert canary.exists()


def test_headers_that_claim_more_than_there_is(tmp_path):
    header = member(np.zeros((1, 1)))
    forged = header.replace(b"(1, 1), }" + b" " * 16, b"(1, 1099511627776), }    ")
    assert forged != header
    np.save(tmp_path / "y.npy", np.ones((1, 1)))
    (tmp_path / "x.npy").write_bytes(forged)
    refuse(tmp_path / "x.npy", "claims shape", y=tmp_path / "y.npy")
    refuse(archive(tmp_path / "t.npz", X=forged, Y=member(np.ones((1, 1)))), "claims shape")


def test_zip_bombs_are_refused_before_they_expand(tmp_path):
    bomb = member(np.zeros((16_000, 1000)))
    path = archive(tmp_path / "bomb.npz", X=bomb, Y=member(np.ones((16_000, 1))))
    assert pathlib.Path(path).stat().st_size < 2**20
    code = (
        "import resource, sys\n"
        "from thalweg.data import read_table\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_table(sys.argv[1])\n"
        "except ValueError as error:\n    assert 'expands' in str(error), error\n"
        "else:\n    raise SystemExit('accepted')\n"
        "grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before\n"
        "assert grown < 30_000, grown\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_odd_archives(tmp_path):
    good = member(np.ones((2, 2)))
    with zipfile.ZipFile(tmp_path / "twice.npz", "w") as file:
        for _ in range(2):
            file.writestr("X.npy", good)
    refuse(tmp_path / "twice.npz", "same name twice")
    with zipfile.ZipFile(tmp_path / "script.npz", "w") as file:
        file.writestr("../../evil.sh", "rm")
    refuse(tmp_path / "script.npz", "not an array")
    refuse(archive(tmp_path / "other.npz", A=good), "the keys X and Y are needed")
    whole = archive(tmp_path / "whole.npz", X=good, Y=good).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    refuse(tmp_path / "cut.npz", "not a readable")
    with zipfile.ZipFile(tmp_path / "lzma.npz", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("X.npy", good)
    refuse(tmp_path / "lzma.npz", "NumPy never uses")
    with zipfile.ZipFile(tmp_path / "name.npz", "w") as file:
        file.writestr("\u00e9.npy", good)
    broken = (tmp_path / "name.npz").read_bytes().replace("\u00e9".encode(), b"\xff\xff")
    (tmp_path / "name.npz").write_bytes(broken)
    refuse(tmp_path / "name.npz", "not a readable")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones((2, 2), dtype=complex), "complex"),
        (np.array([["a", "b"]]), "type <U1"),
        (np.zeros((2, 2), dtype="datetime64[s]"), "dates"),
        (np.ones((2, 2, 2)), "(2, 2, 2)"),
        (np.ones((3, 2)), "3 rows"),
        (np.full((2, 2), np.nan), "nan"),
        (np.empty((0, 2)), "empty"),
        (np.ones((2, 2)) * 1e200, "1e+200"),
    ],
)
def test_arrays_that_are_no_table(tmp_path, array, words):
    np.savez(tmp_path / "t.npz", X=array, Y=np.ones((2, 1)))
    refuse(tmp_path / "t.npz", words)


def test_options_and_names_that_are_none(tmp_path):
    from thalweg.datasets import load_data

    np.savez(tmp_path / "t.npz", X=np.ones((2, 2)), Y=np.ones((2, 1)))
    refuse(tmp_path / "t.npz", "onehot", onehot="yes")
    with pytest.raises(DataError, match="a name or a path is needed"):
        load_data(None)
    refuse(tmp_path / ("x" * 5000 + ".csv"), "cannot read", target=["k"])
    header = member(np.zeros((1, 1))).replace(b"(1, 1)", b"(True,1)", 1)
    refuse(archive(tmp_path / "s.npz", X=header, Y=member(np.ones((1, 1)))), "readable")


def test_long_tables_are_reduced_instead_of_kept(tmp_path, monkeypatch):
    import pyarrow as pa
    from pyarrow import feather

    columns = {name: np.zeros(300_000) + i for i, name in enumerate("abk")}
    feather.write_feather(
        pa.table(columns), tmp_path / "z.feather", compression="zstd", chunksize=300_000
    )
    assert (tmp_path / "z.feather").stat().st_size < 100_000
    monkeypatch.setattr("thalweg.data._read.IN_MEMORY", 2**20)
    found = read_table(tmp_path / "z.feather", target="k")
    assert found.n_samples == 300_000
    assert len(found.X) <= 4
    (tmp_path / "z.csv").write_text("a,b,k\n" + "0,1,2\n" * 100_000)
    found = read_table(tmp_path / "z.csv", target="k")
    assert found.n_samples == 100_000
    assert len(found.X) <= 4


def test_paths_that_lead_nowhere(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    refuse(tmp_path / "folder.csv", "is a directory", target=["k"])
    refuse(tmp_path / "none.npz", "does not exist")
    refuse(tmp_path / "t.xlsx", "no known format")
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    refuse(tmp_path / "x.npy", "--y")


@pytest.mark.parametrize("kind", ["npz", "npy", "csv", "parquet", "arrow", "feather"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(min_size=1, max_size=300), cut=st.integers(0, 200))
def test_random_and_truncated_bytes_end_in_one_line(tmp_path, kind, content, cut):
    path = tmp_path / f"r.{kind}"
    magic = {
        "npz": b"PK\x03\x04",
        "npy": b"\x93NUMPY\x01\x00",
        "parquet": b"PAR1",
        "arrow": b"ARROW1\x00\x00",
        "feather": b"ARROW1\x00\x00",
        "csv": b"a,k\n1,2\n",
    }[kind]
    path.write_bytes((magic if cut % 2 else b"") + content[: len(content) - cut // 4] + b"\n")
    np.save(tmp_path / "y.npy", np.ones((1, 1)))
    extra = {"y": tmp_path / "y.npy"} if kind == "npy" else {}
    if kind not in {"npz", "npy"}:
        extra = {"target": ["k"]}
    message = ""
    try:
        read_table(path, **extra)
    except DataError as error:
        message = str(error)
    assert "\n" not in message
