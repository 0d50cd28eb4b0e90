import json

import numpy as np
import pytest

import thalweg as tw
from thalweg.landscape import plane_slice

RNG = np.random.default_rng(0)


def problem(metric="raw", loss="sum"):
    x, y = RNG.normal(size=(30, 5)), RNG.normal(size=(30, 3))
    x[:, 4] = x[:, 0]  # a direction that never occurs alone
    return tw.Problem.from_data(x, y, (4, 4), metric=metric, loss=loss)


@pytest.fixture(scope="module", params=[("raw", "sum"), ("whitened", "mean")], ids=str)
def cut(request):
    p = problem(*request.param)
    a, b = (tw.critical_point(p, s, rng=1) for s in ((1,), (0, 1, 2)))
    return p, a, b, plane_slice(p, a, b, resolution=31)


def test_values_are_losses(cut):
    p, _, _, plane = cut
    assert plane.loss.shape == (31, 31)
    rng = np.random.default_rng(1)
    for i, j in rng.integers(31, size=(25, 2)):
        w = plane.weights_at(plane.x[i], plane.y[j])
        assert plane.loss[j, i] == pytest.approx(p.loss(w), rel=1e-10)
        assert plane.reducible_loss[j, i] == pytest.approx(p.reducible_loss(w), rel=1e-9)


def test_both_points_lie_on_the_first_axis(cut):
    p, a, b, plane = cut
    apart = np.sqrt(
        sum(np.sum((s - t) ** 2) for s, t in zip(p.reduce(a), p.reduce(b), strict=True))
    )
    np.testing.assert_allclose(plane.marks.x, [0.0, apart], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(plane.marks.y, 0.0, atol=1e-12 * apart)
    np.testing.assert_allclose(plane.marks.distance, 0.0, atol=1e-12 * apart)
    assert [v.kind for v in plane.verdicts] == ["strict_saddle", "global_minimum"]
    assert plane.x[0] < 0.0 < apart < plane.x[-1]
    assert plane.y[0] < 0.0 < plane.y[-1]


def test_points_of_the_plane_are_projected_onto_themselves(cut):
    _, _, _, plane = cut
    places = np.random.default_rng(2).normal(size=(5, 2))
    found = plane.project([plane.weights_at(x, y) for x, y in places])
    np.testing.assert_allclose(np.stack([found.x, found.y], axis=1), places, atol=1e-12)
    np.testing.assert_allclose(found.distance, 0.0, atol=1e-12)


def test_the_distance_is_that_to_the_nearest_point_of_the_plane(cut):
    p, _, _, plane = cut
    w = [np.random.default_rng(3).normal(size=(p.dims[j + 1], p.dims[j])) for j in range(3)]
    found = plane.project([w])

    def distance(x, y):
        pairs = zip(p.reduce(w), p.reduce(plane.weights_at(x, y)), strict=True)
        return np.sqrt(sum(np.sum((one - two) ** 2) for one, two in pairs))

    x, y = float(found.x[0]), float(found.y[0])
    assert distance(x, y) == pytest.approx(found.distance[0], rel=1e-12)
    assert all(distance(x + u, y + v) > found.distance[0] for u, v in np.eye(2) * 0.1)


def test_the_second_axis_leads_to_a_third_point_or_along_a_direction():
    p = problem()
    a, b, c = (tw.critical_point(p, s, rng=1) for s in ((0,), (0, 1, 2), (1, 2)))
    plane = plane_slice(p, a, b, toward=c, resolution=5)
    assert plane.marks.distance[2] == pytest.approx(0.0, abs=1e-12)
    assert plane.marks.y[2] > 0.0
    direction = tw.classify(p, a).witness
    plane = plane_slice(p, a, b, along=direction, resolution=5)
    off = [s + t for s, t in zip(a, direction, strict=True)]
    assert plane.project([off]).distance[0] == pytest.approx(0.0, abs=1e-12)


def test_by_default_the_loss_falls_along_the_second_axis():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    a, b = (tw.critical_point(p, s, rng=3) for s in ((1,), (0, 1)))
    plane = plane_slice(p, a, b, resolution=5)
    witness = tw.classify(p, a).witness
    off = [s + t for s, t in zip(a, witness, strict=True)]
    assert plane.project([off]).distance[0] == pytest.approx(0.0, abs=1e-12)


def test_repr_and_json():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    a, b = (tw.critical_point(p, s, rng=3) for s in ((1,), (0, 1)))
    plane = plane_slice(p, a, b, resolution=5)
    assert "strict saddle, learned (1,)" in repr(plane)
    told = json.loads(json.dumps(plane.to_dict(), allow_nan=False))
    assert np.array(told["loss"]).shape == (5, 5)
    assert not plane.reducible_loss.flags.writeable


def test_what_does_not_span_a_plane_is_refused_in_one_line():
    p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    a, b = (tw.critical_point(p, s, rng=3) for s in ((1,), (0, 1)))
    other = tw.critical_point(p, (0, 1), rng=4)
    line = [t - s for s, t in zip(a, b, strict=True)]
    cases = [
        ((a, a), {}, "a and b are the same point"),
        ((b, other), {}, "give toward= a third point or along="),
        ((a, b), {"along": line}, "parallel"),
        ((a, b), {"along": line, "toward": other}, "both given"),
        ((a, b), {"resolution": 1}, "resolution must be at least 2"),
        ((a, b), {"margin": -1.0}, "margin"),
    ]
    for points, options, needed in cases:
        with pytest.raises(tw.DataError, match=needed) as caught:
            plane_slice(p, *points, **options)
        assert "\n" not in str(caught.value)
    with pytest.raises(tw.DimensionError, match="toward has shapes"):
        plane_slice(p, a, b, toward=[np.eye(2), np.eye(2)])


def test_a_run_is_traced_with_its_times(cut):
    p, _, _, plane = cut
    run = tw.flow(p, plane.weights_at(0.1, 0.2), 1.0)
    whole = plane.trace(run, max_points=len(run.t))
    path = plane.project(run.weights_at(float(t)) for t in run.t)
    assert np.array_equal(whole.t, run.t)
    assert np.array_equal(whole.x, path.x)
    assert np.array_equal(whole.distance, path.distance)
    few = plane.trace(run, max_points=3)
    assert list(few.t[[0, -1]]) == [run.t[0], run.t[-1]]
    assert len(few.x) == 3
    assert (few.x[0], few.y[0]) == pytest.approx((0.1, 0.2))
