"""The solvers that are compared: each is a function ``(rtol, atol) -> end point``."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from cvode_c import cvode_c_run, library
from numpy_field import NumpyField
from problems import FlowProblem

Run = Callable[[float, float], np.ndarray]
DENSE_LIMIT = 600
"""Unknowns up to which a peer may factorize a dense Jacobian."""
BUDGET = 200_000
"""Steps, for every peer."""
IMPLICIT_BUDGET = 4_000
"""Steps of diffrax with dense systems, which take it a minute."""
SMALL = 1e-12
"""Loss, as a share of half the squared target, up to which peers run for the limit: an error of
1e-6 in the end-to-end map."""


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


def limit_run(problem: FlowProblem) -> tuple[float, np.ndarray] | None:
    """Return when the loss has fallen to `SMALL` of the target, and the limit; ``None`` if far.

    The limit comes from a run at the tightest tolerance with its tail closed.
    """
    done = limit_solver(problem)(1e-11)
    if done is None:
        return None
    from thalweg.integrate import solve

    level = SMALL * 0.5 * float(np.sum(problem.target**2))
    run = solve(
        *(problem.target, problem.metric, list(problem.weights)),
        t_end=np.inf,
        rtol=1e-9,
        loss_stop=level,
        max_steps=20_000,
    )
    return (float(run.t[-1]), done) if run.loss[-1] <= level else None


def limit_solver(problem: FlowProblem) -> Callable[[float], np.ndarray | None]:
    """Return what integrates until the limit is decided and closes the tail, without verdict."""
    from thalweg.certificate import levels
    from thalweg.problem import Compression
    from thalweg.trajectory._decide import Runner, run_until_decided

    def decide(rtol: float) -> np.ndarray | None:
        whole = Compression(
            weights=list(problem.weights),
            target=problem.target,
            metric=problem.metric,
            frames=[None] * (len(problem.weights) + 1),
            exact=True,
        )
        known = levels(problem.target, min(problem.dims))
        runner = Runner(start=whole, levels=known, rtol=rtol, max_steps=20_000, options={})
        jump = run_until_decided(runner).jump
        return None if jump is None else np.concatenate([w.ravel() for w in jump.weights])

    return decide


def tail_solvers(problem: FlowProblem) -> dict[str, Run]:
    """Return the ways to the limit: thalweg's own, and the fastest peers up to `problem.t_end`."""
    import thalweg as tw

    public = tw.Problem.from_target(problem.target, dims=problem.dims, D=problem.metric)

    decide = limit_solver(problem)

    def closed(rtol: float, _atol: float) -> np.ndarray:
        end = decide(rtol)
        assert end is not None, "not decided"
        return end

    def whole(rtol: float, _atol: float) -> np.ndarray:
        run = tw.flow(public, list(problem.weights), rtol=rtol)
        assert run.status == "limit", run.message
        return np.concatenate([w.ravel() for w in run.final])

    def named(rtol: float, _atol: float) -> np.ndarray:
        run = tw.flow(public, list(problem.weights), rtol=rtol)
        assert run.limit.verdict.kind == "global_minimum", run.message
        return np.concatenate([w.ravel() for w in run.limit.weights])

    runs = {
        "thalweg, to the limit": closed,
        "thalweg.flow": whole,
        "thalweg.flow, with verdict": named,
    }
    for name, run in solvers(problem).items():
        if name.startswith(("CVODE BDF lapack", "CVODE in C", "CVODE BDF gmres", "diffrax Tsit5")):
            runs[name] = run
    return runs


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
            max_steps=BUDGET if method == "Tsit5" else IMPLICIT_BUDGET,
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
        if library() is not None:
            runs["CVODE in C, dense"] = cvode_c_run(problem, lapack=False, budget=BUDGET)
            runs["CVODE in C, lapackdense"] = cvode_c_run(problem, budget=BUDGET)
        runs["SciPy LSODA (odeint)"] = lsoda_run(problem)
        runs["SciPy Radau"] = scipy_run(problem, "Radau")
    runs["SciPy DOP853"] = scipy_run(problem, "DOP853")
    runs["diffrax Tsit5"] = diffrax_run(problem, "Tsit5")
    if small:
        runs["diffrax Kvaerno5"] = diffrax_run(problem, "Kvaerno5")
    return runs
