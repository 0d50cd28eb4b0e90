"""Integrate the gradient flow of a network in reduced coordinates."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, IntegrationError, Weights
from thalweg.integrate._controller import MethodChoice
from thalweg.integrate._driver import Driver, Limits
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, instruction_set
from thalweg.integrate._record import Record
from thalweg.integrate._slices import LARGEST, CompiledDriver
from thalweg.integrate._solution import Solution
from thalweg.integrate._status import MESSAGES, Status
from thalweg.integrate._store import LargeRecord
from thalweg.integrate._tail import Tail
from thalweg.network import pack, unpack

METHODS = ("auto", "rock4", "dop853", "rodas4", "bdf")
ENGINES = ("auto", "native", "numpy")
SMALL = 10_000  # weights that are copied without asking whether they have to be
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
    state: Driver | CompiledDriver | None = None,
    tail: Tail | None = None,
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
    tail
        Where `loss_stop` ends the run, go on until the limit is known (`Solution.landing`).
        Without a compiled core the run ends at `loss_stop` all the same.

    Raises
    ------
    DataError
        If a name is unknown.
    IntegrationError
        If the engine asked for is not there.
    """
    core = _core_for(method, engine)
    if state is None:
        dims = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
        field, y = Field(target, metric, dims), packed(weights)
        if core is not None and y.size > 0 and (engine == "native" or y.size <= LARGEST):
            driver: Driver | CompiledDriver = CompiledDriver(Core(field, core), method, t0, y)
        else:
            driver = _plain(field, method, t0, y)
        size = _rms(y)
        reach = size if size > 0 else 1e-3
        driver.tolerance = max(rtol, FINEST) * reach * _amplification(field, reach)
    else:
        driver = state.branch()
        size = _rms(driver.y)
    if atol is not None:
        driver.tolerance = atol
    if driver.tolerance < FINEST * max(size, 1.0):
        driver.tolerance = max(driver.tolerance, FINEST * _reach(driver.field, size))
    large = not isinstance(driver, CompiledDriver) and driver.y.size > LARGEST
    record: Record | LargeRecord
    if isinstance(driver, CompiledDriver) and driver.fresh:
        record = Record(None, driver.y)  # which the core begins with the start
    else:
        begin = driver.t, driver.loss, driver.gradient_norm()
        record = (LargeRecord if large else Record)(begin, driver.y)
    limits = Limits(t_end, loss_stop, gradient_stop, max_steps, driver.tolerance, tail)
    status = driver.run(limits, record, _told(driver, progress, observe))
    if status is Status.GRADIENT_STOP and gradient_stop == 0 and np.isfinite(t_end):
        driver.rest(limits, record)  # the gradient is zero
        status = Status.T_END
    rows, kept, points = record.close(driver.y)
    shown: Any = slice(None) if large or len(kept) == len(rows) else kept
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
        landing=driver.landing if isinstance(driver, CompiledDriver) else None,
        _tolerance=driver.tolerance,
        _again=solve,
    )


def _told(
    driver: Driver | CompiledDriver,
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


def _core_for(method: str, engine: str) -> str | None:
    """Check the names and return the compiled core to use, if it is there and wanted."""
    if method not in METHODS:
        raise DataError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    if engine not in ENGINES:
        raise DataError(f"unknown engine {engine!r}; choose one of {', '.join(ENGINES)}")
    core = None if engine == "numpy" else instruction_set()
    if engine == "native" and core is None:
        raise IntegrationError(
            f"engine {engine!r} is not built here; use one of {', '.join(available_engines())}"
        )
    return core


def _plain(field: Field, method: str, t0: float, y: Array) -> Driver:
    kind: type[Driver] = Driver
    if field.size > LARGEST:
        from thalweg.integrate._large import LargeDriver  # its BLAS is slow to import

        kind = LargeDriver
    with np.errstate(over="ignore", invalid="ignore"):
        loss, slope = field.rhs(y)
    return kind(field, MethodChoice(field, method), t0, y, loss, slope, 0.0)


def _engine(driver: Driver | CompiledDriver) -> dict[str, str]:
    if isinstance(driver, CompiledDriver):
        return {"engine": "native", "instruction_set": driver.instruction_set}
    return {"engine": "blas" if driver.y.size > LARGEST else "numpy"}


def _reach(field: Field, size: float) -> float:
    """Return the size that single weights reach, from that of the start and the target."""
    least = float(field.metric.min()) if field.metric.size else 1.0
    scale = field.target_norm / least if least > 0 else 0.0
    grown = scale ** (1.0 / (len(field.dims) - 1)) / math.sqrt(max(field.size, 1))
    return float(max(size, min(grown, 1.0)))


def packed(weights: Weights) -> Array:
    """Return the weights one behind the other, without a copy if they lie in memory like that."""
    base = weights[0].base
    if (  # a look at how few of them lie takes longer than a copy
        isinstance(base, np.ndarray)
        and base.size > SMALL
        and base.ndim == 1
        and base.dtype == np.float64
    ):
        views = unpack(base, (weights[0].shape[1], *(weight.shape[0] for weight in weights)))
        if base.size == sum(weight.size for weight in weights) and all(
            one.shape == two.shape and one.ctypes.data == two.ctypes.data and two.flags.c_contiguous
            for one, two in zip(views, weights, strict=True)
        ):
            return base
    return pack(weights)


def _amplification(field: Field, size: float) -> float:
    """Return by how much the tolerance must be less than `size` alone asks for.

    On the way from a start of size ``s`` to weights of size ``r``, a deep network enlarges
    relative errors by up to ``(r/s)^(L-2)``: ``dw/dt = w^(L-1)`` has ``dw ~ w^(L-1)``. Half of the
    exponent is what runs need (docs/engine.md).
    """
    depth, rank = len(field.dims) - 1, min(field.dims)
    if depth <= 2 or not np.any(field.metric):
        return 1.0
    mean = field.target_norm / math.sqrt(rank) / _rms(field.metric)  # of the singular values
    reach = math.sqrt(depth * rank / field.size) * mean ** (1.0 / depth)
    return float(min(1.0, (size / reach) ** (0.5 * (depth - 2)))) if reach > 0 else 1.0


def _rms(y: Array) -> float:
    return math.sqrt(float(y.dot(y)) / max(y.size, 1))
