"""What a batch records for verdicts: plateaus, basin, rest; against SciPy, closed forms, `flow`."""

import itertools

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

import thalweg as tw
from thalweg.certificate import levels
from thalweg.integrate import Status, available_engines, solve_batch
from thalweg.integrate._field import Field
from thalweg.integrate._native import instruction_sets
from thalweg.landscape import Target
from thalweg.limit import find_plateaus
from thalweg.network import end_to_end, pack, unpack

SETS = instruction_sets()
compiled = pytest.mark.skipif(not SETS, reason="no compiled core is built")
DIMS = (4, 3, 3, 3)
VALUES = (3.0, 1.5, 0.5)
BASIN = 0.5 * VALUES[-1] ** 2


def case(count, scale=0.02, seed=0, *, turned=False):
    """Starts that pass several saddles; the target on the axes or turned, with a metric."""
    rng = np.random.default_rng(seed)
    target = np.zeros((DIMS[-1], DIMS[0]))
    np.fill_diagonal(target, VALUES)
    metric = np.ones(DIMS[0])
    if turned:
        left = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        right = np.linalg.qr(rng.standard_normal((4, 4)))[0]
        target, metric = left @ target @ right, np.array([1.2, 1.0, 0.9, 0.8])
    starts = [scale * rng.standard_normal((count, b, a)) for a, b in itertools.pairwise(DIMS)]
    return target, metric, starts


def pick(starts, k):
    return [w[k] for w in starts]


def plateaus_by_scipy(target, metric, start, t_end):
    """Plateaus of an integration to 1e-12, from the definition, on a grid refined at the ends."""
    field = Field(target, metric, DIMS)
    run = scipy.integrate.solve_ivp(
        lambda _, y: field.rhs(y)[1],
        (0, t_end),
        pack(start),
        method="DOP853",
        rtol=1e-12,
        atol=1e-14,
        dense_output=True,
    )
    left, sigma, right = np.linalg.svd(target, full_matrices=False)

    def distance(t, learned):
        product = end_to_end(unpack(run.sol(t), DIMS)) * metric
        keep = list(learned)
        best = (left[:, keep] * sigma[keep]) @ right[keep]
        rest = [s for i, s in enumerate(sigma) if i not in learned]
        return np.linalg.norm(product - best) / min([rest[0], *sigma[keep]])

    sets = [s for n in range(3) for s in itertools.combinations(range(3), n)]
    times, found = np.linspace(0, t_end, 1501), []
    for learned in sets:
        near = np.array([distance(t, learned) <= 0.2 for t in times])
        edges = np.flatnonzero(np.diff(near.astype(int)))
        cuts = [
            scipy.optimize.brentq(lambda t: distance(t, learned) - 0.2, times[i], times[i + 1])  # noqa: B023
            for i in edges
        ]
        cuts = ([0.0] if near[0] else []) + cuts + ([t_end] if near[-1] else [])
        found += [(learned, *cut) for cut in zip(cuts[::2], cuts[1::2], strict=True)]
    return sorted(found, key=lambda item: item[1])


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("engine", available_engines())
def test_plateaus_are_those_of_a_fine_integration(engine, turned):
    target, metric, starts = case(3, turned=turned)
    for rtol, allowed in ((1e-4, 2e-2), (1e-8, 2e-5)):
        done = solve_batch(target, metric, starts, t_end=45.0, rtol=rtol, plateaus=8, engine=engine)
        for k in range(3):
            wanted = plateaus_by_scipy(target, metric, pick(starts, k), 45.0)
            assert len(wanted) >= 2
            assert [item[0] for item in done.passed(k)] == [item[0] for item in wanted]
            for got, expected in zip(done.passed(k), wanted, strict=True):
                assert got[1:3] == pytest.approx(expected[1:3], abs=allowed)


@compiled
def test_plateaus_are_those_of_flow():
    p = tw.Problem.from_target(VALUES, dims=DIMS)
    _, _, starts = case(2, seed=3)
    target, metric = p.flow_data()
    done = solve_batch(target, metric, starts, t_end=45.0, rtol=1e-8, plateaus=8)
    for k in range(2):
        run = tw.flow(p, pick(starts, k), t_end=45.0)
        times = np.linspace(0, 45.0, 901)
        maps = np.array([end_to_end(run.weights_at(t)) for t in times])
        fine = find_plateaus(times, maps, Target.of(target), 3)
        for wanted, allowed in ((fine, 0.06), (run.plateaus, 0.3)):
            assert [item[0] for item in done.passed(k)] == [item.learned for item in wanted]
            for got, one in zip(done.passed(k), wanted, strict=True):
                assert got[1:3] == pytest.approx((one.t_enter, one.t_exit), abs=allowed)
                assert got[3] == pytest.approx(one.closest, rel=0.2)


@compiled
@pytest.mark.parametrize("name", SETS)
def test_records_depend_on_the_start_alone(name, monkeypatch):
    monkeypatch.setenv("THALWEG_ENGINE", name)
    target, metric, starts = case(150, 0.1, turned=True)
    for j, w in enumerate(starts):
        w *= np.geomspace(0.01, 5.0, 150)[:, None, None] if j == 0 else 1.0
    options = {"rtol": 1e-6, "basin_level": BASIN, "plateaus": 3, "loss_stop": 1e-9}
    one = solve_batch(target, metric, starts, threads=1, **options)
    order = np.random.default_rng(1).permutation(150)
    two = solve_batch(target, metric, [w[order] for w in starts], threads=2, **options)
    assert one.plateaus[order].tobytes() == two.plateaus.tobytes()
    for field in ("plateau_count", "least_gradient", "basin_time", "basin_steps", "basin_stages"):
        assert getattr(one, field)[order].tobytes() == getattr(two, field).tobytes(), field
    assert one.plateau_count.max() >= 2


