"""An integration in the compiled core, a slice of steps at a time.

How long a slice is does not change its results.
"""

import functools
import math
import operator
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import Array, IntegrationError
from thalweg.integrate._controller import MethodChoice
from thalweg.integrate._curvature import LARGEST_DENSE
from thalweg.integrate._driver import REFRESH, Driver, Limits
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, CoreLimits, CoreState, CoreTail
from thalweg.integrate._record import Record
from thalweg.integrate._solution import REST
from thalweg.integrate._spectral import first_vector
from thalweg.integrate._status import Status
from thalweg.integrate._store import LargeRecord
from thalweg.integrate._tail import Landing

SECONDS = 0.03  # of a slice
LARGEST = 100_000  # unknowns beyond which BLAS on blocks takes less memory and soon less time
IMPLICIT = 8  # code of a slice that ends because an implicit step is due that NumPy has to take
STATUS = {
    1: Status.T_END,
    2: Status.LOSS_STOP,
    3: Status.GRADIENT_STOP,
    4: Status.MAX_STEPS,
    5: Status.DIVERGED,
    6: Status.NON_FINITE,
    7: Status.STEP_TOO_SMALL,
}
OWN = ("t", "loss", "h", "radius", "error", "tolerance", "age")
CHOICE = ("ceiling", "quiet", "rival", "lead", "left", "left_step", "lift")
HIDDEN = ("_wait", "_patience", "_since", "_turn", "_calm", "_seen")  # of the choice
SHOWN = tuple(name[1:] for name in HIDDEN)
COUNTS = ("steps", "rejected", "rhs", "factorizations", "explicit_steps", "implicit_steps")
counts_in = operator.attrgetter(*COUNTS)


class CompiledChoice(MethodChoice):
    """The choice of the method at the cost of the compiled core."""

    def __init__(self, field: Field, method: str) -> None:
        super().__init__(field, method)
        n, depth = field.size, len(field.dims) - 1
        self.rhs = 4e-8 * depth + 6.0 * field.dims[-1] * n / 8e10
        if self.multistep:
            self.step = 8e-7 + 5.0 * self.rhs + self.systems / 2e10
        elif n <= LARGEST_DENSE:
            dense = 2.5 * n * self.rhs + n**3 / 3 / 8e9 + 2e-9 * n**2
            self.step = dense + 6 * (self.rhs + 1.5e-9 * n**2)


def _held(name: str) -> Any:
    return property(lambda self: getattr(self.state, name), doc=f"`{name}` of the state.")


