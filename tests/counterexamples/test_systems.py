"""The paper's Eq. (1) is bounded; the planar function behind it is not (Spec 7)."""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import thalweg as tw
from thalweg.counterexamples import bounds_eq1

eq1, planar = tw.counterexamples.bounded_eq1, tw.counterexamples.unbounded


@pytest.mark.parametrize("system", [eq1, planar])
def test_derivatives(system):
    rng = np.random.default_rng(0)
    for _ in range(10):
        x = rng.normal(size=len(system.variables)) * 2.0
        for k, e in enumerate(np.eye(len(x)) * 1e-5):
            slope = (system.f(x + e) - system.f(x - e)) / 2e-5
            assert system.grad(x)[k] == pytest.approx(slope, rel=1e-6, abs=1e-6)
            second = (system.grad(x + e) - system.grad(x - e)) / 2e-5
            np.testing.assert_allclose(system.hess(x)[k], second, rtol=1e-6, atol=1e-6)


def test_eq1_is_the_article_s_function():
    x, y, z = 0.3, -1.2, 2.5
    assert eq1.f(np.array([x, y, z])) == pytest.approx(z**2 * (x**2 / 2 + (1 - x * y) ** 2 / 2))


@pytest.mark.parametrize(("height", "end"), [(100.0, 99.94), (30.0, 29.89), (10.0, 9.75)])
@pytest.mark.parametrize("start", [(0.7, 0.7), (0.5, 0.5), (0.9, 0.9)])
def test_eq1_converges_where_it_was_said_to_diverge(start, height, end):
    run = eq1.flow((*start, height))
    assert run.status == "limit"
    x, y, z = run.final
    assert abs(z) < 1e-5 * height
    assert y == pytest.approx(end, abs=0.06)
    assert abs(y**2 - start[1] ** 2 - height**2) < 0.07 * height**2
    assert y < np.hypot(start[1], height)
    assert x == pytest.approx(1.0 / y, rel=0.02)


def test_eq1_stays_within_its_bounds():
    rng = np.random.default_rng(1)
    for _ in range(40):
        start = rng.normal(size=3) * rng.choice([0.3, 2.0, 6.0], size=3)
        run = eq1.flow(start)
        bound = bounds_eq1(start)
        assert np.all(np.abs(run.x) <= bound * (1 + 1e-7) + 1e-9), start
        assert run.status == "limit"


def test_the_bound_of_y_needs_the_quarter():
    """Negative control: with ``z_0^2 / 40`` in its place the bound is false."""
    run = eq1.flow((0.5, 0.5, 3.0))
    assert np.abs(run.x[:, 1]).max() > 0.5 + 9.0 / 40.0


def test_z_loses_what_f_integrates_to():
    """``(z^2)' = -4 f``, so the integral of ``f`` is a quarter of what ``z^2`` loses."""
    start = np.array([0.4, 0.6, 2.0])
    done = solve_ivp(
        lambda _, w: np.append(-eq1.grad(w[:3]), eq1.f(w[:3])),
        (0, 5.0),
        np.append(start, 0.0),
        method="DOP853",
        rtol=1e-11,
        atol=1e-13,
    )
    *_, z, total = done.y[:, -1]
    assert total == pytest.approx((start[2] ** 2 - z**2) / 4, rel=1e-9)
    assert eq1.flow(start, 5.0).final[2] == pytest.approx(z, rel=1e-6)


def test_in_its_own_time_eq1_follows_the_planar_flow():
    """With ``ds = z^2 dt``, ``(x, y)`` is a trajectory of ``g`` and ``(z^2)' = -4 g``."""
    start = np.array([0.4, 0.6, 3.0])
    done = solve_ivp(
        lambda _, w: np.append(-eq1.grad(w[:3]), w[2] ** 2),
        (0, 4.0),
        np.append(start, 0.0),
        method="DOP853",
        rtol=1e-11,
        atol=1e-13,
    )
    x, y, _, s = done.y[:, -1]
    run = planar.flow(start[:2], float(s))
    np.testing.assert_allclose(run.final, [x, y], rtol=1e-6)


def test_the_planar_flow_is_unbounded_with_evidence():
    run = planar.flow((0.5, 0.5))
    assert run.status == "diverged"
    assert run.evidence.level.value == 0.5
    assert run.evidence.loss < 0.5
    assert run.evidence.margin > 0.0
    assert run.evidence.end_norm > 10.0
    assert "Lojasiewicz" in run.evidence.statement
    assert "only critical point" in run.message


def test_the_planar_flow_grows_like_the_fourth_root():
    run = planar.flow((0.5, 0.5), 1e8)
    assert run.status == "diverged"
    assert run.final[1] == pytest.approx((4e8) ** 0.25, rel=1e-3)
    assert run.loss[-1] == pytest.approx(0.25e-4, rel=1e-3)


def test_the_origin_is_the_only_critical_point():
    np.testing.assert_array_equal(planar.grad(np.zeros(2)), 0.0)
    assert planar.f(np.zeros(2)) == 0.5
    values = np.linalg.eigvalsh(planar.hess(np.zeros(2)))
    assert values[0] < 0.0 < values[1]
    rng = np.random.default_rng(0)
    for _ in range(2000):
        x = rng.normal(size=2) * 10.0 ** rng.uniform(-2, 2, size=2)
        # x g_x - y g_y = x^2, so a critical point has x = 0, and then g_x = -y = 0.
        gx, gy = planar.grad(x)
        assert x[0] * gx - x[1] * gy == pytest.approx(
            x[0] ** 2, abs=1e-9 * (1 + np.abs(x).max() ** 4)
        )


def test_the_stable_set_of_the_origin_is_no_divergence():
    run = planar.flow((0.0, 0.0))
    assert run.status == "limit"
    assert run.evidence is None


@pytest.mark.parametrize("system", [eq1, planar])
def test_systems_and_runs_speak(system):
    document = json.loads(json.dumps(system.to_dict(), allow_nan=False))
    assert document["bounded"] is system.bounded
    assert system.argument in document["argument"]
    assert "argument" in repr(system)
    assert "<table>" in system._repr_html_()
    run = system.flow(np.full(len(system.variables), 0.5), 10.0)
    assert json.loads(json.dumps(run.to_dict(), allow_nan=False))["type"] == "GradientRun"
    assert "status" in repr(run)
    labels = [ax.get_label() for ax in system.plot().axes]
    assert labels == [f"{system.name} plane", f"{system.name} time"]
    axes = {ax.get_label(): ax for ax in run.plot().axes}
    np.testing.assert_array_equal(axes["value"].lines[0].get_ydata(), run.loss)
    np.testing.assert_allclose(run.at(run.t[1]), run.x[1], rtol=1e-9)
    with pytest.raises(tw.DataError, match="outside the run"):
        run.at(11.0)
