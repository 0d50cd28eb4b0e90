"""An integration in the compiled core, a slice of steps at a time.

The state between two slices is that of the NumPy driver, so that results, checkpoints and
restarts are alike. How long a slice is does not change its results.
"""

import math
import operator
import time
from collections.abc import Callable

import numpy as np

from thalweg._core import Array, IntegrationError
from thalweg.integrate._controller import MethodChoice
from thalweg.integrate._curvature import LARGEST_DENSE
from thalweg.integrate._driver import Driver, Limits
from thalweg.integrate._field import Field
from thalweg.integrate._native import Core, CoreLimits, CoreState
from thalweg.integrate._record import Record
from thalweg.integrate._spectral import first_vector
from thalweg.integrate._status import Status
from thalweg.integrate._store import LargeRecord

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
own, choice_of = operator.attrgetter(*OWN), operator.attrgetter(*CHOICE, *HIDDEN)
choice_in, counts_in = operator.attrgetter(*CHOICE, *SHOWN), operator.attrgetter(*COUNTS)


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


class CompiledDriver(Driver):
    """State of an integration between two slices.

    `core` is there before the first slice at most: two threads may go on from the same state.
    """

    core: Core | None = None
    instruction_set: str = ""
    memory: Array | None = None  # of the multistep method

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
        told = time.monotonic()
        try:
            while True:
                status = self._slice(core, limits, record)
                alone = not (self._dense or self.choice.multistep)
                while status is None and alone and self.choice.implicit:
                    status = self._finished(limits) or self._step(limits, record)
                if status is not None:
                    return status
                if progress is not None and time.monotonic() - told > 0.1:
                    told = time.monotonic()
                    progress(self.t, self.counts["steps"], self.loss)
        except KeyboardInterrupt:
            return Status.INTERRUPTED

    @property
    def _dense(self) -> bool:
        return self.field.size <= LARGEST_DENSE

    def _slice(self, core: Core, limits: Limits, record: Record) -> Status | None:
        state, room = self._save(), record.room()
        y, slope = self.y.copy(), self.slope.copy()
        vector = self.vector
        if vector is None:
            vector = first_vector(self.field.size)
        vector = vector.copy()
        memory = np.zeros(core.memory_size) if self.memory is None else self.memory.copy()
        code, count = core.run(
            state,
            CoreLimits(
                limits.t_end,
                limits.loss_stop,
                limits.gradient_stop,
                SECONDS,
                limits.max_steps,
                len(room[0]),
                int(self._dense),
            ),
            (y, slope, vector),
            memory,
            room,
        )
        if code not in STATUS and code not in {0, IMPLICIT}:
            raise IntegrationError("not enough memory for the dense Hessian; use method='rock4'")
        record.took(count)
        self._restore(state, y, slope, vector)
        self.memory = memory
        return STATUS.get(code)

    def _save(self) -> CoreState:
        choice = self.choice
        state = CoreState(
            **dict(zip(OWN, own(self), strict=True)),
            **dict(zip((*CHOICE, *SHOWN), choice_of(choice), strict=True)),
            **self.counts,
        )
        tried = choice._tried_from  # noqa: SLF001
        state.tried_from = math.nan if tried is None else tried
        state.rhs_cost, state.implicit_cost = choice.rhs, choice.step
        state.implicit, state.fixed = choice.implicit, choice._fixed is not None  # noqa: SLF001
        state.high, state.free, state.multistep = choice.high, choice.free, choice.multistep
        state.has_vector = self.vector is not None
        return state

    def _restore(self, state: CoreState, y: Array, slope: Array, vector: Array) -> None:
        choice = self.choice
        vars(self).update(zip(OWN, own(state), strict=True))
        vars(choice).update(zip((*CHOICE, *HIDDEN), choice_in(state), strict=True))
        self.curvature = None
        self.counts = dict(zip(COUNTS, counts_in(state), strict=True))
        tried = state.tried_from
        choice._tried_from = None if math.isnan(tried) else tried  # noqa: SLF001
        choice.implicit, choice.high = bool(state.implicit), bool(state.high)
        self.y, self.slope = y, slope
        self.vector = vector if state.has_vector else None
