"""Reduction by batches equals the table in memory (Spec 1.6)."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

import thalweg as tw
from thalweg.data import read_table, reduce_batches, reduce_table


def batches(X, Y, size):
    return [(X[i : i + size], Y[i : i + size]) for i in range(0, len(X), size)]


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e8])
def test_inner_products_are_those_of_all_rows(condition):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 6)) * np.geomspace(1.0, 1.0 / condition, 6)
    Y = rng.normal(size=(5000, 2)) + X[:, :1]
    found = reduce_batches(batches(X, Y, 700))
    A, B, _ = found.table(standardize=False, center=False)
    for one, two in ((A.T @ A, X.T @ X), (A.T @ B, X.T @ Y), (B.T @ B, Y.T @ Y)):
        scale = np.sqrt(np.outer(np.abs(np.diag(two)), np.abs(np.diag(two)))) if one is two else 1
        assert np.all(np.abs(one - two) <= 1e-12 * np.abs(two).max() * scale)
    np.testing.assert_allclose(
        np.linalg.svd(A, compute_uv=False),
        np.linalg.svd(X, compute_uv=False),
        rtol=1e-12,
        atol=1e-14 * np.linalg.norm(X),
    )


@pytest.mark.parametrize("change", [{}, {"center": True}, {"standardize": True}])
def test_problem_of_the_reduction_is_the_problem_of_the_table(tmp_path, change):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(3000, 5)) * np.geomspace(100.0, 1.0, 5) + 7.0
    X[:, 3] = 2.0
    Y = rng.normal(size=(3000, 2)) + X[:, :2] * 0.1
    columns = {f"x{i}": X[:, i] for i in range(5)} | {f"y{i}": Y[:, i] for i in range(2)}
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=500)
    seen = []
    small = reduce_table(
        path, target=["y0", "y1"], progress=lambda done, total: seen.append((done, total)), **change
    )
    whole = read_table(path, target=["y0", "y1"], **change)
    assert len(small.X) <= 8
    assert small.n_samples == 3000
    assert seen[-1] == (3000, 3000)
    one = tw.Problem.from_data(small.X, small.Y, widths=(4,), loss="mean", n_samples=3000)
    two = tw.Problem.from_data(whole.X, whole.Y, widths=(4,), loss="mean")
    w = tw.init.gaussian(one, scale=0.3, rng=0)
    assert one.loss(w) == pytest.approx(two.loss(w), rel=1e-12)
    assert one.irreducible_loss == pytest.approx(two.irreducible_loss, rel=1e-11)
    np.testing.assert_allclose(one.singular_values, two.singular_values, rtol=1e-12)
    assert one.rank == two.rank


def test_normal_equations_would_lose_what_orthogonal_reduction_keeps():
    rng = np.random.default_rng(2)
    Q, _ = np.linalg.qr(rng.normal(size=(2000, 3)))
    V, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    X = Q * np.array([1.0, 1e-4, 1e-9]) @ V
    A, _, _ = reduce_batches(batches(X, X[:, :1], 300)).table(standardize=False, center=False)
    kept = np.linalg.svd(A, compute_uv=False)[-1]
    lost = np.sqrt(abs(np.linalg.eigvalsh(X.T @ X)[0]))
    assert kept == pytest.approx(1e-9, rel=1e-5)
    assert abs(lost / 1e-9 - 1) > 0.1


def test_text_targets_and_missing_values(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{i % 7},{'ab'[i % 2]}" for i in range(100)]
    path.write_text("x,k\n" + "\n".join(rows) + "\n")
    found = reduce_table(path, target=["k"])
    assert found.target_names == ("a", "b")
    assert found.n_samples == 100
    np.testing.assert_allclose(found.Y.T @ found.Y, np.diag([50.0, 50.0]), atol=1e-12)
    path.write_text("x,k\n1,2\n,3\n")
    with pytest.raises(tw.DataError, match="'x' has a missing value in data row 2"):
        reduce_table(path, target=["k"])


def test_a_number_that_is_not_finite_is_named():
    X, Y = np.ones((10, 2)), np.ones((10, 1))
    X[7, 1] = np.inf
    with pytest.raises(tw.DataError, match="X column 1 is inf in data row 8"):
        reduce_batches(batches(X, Y, 3))
