"""The same numbers come back from every format."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from thalweg import DataError
from thalweg.data import read_arrays, read_table


def save(kind, tmp_path, X, Y):
    columns = {f"x{i}": X[:, i] for i in range(X.shape[1])}
    columns |= {f"y{i}": Y[:, i] for i in range(Y.shape[1])}
    path = tmp_path / f"t.{kind}"
    table = pa.table(columns)
    if kind == "parquet":
        parquet.write_table(table, path)
    elif kind == "feather":
        feather.write_feather(table, path)
    elif kind == "arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
    else:
        lines = [",".join(columns)]
        lines += [",".join(map(repr, map(float, row))) for row in np.column_stack([X, Y])]
        path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow", "feather"])
def test_tables_with_named_columns(kind, tmp_path, table):
    X, Y = table
    found = read_table(save(kind, tmp_path, X, Y), target=["y1", "y0"])
    assert np.array_equal(found.X, X)
    assert np.array_equal(found.Y, Y[:, ::-1])
    assert found.feature_names == ("x0", "x1", "x2", "x3")
    assert found.target_names == ("y1", "y0")
    assert found.n_samples == 40


def test_npz_and_pairs_of_npy(tmp_path, table):
    X, Y = table
    np.savez_compressed(tmp_path / "t.npz", X=X, Y=Y[:, 0])
    found = read_table(tmp_path / "t.npz")
    assert np.array_equal(found.X, X)
    assert np.array_equal(found.Y, Y[:, :1])
    np.save(tmp_path / "x.npy", np.asfortranarray(X))
    np.save(tmp_path / "y.npy", Y.astype(np.float32))
    found = read_table(tmp_path / "x.npy", y=tmp_path / "y.npy")
    assert np.array_equal(found.X, X)
    assert np.array_equal(found.Y, Y.astype(np.float32))
    assert any("float32" in note for note in found.notes)


def test_text_targets_become_one_hot_and_say_so(csv):
    found = read_table(csv("a,b,kind\n1,2,cat\n3,4,dog\n5,6,cat\n0,1,dog\n"), target=["kind"])
    assert found.Y.tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]
    assert found.target_names == ("cat", "dog")
    assert "one-hot" in found.notes[0]


def test_whole_numbers_become_one_hot_only_when_asked(csv):
    path = csv("a,k\n1,0\n2,2\n3,0\n4,2\n")
    assert read_table(path, target=["k"]).Y.tolist() == [[0], [2], [0], [2]]
    found = read_table(path, target=["k"], onehot="auto")
    assert found.Y.tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]
    fractions = read_table(csv("a,k\n1,0.5\n2,2\n"), target=["k"], onehot="auto")
    assert fractions.Y.tolist() == [[0.5], [2]]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfa,k\n1,2\n3,4\n",
        "a;k\n1;2\n3;4\n",
        "a\tk\n1\t2\n3\t4\n",
        "a;k\n1,0;2,0\n3,0;4,0\n",
        "a,k\r\n1,2\r\n3,4\r\n",
        '"a","k"\n1,2\n3,4\n',
    ],
)
def test_dialects_of_csv(csv, text):
    found = read_table(csv(text), target=["k"])
    assert found.X.tolist() == [[1], [3]]
    assert found.Y.tolist() == [[2], [4]]
    assert found.feature_names == ("a",)


def test_whole_numbers_may_go_on_with_fractions(csv):
    rows = "".join(f"{i},1\n" for i in range(400_000))
    found = read_table(csv("a,k\n" + rows + "0.25,1\n"), target=["k"])
    assert found.X[-1, 0] == 0.25
    assert len(found.X) == 400_001


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,k\n1,x,2\n2,y,3\n", "column 'b' is text"),
        ("a,k\n1,2\n,3\n", "column 'a' has a missing value in data row 2"),
        ("a,a,k\n1,2,3\n", "two columns named 'a'"),
        ("a,k\n1,2,3\n", "cannot read"),
        ("a,k\n", "no rows"),
        ("", "is empty"),
        ("a,k\n1,2\n", "no column"),
        ("a,k\n2020-01-01,2\n2020-01-02,3\n", "date"),
        ("a,k\n9007199254740993,1\n1,2\n", "beyond 2**53"),
        ("a,k\n1,x\n2,\n3,x\n4,y\n", "missing value in data row 2"),
        ("a,b,k\n1,7,2\n2,8x,3\n", "for example '8x'"),
        (b"\x00\x01\x02", "not a text file"),
        ("k\n1\n", "at least one feature"),
        ("a,k\nnan,2\n1,2\n", "missing value in data row 1"),
        ("a,k\n1e300,2\n1,2\n", "1e+300"),
    ],
)
def test_tables_that_cannot_be_used(csv, text, words):
    target = ["missing"] if words == "no column" else ["k"]
    with pytest.raises(DataError) as caught:
        read_table(csv(text), target=target)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message


def test_close_matches_and_columns_are_offered(csv):
    path = csv("height,kind\n1,2\n2,3\n")
    with pytest.raises(DataError, match="did you mean 'kind'"):
        read_table(path, target=["kid"])
    with pytest.raises(DataError, match="height, kind"):
        read_table(path)


def test_names_with_escapes_are_shown_inert(csv):
    with pytest.raises(DataError) as caught:
        read_table(csv("\x1b[31mred,k\nx,1\ny,2\n"), target=["k"])
    assert "\x1b" not in str(caught.value)
    assert "u001b" in str(caught.value)


def test_centring_and_standardizing(csv):
    path = csv("a,c,k\n1,5,1\n3,5,2\n8,5,6\n")
    found = read_table(path, target=["k"], standardize=True)
    np.testing.assert_allclose(found.X.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(found.X.std(axis=0), [1, 0], atol=1e-15)
    assert found.Y.tolist() == [[-2], [-1], [3]]
    assert any("constant" in note for note in found.notes)
    centred = read_table(path, target=["k"], center=True)
    assert centred.X.tolist() == [[-3, 0], [-1, 0], [4, 0]]


def test_arrays_of_a_weights_file(tmp_path):
    np.savez(tmp_path / "w.npz", W1=np.ones((2, 3)), W2=np.zeros((1, 2)))
    found = read_arrays(tmp_path / "w.npz")
    assert sorted(found) == ["W1", "W2"]
    assert found["W1"].shape == (2, 3)
