"""The solvers that are compared: each is a function ``(rtol, atol) -> end point``."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy_field import NumpyField
from problems import FlowProblem

Run = Callable[[float, float], np.ndarray]
DENSE_LIMIT = 600
"""Unknowns up to which a peer may factorize a dense Jacobian."""
BUDGET = 200_000
"""Steps, for every peer."""


def thalweg_run(problem: FlowProblem, engine: str) -> Run:
    from thalweg.integrate import solve

    def run(rtol: float, _atol: float) -> np.ndarray:
        weights = list(problem.weights)
        done = solve(
            problem.target, problem.metric, weights, t_end=problem.t_end, rtol=rtol, engine=engine
        )
        assert done.status.value == "t_end", done.message
        return done.y[-1]

    return run


def cvode_run(problem: FlowProblem, linear: str, method: str = "BDF") -> Run:
    from sksundae.cvode import CVODE, CVODEJacTimes

    field, times = NumpyField(problem), np.array([0.0, 0.5, 1.0]) * problem.t_end

    def rhs(_t, y, yp):
        yp[:] = field.slope(y)

    def jacobian(_t, y, _yp, out):
        field.jacobian(y, out)

    def solve_product(_t, y, _yp, v, image):
        image[:] = field.jacobian_times(y, v)

    if linear == "gmres":
        extra = {"jactimes": CVODEJacTimes(None, solve_product), "krylov_dim": 30}
    else:
        extra = {"jacfn": jacobian}

    def run(rtol: float, atol: float) -> np.ndarray:
        solver = CVODE(
            rhs,
            rtol=rtol,
            atol=atol,
            method=method,
            linsolver=linear,
            max_num_steps=BUDGET,
            **extra,
        )
        done = solver.solve(times, problem.start)
        assert done.success, done.message
        return np.array(done.y[-1])

    return run


def lsoda_run(problem: FlowProblem) -> Run:
    from scipy.integrate import odeint

    field = NumpyField(problem)

    def run(rtol: float, atol: float) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return odeint(
                lambda _t, y: field.slope(y),
                problem.start,
                (0.0, problem.t_end),
                Dfun=(lambda _t, y: field.jacobian(y)),
                tfirst=True,
                rtol=rtol,
                atol=atol,
                mxstep=BUDGET,
            )[-1]

    return run


def scipy_run(problem: FlowProblem, method: str) -> Run:
    from scipy.integrate import solve_ivp

    field = NumpyField(problem)
    implicit = {"jac": lambda _t, y: field.jacobian(y)} if method in ("Radau", "BDF") else {}

    def run(rtol: float, atol: float) -> np.ndarray:
        span = (0.0, problem.t_end)
        done = solve_ivp(
            lambda _t, y: field.slope(y).copy(),
            span,
            problem.start,
            method=method,
            rtol=rtol,
            atol=atol,
            t_eval=[problem.t_end],
            **implicit,
        )
        assert done.success, done.message
        return done.y[:, -1]

    return run


def diffrax_run(problem: FlowProblem, method: str) -> Run:
    import diffrax
    import jax
    import jax.numpy as jnp

    target, metric = jnp.asarray(problem.target), jnp.asarray(problem.metric)
    depth = len(problem.weights)

    def slope(_t, w, _args):
        back = [w[-1]]
        for j in range(depth - 2, -1, -1):
            back.insert(0, back[0] @ w[j])
        signal = (target - back[0] * metric) * metric
        out = []
        for j in range(depth - 1):
            out.append(back[j + 1].T @ signal)
            signal = signal @ w[j].T
        return (*out, signal)

    @jax.jit
    def solve(start, rtol, atol):
        done = diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            getattr(diffrax, method)(),
            0.0,
            problem.t_end,
            None,
            start,
            saveat=diffrax.SaveAt(t1=True),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
            max_steps=BUDGET,
            adjoint=diffrax.ForwardMode(),
            throw=False,
        )
        return done.ys, done.result == diffrax.RESULTS.successful

    start = tuple(jnp.asarray(w) for w in problem.weights)

    def run(rtol: float, atol: float) -> np.ndarray:
        end, fine = solve(start, rtol, atol)
        assert bool(fine), "diffrax did not reach the end"
        return np.concatenate([np.asarray(w)[-1].ravel() for w in end])

    return run


def solvers(problem: FlowProblem) -> dict[str, Run]:
    """Return the solvers that make sense for the size of the problem."""
    small = problem.size <= DENSE_LIMIT
    runs = {
        "thalweg (native)": thalweg_run(problem, "native"),
        "thalweg (NumPy)": thalweg_run(problem, "numpy"),
        "CVODE BDF gmres": cvode_run(problem, "gmres"),
    }
    if small:
        runs["CVODE BDF dense"] = cvode_run(problem, "dense")
        runs["CVODE BDF lapackdense"] = cvode_run(problem, "lapackdense")
        runs["SciPy LSODA (odeint)"] = lsoda_run(problem)
        runs["SciPy Radau"] = scipy_run(problem, "Radau")
    runs["SciPy DOP853"] = scipy_run(problem, "DOP853")
    runs["diffrax Tsit5"] = diffrax_run(problem, "Tsit5")
    if small:
        runs["diffrax Kvaerno5"] = diffrax_run(problem, "Kvaerno5")
    return runs
