import json

import numpy as np
import pytest

import thalweg as tw


@pytest.fixture(scope="module")
def run():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    return tw.flow(p, tw.init.gaussian(p, scale=0.1, rng=0))


def test_everything_comes_back_without_pickles(run, tmp_path):
    path = run.save(tmp_path / "deep" / "run")
    assert path == tmp_path / "deep" / "run.npz"
    with np.load(path, allow_pickle=False) as data:
        assert set(data.files) == {
            *("t", "loss", "gradient_norm", "drift", "singular_values", "summary"),
            *("W1", "W2", "start1", "start2"),
        }
        for name in ("t", "loss", "gradient_norm", "drift", "singular_values"):
            np.testing.assert_array_equal(data[name], getattr(run, name))
        product = data["W2"] @ data["W1"]
        np.testing.assert_allclose(product, np.eye(2, 3) * [[3.0], [1.0]], atol=1e-6)
        np.testing.assert_array_equal(data["start1"], run.start[0])
        summary = json.loads(str(data["summary"]))
    assert summary == run.to_dict()
    assert summary["problem"]["fingerprint"] == run.problem.fingerprint


def test_saving_again_replaces_the_file_and_leaves_nothing_else(run, tmp_path):
    path = tmp_path / "run.npz"
    path.write_text("old")
    run.save(path)
    run.save(path)
    assert [item.name for item in tmp_path.iterdir()] == ["run.npz"]
    with np.load(path, allow_pickle=False) as data:
        assert len(data["t"]) == len(run.t)


def test_a_place_that_cannot_be_written_is_a_store_error(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(tw.StoreError, match="cannot write"):
        run.save(tmp_path / "file" / "run")
