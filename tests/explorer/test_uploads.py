"""Files from visitors: read like any other table, refused by name where they are not one."""

import importlib
import io
import json
import pickle
import zipfile

import numpy as np
import pytest

pytest.importorskip("starlette")

from thalweg._core import DataError
from thalweg.explorer._uploads import Uploads
from thalweg.explorer.tasks import _breadth, _flow, _inputs as inputs, _table


class Bait:
    """Leaves a trace if it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def archive(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return out.getvalue()


def array(value):
    out = io.BytesIO()
    np.save(out, value, allow_pickle=False)
    return out.getvalue()


def claim(shape):
    """Return an ``.npy`` member whose header claims more than it holds."""
    text = str({"descr": "<f8", "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + b"\0" * 64


def follow(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    _flow.run({"source": {"path": str(path), "name": name}}, lambda *_, **__: None)


def test_pickles_are_never_opened(tmp_path):
    trace = tmp_path / "trace"
    bait = pickle.dumps(Bait(trace))
    out = io.BytesIO()
    np.lib.format.write_array(out, np.array([Bait(trace)], dtype=object), allow_pickle=True)
    for content in (archive(X=out.getvalue(), Y=array(np.ones((2, 1)))), archive(X=bait, Y=bait)):
        with pytest.raises(DataError):
            follow(tmp_path, "a.npz", content)
    assert not trace.exists()


@pytest.mark.parametrize("shape", [(2**40,), (2**20, 2**20), (-1,)])
def test_claims_beyond_the_content_are_refused(tmp_path, shape):
    with pytest.raises(DataError):
        follow(tmp_path, "a.npz", archive(X=claim(shape), Y=claim(shape)))


def test_zip_bombs_are_refused(tmp_path):
    bomb = archive(X=array(np.zeros((4_000_000, 10))), Y=array(np.zeros((4_000_000, 1))))
    assert len(bomb) < 2_000_000
    with pytest.raises(DataError):
        follow(tmp_path, "a.npz", bomb)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.arrow", "a.npz"])
def test_noise_is_named_in_one_line(tmp_path, name):
    noise = np.random.default_rng(0).bytes(3000)
    path = tmp_path / name
    path.write_bytes(noise)
    for task in (_table, _flow):
        if task is _table and name.endswith(".npz"):
            continue
        with pytest.raises(DataError) as caught:
            task.run({"source": {"path": str(path), "target": ["y"]}}, lambda *_, **__: None)
        assert "\n" not in str(caught.value)
        assert str(caught.value).isprintable()


def test_only_so_many_are_kept_and_all_go_with_the_server():
    kept = Uploads(2)
    numbers = [kept.keep(f"t{k}.csv", b"a,b\n1,2\n") for k in range(3)]
    with pytest.raises(DataError, match="no longer here"):
        kept.path(numbers[0])
    path = kept.path(numbers[2])
    assert path.exists()
    kept.close()
    assert not path.exists()


def test_names_of_visitors_are_not_names_of_files():
    kept = Uploads(2)
    number = kept.keep("../../etc/<img>.csv", b"a,b\n1,2\n")
    assert json.dumps(number).strip('"') == kept.path(number).stem
    kept.close()


def wide(tmp_path, kind, count):
    """Write a table of four rows with so many columns, one of them the target."""
    rows = np.random.default_rng(0).standard_normal((4, count))
    path = tmp_path / f"wide.{kind}"
    names = [f"c{i}" for i in range(count)]
    if kind == "csv":
        np.savetxt(path, rows, delimiter=";", header=";".join(names), comments="")
    elif kind == "npz":
        np.savez(path, X=rows[:, :-1], Y=rows[:, -1:])
    else:
        pyarrow = pytest.importorskip("pyarrow")
        table = pyarrow.table(dict(zip(names, rows.T, strict=True)))
        if kind == "parquet":
            importlib.import_module("pyarrow.parquet").write_table(table, path)
        else:
            with pyarrow.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table)
    return {"path": str(path), "name": path.name, "widths": [1]} | (
        {} if kind == "npz" else {"target": ["c0"]}
    )


@pytest.mark.parametrize("kind", ["csv", "npz", "parquet", "arrow"])
def test_tables_that_are_too_wide_are_refused(tmp_path, kind, monkeypatch):
    limits = {"columns": 40}
    _flow.run({"source": wide(tmp_path, kind, 40), "limits": limits}, lambda *_, **__: None)
    source = wide(tmp_path, kind, 41)
    monkeypatch.setattr(inputs.Problem, "from_data", None)  # nothing may be built from it
    for task in (_table, _flow):
        if task is _table and kind == "npz":
            continue
        with pytest.raises(DataError, match="41 columns; at most 40") as caught:
            task.run({"source": source, "limits": limits}, lambda *_, **__: None)
        assert "\n" not in str(caught.value)


def test_a_first_line_that_is_too_long_is_not_parsed(tmp_path, monkeypatch):
    path = tmp_path / "wide.csv"
    path.write_bytes(b"a," * 1_000_000 + b"a\n")
    monkeypatch.setattr(_breadth, "column_names", None)
    with pytest.raises(DataError, match="1000001 columns; at most 2000"):
        _table.run({"source": {"path": str(path)}}, lambda *_, **__: None)


def test_marks_inside_quotes_separate_no_columns(tmp_path):
    path = tmp_path / "quoted.csv"
    path.write_text('"a,b,c,d",e\n1,2\n3,4\n')
    found = []
    arguments = {"source": {"path": str(path)}, "limits": {"columns": 2}}
    _table.run(arguments, lambda _, columns: found.append(columns))
    assert found == [["a,b,c,d", "e"]]


def test_many_labels_are_columns_as_well(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("a,k\n" + "".join(f"{i}.5,name{i % 50}\n" for i in range(150)))
    source = {"path": str(path), "target": ["k"], "widths": [1]}
    with pytest.raises(DataError, match="51 columns; at most 40"):
        _flow.run({"source": source, "limits": {"columns": 40}}, lambda *_, **__: None)


def test_the_usual_hidden_layer_counts_as_weights(tmp_path):
    """Without widths the hidden layer is one of 32, not none."""
    source = wide(tmp_path, "npz", 101) | {"widths": []}
    with pytest.raises(DataError, match="3232 weights are too many"):
        _flow.run({"source": source, "limits": {"parameters": 3000}}, lambda *_, **__: None)
