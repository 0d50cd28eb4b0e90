"""Pictures of sweeps show the numbers of the sweep."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.basins import certificate_times, staircase


def mixed(p, *, rng, first=0.1, rest=0.1):
    return tw.init.gaussian(p, scale=(first, rest), rng=rng)


@pytest.fixture(scope="module")
def s():
    p = tw.Problem.from_target([4.0, 1.0], dims=(3, 3, 2))
    return tw.sweep(p, n=40, scale=[1e-3, 0.1], rng=1)


def panels(figure):
    return {ax.get_label(): ax for ax in figure.axes if ax.get_label() != "<colorbar>"}


def test_panels(s):
    assert list(panels(s.plot())) == ["fractions", "times", "staircase"]
    p = s.plan.problem
    two = tw.sweep(p, mixed, n=5, first=[0.1, 1.0], rest=[0.01, 0.1, 1.0])
    assert "map" in panels(two.plot())
    ax = panels(two.plot(panel="map"))["map"]
    assert sorted(text.get_text() for text in ax.texts) == ["1"] * 6
    with pytest.raises(tw.DataError, match="panel must be"):
        s.plot(panel="map")


def test_bars_are_fractions(s):
    ax = panels(s.plot(panel="fractions"))["fractions"]
    widths = [bar.get_width() for bar in ax.patches if bar.get_width() > 0]
    assert widths == [1.0, 1.0]
    low = s.fractions().rows[0].low
    assert any(f"{low:.4g}" in text.get_text() for text in ax.texts)


def test_chosen_starts_have_no_bars(s):
    p = s.plan.problem
    given = tw.basins.from_starts(p, [tw.init.gaussian(p, 0.5, rng=i) for i in range(3)])
    assert "fractions" not in panels(given.plot())


def test_curves_are_shares_of_certified_starts(s):
    for place, (t, share) in enumerate(certificate_times(s.plan, s.batches())):
        own = np.sort(s.table["t_certificate"].to_numpy()[place::2])
        assert np.array_equal(t, own)
        assert share[-1] == 1.0
        assert np.all(np.diff(share) > 0)


def test_the_staircase_rises_from_nothing_to_all(s):
    times = np.geomspace(1e-2, 1e3, 50)
    learned = staircase(s.plan, s.batches(), times)
    assert learned.shape == (2, 50)
    assert np.all(learned[:, 0] == 0.0)
    assert np.all(learned[:, -1] == 2.0)
    assert np.all(np.diff(learned, axis=1) >= 0)
    # Smaller starts are later.
    assert np.all(learned[0] <= learned[1] + 1e-12)
    # One direction for a while: the step between the first and the second escape.
    assert np.any(learned[0] == 1.0)