class CompiledDriver:
    """State of an integration between two slices.

    `core` is there before the first slice at most: two threads may go on from the same state,
    whose arrays are not written to.
    """

    landing: Landing | None = None  # where the last run ends, if its tail has been closed
    t, loss, radius = _held("t"), _held("loss"), _held("radius")

    def __init__(self, core: Core, method: str, t: float, y: Array) -> None:
        self.field, self.method = core.field, method
        field = core.field
        self.core: Core | None = core
        self.instruction_set, n = core.name, field.size
        self.carried = np.zeros(core.carried_size)
        self.carried[:n], self.carried[2 * n : 3 * n] = y, first_vector(n)
        metric = np.asarray(field.metric, dtype=np.float64).tobytes()
        self.state = CoreState.from_buffer_copy(_first(field.dims, metric, method))
        self.state.t = t

    @property
    def fresh(self) -> bool:
        """Whether no slice has been taken: loss and slope are not known yet."""
        return bool(self.state.taken < 0)

    @property
    def y(self) -> Array:
        """Packed weights."""
        return self.carried[: self.field.size]

    @property
    def slope(self) -> Array:
        """Their negative gradient."""
        return self.carried[self.field.size : 2 * self.field.size]

    def gradient_norm(self) -> float:
        """Return the norm of the slope."""
        slope = self.slope
        return math.sqrt(float(slope.dot(slope)))

    @property
    def tolerance(self) -> float:
        """Error of a step in root mean square."""
        return float(self.state.tolerance)

    @tolerance.setter
    def tolerance(self, value: float) -> None:
        self.state.tolerance = value

    @property
    def counts(self) -> dict[str, int]:
        """What the run has cost."""
        return dict(zip(COUNTS, counts_in(self.state), strict=True))

    def branch(self) -> "CompiledDriver":
        """Return a driver that goes on from here, its counts at zero."""
        out = CompiledDriver.__new__(CompiledDriver)
        vars(out).update(vars(self), core=None, state=CoreState.from_buffer_copy(self.state))
        for name in COUNTS:
            setattr(out.state, name, 0)
        return out

    def run(
        self,
        limits: Limits,
        record: Record | LargeRecord,
        progress: Callable[..., None] | None,
    ) -> Status:
        """Step until something stops it. Ctrl-C keeps what there is."""
        assert isinstance(record, Record)  # noqa: S101  blocks of rows are filled in place
        core, self.core = self.core or Core(self.field), None
        self.instruction_set = core.name
        self.landing = None
        tail = None if limits.tail is None else limits.tail.begin(self.field.size)
        alone = not (self._dense or self.state.multistep)
        told = time.monotonic()
        try:
            while True:
                status = self._slice(core, limits, record, tail)
                if status is None and alone and self.state.implicit:
                    status = self._implicit(limits, record)
                if status is not None:
                    self.landing = None if tail is None else Landing.of(tail)
                    return status
                if progress is not None and time.monotonic() - told > 0.1:
                    told = time.monotonic()
                    progress(self.t, self.state.steps, self.loss)
        except KeyboardInterrupt:
            if self.fresh:
                loss, slope = Core(self.field).rhs(self.y)
                record.add((self.t, loss, float(np.linalg.norm(slope)), 0.0, 0), self.y)
            return Status.INTERRUPTED

    def rest(self, limits: Limits, record: Record | LargeRecord) -> None:
        """Go to the end without a step: nothing moves any more."""
        state, length = self.state, limits.t_end - self.t
        norm = self.gradient_norm()
        record.add((limits.t_end, self.loss, norm, length, REST), self.y)
        state.t = limits.t_end
        state.steps += 1

    @property
    def _dense(self) -> bool:
        return self.field.size <= LARGEST_DENSE

    def _slice(
        self, core: Core, limits: Limits, record: Record, tail: tuple[CoreTail, Array] | None
    ) -> Status | None:
        """Take steps with a copy of the state, which Ctrl-C therefore leaves whole."""
        state, carried = CoreState.from_buffer_copy(self.state), self.carried.copy()
        room = record.room()
        code = core.run(
            state,
            CoreLimits(
                limits.t_end,
                limits.loss_stop,
                limits.gradient_stop,
                SECONDS,
                limits.max_steps,
                len(room[0]),
                self._dense,
            ),
            carried,
            room,
            tail,
        )
        if code not in STATUS and code not in {0, IMPLICIT}:
            raise IntegrationError("not enough memory for the dense Hessian; use method='rock4'")
        record.took(state.taken)
        self.state, self.carried = state, carried
        return STATUS.get(code)

    def _implicit(self, limits: Limits, record: Record) -> Status | None:
        """Take in NumPy the implicit steps that are due: their systems are too large here."""
        state, carried, n = CoreState.from_buffer_copy(self.state), self.carried.copy(), self.y.size
        y, slope, vector = carried[: 3 * n].reshape(3, n)
        driver = Driver(self.field, self._choice(), self.t, y, self.loss, slope, self.tolerance)
        for name in OWN:
            setattr(driver, name, getattr(state, name))
        driver.vector = vector if state.has_vector else None
        driver.counts = self.counts
        status = None
        try:
            while status is None and driver.choice.implicit:
                status = driver._finished(limits) or driver._step(limits, record)  # noqa: SLF001
        finally:
            for name in OWN:
                setattr(state, name, getattr(driver, name))
            for name, count in driver.counts.items():
                setattr(state, name, count)
            _write(driver.choice, state)
            if driver.vector is not None:
                state.has_vector, vector[:] = True, driver.vector
            y[:], slope[:] = driver.y, driver.slope
            self.state, self.carried = state, carried
        return status

    def _choice(self) -> MethodChoice:
        choice, state = CompiledChoice(self.field, self.method), self.state
        for name, held in zip((*CHOICE, *HIDDEN), (*CHOICE, *SHOWN), strict=True):
            setattr(choice, name, getattr(state, held))
        choice._tried_from = None if math.isnan(state.tried_from) else state.tried_from  # noqa: SLF001
        choice.implicit, choice.high = bool(state.implicit), bool(state.high)
        return choice


def _write(choice: MethodChoice, state: CoreState) -> None:
    for name, held in zip((*CHOICE, *HIDDEN), (*CHOICE, *SHOWN), strict=True):
        setattr(state, held, getattr(choice, name))
    tried = choice._tried_from  # noqa: SLF001
    state.tried_from = math.nan if tried is None else tried
    state.implicit, state.high = choice.implicit, choice.high


@functools.lru_cache(maxsize=64)
def _first(dims: tuple[int, ...], metric: bytes, method: str) -> bytes:
    """Return the state that a run begins with; one shape and metric has many starts."""
    field = Field(np.empty((dims[-1], dims[0])), np.frombuffer(metric), dims)
    choice, state = CompiledChoice(field, method), CoreState(error=1.0, age=REFRESH, taken=-1)
    _write(choice, state)
    state.rhs_cost, state.implicit_cost = choice.rhs, choice.step
    state.fixed, state.free = choice._fixed is not None, choice.free  # noqa: SLF001
    state.multistep = choice.multistep
    return bytes(state)
