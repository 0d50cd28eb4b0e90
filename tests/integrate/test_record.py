"""What a run keeps is whole wherever Ctrl-C comes."""

import numpy as np
import pytest

from thalweg.integrate import _record
from thalweg.integrate._record import Record


def fill(record, count, size):
    for k in range(1, count + 1):
        record.add((float(k), 1.0, 1.0, 1.0, 0), np.full(size, float(k)))


@pytest.mark.parametrize("count", [10, 63, 64, 500, 2000])
def test_kept_points_are_those_of_their_rows(count, monkeypatch):
    monkeypatch.setattr(_record, "STORE", 100 * 8 * 3)
    record = Record((0.0, 1.0, 1.0), np.zeros(3))
    fill(record, count, 3)
    rows, kept, points = record.close(np.full(3, float(count)))
    assert np.array_equal(rows["t"], np.arange(count + 1.0))
    assert np.array_equal(points[:, 0], rows["t"][kept])
    assert kept[-1] == count


def test_an_interruption_while_points_are_thinned_leaves_them_whole(monkeypatch):
    monkeypatch.setattr(_record, "BLOCK", 1)
    monkeypatch.setattr(_record, "STORE", 100 * 8 * 3)
    record, join = Record((0.0, 1.0, 1.0), np.zeros(3)), np.concatenate

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "concatenate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fill(record, 1000, 3)
    monkeypatch.setattr(np, "concatenate", join)
    rows, kept, points = record.close(np.full(3, -1.0))
    assert len(rows) > 64
    assert np.array_equal(rows["t"], np.arange(float(len(rows))))
    assert np.array_equal(points[:-1, 0], rows["t"][kept][:-1])
    assert len(points) == len(kept)
