"""The bundled data are what they say."""

from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from thalweg.datasets import load_data

SHAPES = {
    "digits": (1797, 64, 10),
    "linnerud": (20, 3, 3),
    "diabetes": (442, 10, 1),
    "wine": (178, 13, 3),
    "macrodata": (201, 10, 10),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_names_and_licences(name):
    found = tw.datasets.load(name)
    m, d_x, d_y = SHAPES[name]
    assert found.X.shape == (m, d_x)
    assert found.Y.shape == (m, d_y)
    assert len(found.feature_names) == d_x
    assert len(found.target_names) == d_y
    assert found.licence
    assert found.source
    assert np.isfinite(found.X).all()
    licences = (Path(tw.datasets.__file__).parent / "DATA_LICENSES.md").read_text("utf-8")
    assert f"| {name} |" in licences
    assert set(tw.datasets.names()) == set(SHAPES)


def test_digits_have_three_constant_pixels():
    X = tw.datasets.load("digits").X
    assert int(np.sum(np.ptp(X, axis=0) == 0)) == 3
    assert tw.datasets.load("digits").problem().rank == np.linalg.matrix_rank(X) == 61
    assert X.min() == 0
    assert X.max() == 16


def test_labels_are_one_hot():
    for name in ("digits", "wine"):
        Y = tw.datasets.load(name).Y
        assert set(np.unique(Y)) == {0.0, 1.0}
        assert np.all(Y.sum(axis=1) == 1)


def test_macrodata_targets_are_the_next_quarter():
    found = tw.datasets.load("macrodata")
    assert np.array_equal(found.X[1:], found.Y[:-1])


def test_unknown_names_offer_known_ones(tmp_path, monkeypatch):
    with pytest.raises(tw.DataError, match="did you mean 'digits'"):
        tw.datasets.load("digit")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(tw.DataError, match="neither a bundled data set nor a file"):
        load_data("nothing-like-it")


def test_options_for_files_are_refused_for_bundled_data():
    with pytest.raises(tw.DataError, match="--target"):
        load_data("wine", target=["x"])


def test_centred_and_standardized():
    found = load_data("wine", standardize=True)
    np.testing.assert_allclose(found.X.std(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(found.Y.mean(axis=0), 0, atol=1e-15)
    p = tw.datasets.load("wine").problem(widths=(4,), standardize=True)
    q = found.problem(widths=(4,))
    np.testing.assert_array_equal(p.singular_values, q.singular_values)
