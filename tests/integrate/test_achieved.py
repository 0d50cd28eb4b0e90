"""`achieved_error` against closed forms and SciPy's DOP853; what it must not miss."""

import dataclasses
import itertools

import numpy as np
import pytest
import scipy.integrate

import thalweg as tw
from thalweg.integrate import available_engines, solve
from thalweg.integrate._field import Field
from thalweg.integrate._solution import DOP853
from thalweg.network import pack


def largest(run, exact):
    """Return the largest relative error of a run at its outputs against a function of time."""
    points = [exact(float(t)) for t in run.t]
    pairs = zip(run.y, points, strict=True)
    return max(np.linalg.norm(y - x) / np.linalg.norm(x) for y, x in pairs)


def scalar():
    """Two balanced layers of one entry: ``s = w^2`` has ``ds/dt = 2 s (T - s)``."""
    goal, start = 2.0, 0.01

    def exact(t):
        s = goal / (1 + (goal / start**2 - 1) * np.exp(-2 * goal * t))
        return np.full(2, np.sqrt(s))

    return np.array([[goal]]), np.ones(1), [np.full((1, 1), start)] * 2, exact


@pytest.mark.parametrize("engine", available_engines())
@pytest.mark.parametrize("rtol", [1e-3, 1e-6, 1e-9])
def test_scalar_closed_form(engine, rtol):
    target, metric, weights, exact = scalar()
    run = solve(target, metric, weights, t_end=4.0, rtol=rtol, engine=engine)
    assert run.achieved_error() == pytest.approx(largest(run, exact), rel=0.1, abs=1e-14)


@pytest.mark.parametrize("method", ["auto", "rock4", "dop853", "bdf"])
def test_diagonal_closed_form(method):
    """One layer: ``w(t) = T + (w0 - T) exp(-m^2 t)`` for the entries of a diagonal metric."""
    metric, weights = np.array([2.0, 1.0, 0.5]), [np.full((2, 3), 0.1)]
    target = np.arange(1.0, 7.0).reshape(2, 3)

    def exact(t):
        end = target / metric
        return (end + (weights[0] - end) * np.exp(-(metric**2) * t)).ravel()

    run = solve(target, metric, weights, t_end=3.0, rtol=1e-5, method=method)
    assert run.achieved_error() == pytest.approx(largest(run, exact), rel=0.1)


def deep():
    dims, rng = (4, 5, 3), np.random.default_rng(1)
    weights = [0.3 * rng.standard_normal((b, a)) for a, b in itertools.pairwise(dims)]
    return rng.standard_normal((3, 4)) * 2, np.array([1.5, 1, 0.8, 0.2]), weights


@pytest.mark.parametrize("rtol", [1e-4, 1e-7])
def test_scipy(rtol):
    target, metric, weights = deep()
    run = solve(target, metric, weights, t_end=8.0, rtol=rtol)
    field = Field(target, metric, (4, 5, 3))
    fine = {"method": "DOP853", "rtol": 1e-13, "atol": 1e-14}
    y = scipy.integrate.solve_ivp(
        lambda _, y: field.rhs(y)[1], (0, 8.0), pack(weights), t_eval=run.t[:-1], **fine
    ).y.T
    part = max(
        np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(run.y[:-1], y, strict=True)
    )
    measured = run.achieved_error()
    assert measured <= 10 * rtol
    assert measured >= 0.9 * part
    until = dataclasses.replace(run, t=run.t[:-1], y=run.y[:-1])
    assert until.achieved_error() == pytest.approx(part, rel=0.1)


def test_a_wrong_point_shows():
    """Control: a point that is off by a thousandth is an error of about a thousandth."""
    target, metric, weights = deep()
    run = solve(target, metric, weights, t_end=8.0, rtol=1e-6)
    points = run.y.copy()
    points[len(points) // 2] *= 1.001
    wrong = dataclasses.replace(run, y=points)
    assert wrong.achieved_error() == pytest.approx(1e-3, rel=0.05)
    assert run.achieved_error() < 1e-5


def test_no_room_below_rounding():
    """Where both runs would be at the floor, their difference is no error; it says so."""
    target, metric, weights, _ = scalar()
    assert np.isnan(solve(target, metric, weights, t_end=1.0, atol=0.0).achieved_error())
    assert solve(target, metric, weights, t_end=0.0).achieved_error() == 0.0


def test_trajectory():
    """A flow in pieces: all of them are compared with one finer run from the start."""
    problem = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    start = tw.init.gaussian(problem, scale=0.1, rng=0)
    for t_end in (None, 5.0):
        run = tw.flow(problem, start, t_end, rtol=1e-6)
        fine = tw.flow(problem, start, float(run.t[-1]), rtol=1e-11)
        ends = pack(run.weights_at(run.t[-1])), pack(fine.weights_at(run.t[-1]))
        last = np.linalg.norm(ends[0] - ends[1]) / np.linalg.norm(ends[1])
        assert 0.5 * last <= run.achieved_error() <= 1e-5


@pytest.mark.parametrize("engine", available_engines())
def test_a_run_begins_at_order_four(engine):
    """Steps that only find out how long they can be are cheap ones; control: order eight asked."""
    target, metric, weights = deep()
    first = {
        method: int(
            solve(target, metric, weights, t_end=1.0, method=method, engine=engine)._steps["kind"][
                0
            ]
        )
        for method in ("auto", "dop853")
    }
    assert first["auto"] == 0
    assert first["dop853"] == DOP853