@pytest.mark.parametrize("engine", available_engines())
def test_more_plateaus_than_room_are_counted(engine):
    target, metric, starts = case(2)
    done = solve_batch(target, metric, starts, t_end=45.0, rtol=1e-6, plateaus=1, engine=engine)
    full = solve_batch(target, metric, starts, t_end=45.0, rtol=1e-6, plateaus=8, engine=engine)
    assert np.array_equal(done.plateau_count, full.plateau_count)
    assert np.all(done.plateau_count >= 2)
    assert done.plateaus.shape == (2, 1)
    assert done.plateaus[:, 0].tobytes() == full.plateaus[:, 0].tobytes()
    assert np.all(full.plateaus["learned"][:, -1] == -1)
    none = solve_batch(target, metric, starts, t_end=1.0, rtol=1e-6, engine=engine)
    assert none.passed(0) == []


@pytest.mark.parametrize("engine", available_engines())
def test_a_start_may_end_where_its_limit_is_known(engine):
    target, metric, starts = case(3, 0.3)
    level = levels(target, min(DIMS)).basin
    assert level == pytest.approx(BASIN)
    options = {"rtol": 1e-7, "basin_level": level, "engine": engine}
    done = solve_batch(target, metric, starts, stop_at_basin=True, **options)
    on = solve_batch(target, metric, starts, loss_stop=1e-6, **options)
    assert set(done.status) == set(on.status) == {Status.LOSS_STOP}
    assert np.all(done.loss < level)
    assert np.all(on.loss <= 1e-6)
    assert np.array_equal(done.basin_time, on.basin_time)
    assert np.array_equal(done.basin_steps, done.steps)
    assert np.array_equal(on.basin_steps, done.steps)
    assert np.all(on.basin_stages <= done.stages)
    assert np.all(on.basin_stages >= 5 * done.steps - 5)
    assert np.array_equal(on.least_gradient, done.least_gradient)
    for k in range(3):  # by the definition: it passes the level where the exact flow does
        field = Field(target, metric, DIMS)
        run = scipy.integrate.solve_ivp(
            lambda _, y: field.rhs(y)[1],  # noqa: B023
            (0, done.basin_time[k]),
            pack(pick(starts, k)),
            method="DOP853",
            rtol=1e-11,
            atol=1e-13,
        )
        assert field.rhs(run.y[:, -1])[0] == pytest.approx(level, rel=1e-5)


def test_starts_that_never_reach_the_basin_say_so():
    target, metric, starts = case(2)
    done = solve_batch(target, metric, starts, t_end=0.1, basin_level=BASIN, plateaus=2)
    assert np.all(np.isnan(done.basin_time))
    assert np.all(done.basin_steps == -1)
    assert np.all(done.basin_stages == -1)
    assert [item[:3] for item in done.passed(1)] == [((), 0.0, 0.1)]


def chain(start, depth):
    """Time in which one balanced mode with s = 1 grows from `start` to one half (Spec 9.3)."""
    power = 2.0 - 2.0 / depth
    return scipy.integrate.quad(
        lambda x: np.exp(x * (1 - power)) / (depth * (1 - np.exp(x))),
        np.log(start),
        np.log(0.5),
        limit=400,
    )[0]


@pytest.mark.parametrize("engine", available_engines())
@pytest.mark.parametrize("size", [1e-3, 1e-6])
def test_a_tiny_gradient_near_a_saddle_is_no_rest(engine, size):
    """Depth four: the gradient there is size**3, far below what is rounding at a minimum."""
    start = size**4  # of the product
    starts = [np.full((1, 1, 1), size) for _ in range(4)]
    done = solve_batch(
        np.eye(1), np.ones(1), starts, rtol=1e-8, loss_stop=0.125, plateaus=1, engine=engine
    )
    assert done.status[0] is Status.LOSS_STOP
    assert done.least_gradient[0] == pytest.approx(2 * size**3, rel=1e-6, abs=0.0)
    ((learned, enters, leaves, _),) = done.passed(0)
    assert (learned, enters) == ((), 0.0)
    assert leaves == pytest.approx(chain(start, 4) - chain(0.2, 4), rel=1e-5)


@pytest.mark.parametrize("engine", available_engines())
def test_the_second_mode_is_waited_for(engine):
    """Modes on the axes: the first is learned to rounding long before the second moves."""
    starts = [np.diag([0.5, 1e-5])[None].copy() for _ in range(4)]
    target = np.diag([2.0, 1.0])
    done = solve_batch(
        target, np.ones(2), starts, rtol=1e-6, basin_level=0.5, plateaus=4, engine=engine
    )
    assert done.status[0] is Status.GRADIENT_STOP
    assert done.loss[0] <= 1e-20
    assert [item[0] for item in done.passed(0)][-1] == (0,)
    assert done.passed(0)[-1][2] == pytest.approx(chain(1e-20, 4), rel=0.02)


@pytest.mark.parametrize("engine", available_engines())
def test_a_start_on_a_stable_set_ends_at_the_saddle(engine):
    starts = [np.diag([0.5, 0.0])[None].copy() for _ in range(3)]
    done = solve_batch(
        np.diag([2.0, 1.0]),
        np.ones(2),
        starts,
        rtol=1e-6,
        basin_level=0.5,
        plateaus=4,
        engine=engine,
    )
    assert done.status[0] is Status.GRADIENT_STOP
    assert done.loss[0] == pytest.approx(0.5, rel=1e-12)
    assert np.isnan(done.basin_time[0])
    assert done.passed(0)[-1][0] == (0,)
