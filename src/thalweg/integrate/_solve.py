"""Integrate the gradient flow of a network in reduced coordinates."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, IntegrationError, Weights
from thalweg.integrate._controller import MethodChoice
from thalweg.integrate._driver import Driver, Limits
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, instruction_set
from thalweg.integrate._record import Record
from thalweg.integrate._slices import LARGEST, CompiledChoice, CompiledDriver
from thalweg.integrate._solution import Solution
from thalweg.integrate._status import MESSAGES, Status
from thalweg.integrate._store import LargeRecord
from thalweg.network import pack, unpack

METHODS = ("auto", "rock4", "dop853", "rodas4", "bdf")
ENGINES = ("auto", "native", "numpy")
FINEST = 1e-14  # of the root mean square of the weights: below is rounding


def available_engines() -> tuple[str, ...]:
    """Return the names of the engines that this installation can use."""
    return ("native", "numpy") if instruction_set() else ("numpy",)


def engine_name() -> str:
    """Return the engine that ``engine="auto"`` means."""
    return available_engines()[0]


def solve(
    target: Array,
    metric: Array,
    weights: Weights,
    *,
    t_end: float,
    rtol: float = 1e-8,
    atol: float | None = None,
    t0: float = 0.0,
    loss_stop: float = -np.inf,
    gradient_stop: float = 0.0,
    max_steps: int = 1_000_000,
    method: str = "auto",
    engine: str = "auto",
    progress: Callable[..., None] | None = None,
    observe: Callable[[float, Array], None] | None = None,
    state: Driver | None = None,
) -> Solution:
    """Integrate ``dW/dt = -grad 0.5 ||T - W_L ... W_1 D||_F^2`` from `weights` (Spec 2.1).

    Parameters
    ----------
    target, metric
        ``T`` of shape ``(d_y, k)`` and the diagonal of ``D``, shape ``(k,)``.
    weights
        Start, ``W_1`` first; not used when `state` is given.
    t_end
        Time to stop at, may be infinite.
    rtol, atol
        What is asked for with `rtol` is the error of the weights at any time, relative to their
        norm at that time: it stays below about ten times `rtol`. It is often much smaller, since
        a flow that contracts forgets its errors. The means: an accepted step errs by at most
        `atol` in root mean square, without `atol` by `rtol` times the size of the start (small
        starts amplify early errors by their inverse), less for deeper networks; `solve_batch` has
        no such factor for depth.
    loss_stop, gradient_stop
        Stop when the loss or the gradient norm has fallen that far.
    max_steps
        Budget of accepted steps.
    method
        ``"auto"``, ``"dop853"``, ``"rock4"``, ``"bdf"`` or ``"rodas4"``.
    engine
        ``"auto"``, ``"native"`` or ``"numpy"``. Beyond `LARGEST` weights the first and the last
        mean BLAS on blocks, in the memory of about ten sets of weights.
    progress
        Called as ``progress(t, steps, loss)`` about ten times a second.
    observe
        Called as ``observe(t, y)`` at the same moments, with the packed weights.
    state
        ``Solution.state`` of the piece before; goes on from there with the same bits, and with
        its tolerance unless `atol` is given.

    Raises
    ------
    DataError
        If a name is unknown.
    IntegrationError
        If the engine asked for is not there.
    """
    _check_names(method, engine)
    driver = copy.copy(state)
    if driver is None:
        driver = _fresh(target, metric, weights, t0, (method, engine))
    else:
        driver.choice, driver.bdf = copy.copy(driver.choice), copy.copy(driver.bdf)
    driver.counts = dict.fromkeys(driver.counts, 0)
    if state is None:
        size = _rms(driver.y)
        size = size if size > 0 else 1e-3
        driver.tolerance = max(rtol, FINEST) * size * _amplification(driver, size)
    if atol is not None:
        driver.tolerance = atol
    begin = driver.t, driver.loss, float(np.linalg.norm(driver.slope))
    large = not isinstance(driver, CompiledDriver) and driver.y.size > LARGEST
    record = (LargeRecord if large else Record)(begin, driver.y)
    floor = FINEST * _reach(driver)
    driver.tolerance = max(driver.tolerance, floor)
    limits = Limits(t_end, loss_stop, gradient_stop, max_steps, driver.tolerance)
    status = driver.run(limits, record, _told(driver, progress, observe))
    if status is Status.GRADIENT_STOP and gradient_stop == 0 and np.isfinite(t_end):
        driver.rest(limits, record)  # the gradient is zero
        status = Status.T_END
    rows, kept, points = record.close(driver.y)
    shown: Any = slice(None) if large else kept
    return Solution(
        t=rows["t"][shown],
        y=points,
        loss=rows["loss"][shown],
        gradient_norm=rows["gradient_norm"][shown],
        status=status,
        message=MESSAGES[status],
        stats=driver.counts | _engine(driver),
        state=driver,
        _field=driver.field,
        _steps=rows[1:],
        _kept=kept,
        _tolerance=driver.tolerance,
        _again=solve,
    )


def _told(
    driver: Driver,
    progress: Callable[..., None] | None,
    observe: Callable[[float, Array], None] | None,
) -> Callable[..., None] | None:
    if observe is None:
        return progress

    def tell(t: float, steps: int, loss: float) -> None:
        if progress is not None:
            progress(t, steps, loss)
        observe(t, driver.y.copy())

    return tell


def _check_names(method: str, engine: str) -> None:
    if method not in METHODS:
        raise DataError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    if engine not in ENGINES:
        raise DataError(f"unknown engine {engine!r}; choose one of {', '.join(ENGINES)}")
    if engine != "auto" and engine not in available_engines():
        raise IntegrationError(
            f"engine {engine!r} is not built here; use one of {', '.join(available_engines())}"
        )


def _fresh(
    target: Array, metric: Array, weights: Weights, t0: float, names: tuple[str, str]
) -> Driver:
    method, engine = names
    dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    field = Field(target, metric, dims)
    y = packed(weights)
    native = engine == "native" or (engine == "auto" and engine_name() == "native")
    if native and field.size > 0 and (engine == "native" or field.size <= LARGEST):
        core = Core(field)
        driver = CompiledDriver(field, CompiledChoice(field, method), t0, y, *core.rhs(y), 0.0)
        driver.core = core
        return driver
    kind: type[Driver] = Driver
    if field.size > LARGEST:
        from thalweg.integrate._large import LargeDriver  # its BLAS is slow to import

        kind = LargeDriver
    with np.errstate(over="ignore", invalid="ignore"):
        loss, slope = field.rhs(y)
    return kind(field, MethodChoice(field, method), t0, y, loss, slope, 0.0)


def _engine(driver: Driver) -> dict[str, str]:
    if isinstance(driver, CompiledDriver):
        return {"engine": "native", "instruction_set": driver.instruction_set}
    return {"engine": "blas" if driver.y.size > LARGEST else "numpy"}


def _reach(driver: Driver) -> float:
    """Return the size that single weights reach, from the start and the target."""
    depth = len(driver.field.dims) - 1
    least = float(driver.field.metric.min()) if driver.field.metric.size else 1.0
    scale = driver.field.target_norm / least if least > 0 else 0.0
    grown = scale ** (1.0 / depth) / np.sqrt(max(driver.y.size, 1))
    return float(max(_rms(driver.y), min(grown, 1.0)))


def packed(weights: Weights) -> Array:
    """Return the weights one behind the other, without a copy if they lie in memory like that."""
    base = weights[0].base
    if isinstance(base, np.ndarray) and base.ndim == 1 and base.dtype == np.float64:
        views = unpack(base, (weights[0].shape[1], *(weight.shape[0] for weight in weights)))
        if base.size == sum(weight.size for weight in weights) and all(
            one.shape == two.shape and one.ctypes.data == two.ctypes.data and two.flags.c_contiguous
            for one, two in zip(views, weights, strict=True)
        ):
            return base
    return pack(weights)


def _amplification(driver: Driver, size: float) -> float:
    """Return by how much the tolerance must be less than `size` alone asks for.

    On the way from a start of size ``s`` to weights of size ``r``, a deep network enlarges
    relative errors by up to ``(r/s)^(L-2)``: ``dw/dt = w^(L-1)`` has ``dw ~ w^(L-1)``. Half of the
    exponent is what runs need (docs/engine.md).
    """
    dims, metric = driver.field.dims, driver.field.metric
    depth, rank = len(dims) - 1, min(dims)
    if depth <= 2 or not np.any(metric):
        return 1.0
    mean = driver.field.target_norm / np.sqrt(rank) / _rms(metric)  # of the singular values
    reach = np.sqrt(depth * rank / driver.y.size) * mean ** (1.0 / depth)
    return float(min(1.0, (size / reach) ** (0.5 * (depth - 2)))) if reach > 0 else 1.0


def _rms(y: Array) -> float:
    return float(np.sqrt(y @ y / max(y.size, 1)))
