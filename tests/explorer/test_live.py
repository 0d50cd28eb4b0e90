"""Names of plateaus and certificates while a run comes in."""

import json

import numpy as np
import pytest

import thalweg as tw
from thalweg._core import jsonable
from thalweg.explorer.tasks._proof import certain_from
from thalweg.explorer.tasks._series import Live

SIGMA = (3.0, 2.0, 1.0)


def stair(**options):
    """A run past three saddles."""
    p = tw.Problem.from_target(SIGMA, dims=(4, 4, 4, 3))
    return p, tw.flow(p, tw.init.gaussian(p, 0.01, rng=0), **options)


def watch(p, run):
    """What the page is told when it looks at every step."""
    heard = []
    live = Live(
        p,
        run.weights_at(0.0),
        lambda kind, **content: heard.append(json.loads(json.dumps(jsonable(content)))),
    )
    live.proof._after = 0.0
    for t in run.t[1:]:
        live.proof._after = 0.0  # seek the rate at every point, however slow the machine is
        live.observe(float(t), run.weights_at(float(t)))
    return heard


def test_live_points_are_near_the_plateaus_of_the_library():
    p, run = stair()
    heard = watch(p, run)
    told = []
    for item in heard:
        if item["near"] and (not told or told[-1] != item["near"]):
            told.append(item["near"])
    rest = [[3, 2, 1], [2, 1], [1]]
    assert [item["learned"] for item in told] == [[], [0], [0, 1]]
    assert [item["loss"] for item in told] == pytest.approx(
        [0.5 * sum(s * s for s in unlearned) for unlearned in rest]
    )
    for item in heard:
        inside = [x for x in run.plateaus if x.t_enter <= item["t"] <= x.t_exit]
        assert (item["near"] is None) == (not inside)
        assert not inside or tuple(item["near"]["learned"]) == inside[0].learned


def test_live_certificate_comes_when_the_loss_is_below_every_other_level():
    """Oracle: with targets 3, 2, 1 the last level but the least one is 1/2."""
    p, run = stair()
    heard = watch(p, run)
    since = next(item["proof"]["since"] for item in heard if item["proof"]["since"] is not None)
    before = [item for item in heard if item["proof"]["since"] is None]
    first = next(item for item in heard if item["loss"] < 0.5 * (1.0 - 1e-6))
    assert before
    assert all(item["loss"] > 0.5 * (1.0 - 1e-6) for item in before)
    assert since == first["t"] == certain_from(run)
    last = heard[-1]["proof"]
    assert last["rate"] > 0.0
    start = next(item["loss"] for item in heard if item["t"] == last["time"])
    late = [item for item in heard if item["t"] >= last["time"]]
    bound = [start * np.exp(-2.0 * last["rate"] * (item["t"] - last["time"])) for item in late]
    assert all(item["loss"] <= 1.001 * most for item, most in zip(late, bound, strict=True))


def test_a_run_that_stops_at_a_plateau_is_not_called_certified():
    p, run = stair(t_end=30.0)
    heard = watch(p, run)
    assert heard[-1]["near"]["learned"] == [0]
    assert all(item["proof"]["since"] is None for item in heard)
    assert certain_from(run) is None


def test_a_start_that_is_certified_at_once_is_called_so_from_the_beginning():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    run = tw.flow(p, tw.init.exponential(p, rate=0.5))
    heard = watch(p, run)
    assert heard[0]["proof"]["since"] == 0.0
    assert heard[0]["proof"]["rate"] >= 0.5
    assert certain_from(run) == 0.0


@pytest.mark.parametrize("loss", ["sum", "mean"])
@pytest.mark.parametrize("metric", ["raw", "whitened"])
def test_units_of_tables_are_those_of_the_library(loss, metric):
    p = tw.datasets.load_data("linnerud").problem((3,), metric=metric, loss=loss)
    run = tw.flow(p, tw.init.gaussian(p, 1e-3, rng=1), rtol=1e-6)
    heard = watch(p, run)
    assert heard[0]["near"]["learned"] == []
    assert heard[0]["near"]["loss"] == pytest.approx(p.critical_value(()))
    assert heard[0]["loss"] == pytest.approx(heard[0]["near"]["loss"], rel=0.01)
    for item in heard:
        inside = [x for x in run.plateaus if x.t_enter <= item["t"] <= x.t_exit]
        if inside:
            assert tuple(item["near"]["learned"]) == inside[0].learned
    sure = [item["proof"]["since"] for item in heard if item["proof"]["since"] is not None]
    assert bool(sure) == run.limit.certified
