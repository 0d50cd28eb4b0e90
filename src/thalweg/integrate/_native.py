"""The compiled core: which library fits this processor, and its functions.

``THALWEG_ENGINE`` = ``numpy``, ``generic``, ``avx2`` or ``avx512`` overrides the choice.
"""

import ctypes
import functools
import os
from pathlib import Path
from typing import Any

import numpy as np

from thalweg._core import Array, IntegrationError
from thalweg.integrate._field import Field
from thalweg.integrate._record import Table

LEVELS = ("generic", "avx2", "avx512")
INTERFACE = 7
VARIABLE = "THALWEG_ENGINE"
FOLDER = Path(__file__).parents[1] / "_native"

Double, Integer, Pointer = ctypes.c_double, ctypes.c_int64, ctypes.c_void_p


class CoreState(ctypes.Structure):
    """Everything an integration knows between two steps besides its vectors."""

    _fields_ = [
        *(
            (name, Double)
            for name in (
                *("t", "loss", "h", "radius", "error", "tolerance", "ceiling", "quiet"),
                *("rival", "tried_from", "rhs_cost", "implicit_cost", "seen"),
                *("lead", "left", "left_step", "lift"),
            )
        ),
        *(
            (name, Integer)
            for name in (
                *("implicit", "fixed", "wait", "patience", "since", "turn", "calm", "high", "age"),
                *("free", "multistep", "has_vector", "steps"),
                *("rejected", "rhs", "factorizations", "explicit_steps", "implicit_steps"),
                "taken",
            )
        ),
    ]


class CoreLimits(ctypes.Structure):
    """When a slice of steps ends."""

    _fields_ = [
        *((name, Double) for name in ("t_end", "loss_stop", "gradient_stop", "seconds")),
        ("max_steps", Integer),
        ("capacity", Integer),
        ("dense", Integer),
    ]


class CoreTail(ctypes.Structure):
    """How the tail of a run is closed, and what is known of its limit."""

    _fields_ = [
        *(
            (name, Double)
            for name in (
                *("least", "smallest", "goal", "rtol", "gradient_stop"),
                *("loss_stop", "rest", "length", "error"),
            )
        ),
        ("predictions", Integer),
        ("landed", Integer),
    ]


SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "thalweg_cpu_level": (ctypes.c_int, []),
    "thalweg_interface": (ctypes.c_int, []),
    "thalweg_open": (Pointer, [ctypes.c_int, Pointer, Pointer, Pointer]),
    "thalweg_close": (None, [Pointer]),
    "thalweg_run": (ctypes.c_int, [Pointer] * 8),
    "thalweg_memory": (Integer, [Pointer]),
    "thalweg_rhs": (Double, [Pointer] * 3),
    "thalweg_hessian_product": (None, [Pointer] * 4),
    "thalweg_hessian": (ctypes.c_int, [Pointer] * 3),
    "thalweg_advance": (Double, [Pointer, Pointer, Double, Pointer, Pointer]),
    "thalweg_close_tail": (Double, [Pointer] * 3),
    "thalweg_time_rhs": (Double, [Pointer, Pointer, Integer]),
    "thalweg_combine": (Double, [ctypes.c_int, Pointer, Pointer, Integer, Integer, Pointer]),
    "thalweg_combine_two": (None, [Pointer] * 3 + [Integer] * 2 + [Pointer] * 2),
}


def wanted() -> str:
    """Return the instruction set that the environment asks for, else the empty string."""
    if VARIABLE not in os.environ:  # quicker than to get what is not there
        return ""
    return os.environ[VARIABLE].strip().lower()


def instruction_set() -> str | None:
    """Return the instruction set of the compiled core to use, or ``None`` for NumPy."""
    asked = wanted()
    if asked == "numpy":
        return None
    usable = instruction_sets()
    if asked in LEVELS:
        if asked not in usable:
            _tell("warning", f"THALWEG_ENGINE={asked} is not there; computing with NumPy")
            return None
        return asked
    if not usable:
        _tell("info", "no compiled core is installed; computing with NumPy")
        return None
    return usable[-1]


def _tell(level: str, text: str) -> None:
    import logging  # slow to import, rarely needed

    getattr(logging.getLogger(__name__), level)(text)


@functools.cache
def instruction_sets() -> tuple[str, ...]:
    """Return the instruction sets that are built and that this processor has."""
    generic = load("generic")
    if generic is None:
        return ()
    level = int(generic.thalweg_cpu_level())
    return tuple(name for name in LEVELS[: level + 1] if load(name) is not None)


@functools.cache
def load(name: str) -> ctypes.CDLL | None:
    """Return a library, or ``None`` when it is missing or of another version."""
    try:
        library = ctypes.CDLL(str(FOLDER / f"{name}.so"))
        for function, (result, arguments) in SIGNATURES.items():
            getattr(library, function).restype = result
            getattr(library, function).argtypes = arguments
        fits = library.thalweg_interface() == INTERFACE
    except (OSError, AttributeError):
        return None
    return library if fits else None


class Core:
    """A field in the compiled core. One thread at a time may use it."""

    def __init__(self, field: Field, name: str | None = None) -> None:
        chosen = name or instruction_set() or "numpy"
        library = load(chosen) if chosen in instruction_sets() else None
        if library is None:
            raise IntegrationError(f"the compiled core {chosen!r} is not there; use engine='numpy'")
        self.name, self.field, self.size, self._library = chosen, field, field.size, library
        self._handle: int | None = None
        self._handle = library.thalweg_open(
            len(field.dims) - 1,
            (Integer * len(field.dims))(*field.dims),
            _input(field.target, field.dims[-1] * field.dims[0]),
            _input(field.metric, field.dims[0]),
        )
        if not self._handle:
            raise IntegrationError("not enough memory for the compiled core; use a smaller network")

    @functools.cached_property
    def carried_size(self) -> int:
        """Doubles that a run carries besides its state: three vectors and a memory."""
        return 3 * self.size + int(self._library.thalweg_memory(self._handle))

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.thalweg_close(self._handle)
            self._handle = None

    def rhs(self, y: Array) -> tuple[float, Array]:
        """Return the loss and ``dy/dt``."""
        slope = np.empty(self.size)
        loss = self._library.thalweg_rhs(self._handle, _input(y, self.size), _output(slope))
        return loss, slope

    def hessian_product(self, y: Array, v: Array) -> Array:
        """Return the Hessian of the loss at `y` times `v`."""
        n, image = self.size, np.empty(self.size)
        self._library.thalweg_hessian_product(
            self._handle, _input(y, n), _input(v, n), _output(image)
        )
        return image

    def hessian(self, y: Array) -> Array:
        """Return the dense Hessian of the loss at `y`."""
        out = np.empty((self.size, self.size))
        if self._library.thalweg_hessian(self._handle, _input(y, self.size), _output(out)):
            raise IntegrationError("not enough memory for the dense Hessian; use method='rock4'")
        return out

    def advance(self, y: Array, h: float) -> tuple[Array, float, float]:
        """Take one step of order eight; return the point, its loss and gradient norm."""
        out, norm = np.empty(self.size), Double(0.0)
        loss = self._library.thalweg_advance(
            self._handle, _input(y, self.size), h, _output(out), ctypes.byref(norm)
        )
        if np.isnan(loss):
            raise IntegrationError("not enough memory for steps of order eight; use method='rock4'")
        return out, float(loss), norm.value

    def close_tail(self, y: Array) -> tuple[Array, float]:
        """Return where Gauss-Newton leads from `y`, and ``|M|`` there in multiples of rounding.

        The second is NaN where ``J J^T`` is singular or memory is short.
        """
        out = np.empty(self.size)
        rest = self._library.thalweg_close_tail(self._handle, _input(y, self.size), _output(out))
        return out, float(rest)

    def time_rhs(self, y: Array, repeats: int) -> float:
        """Return the seconds that one right-hand side takes."""
        return float(self._library.thalweg_time_rhs(self._handle, _input(y, self.size), repeats))

    def run(
        self,
        state: CoreState,
        limits: CoreLimits,
        carried: Array,
        room: tuple[Table, Array],
        landing: tuple[CoreTail, Array] | None = None,
    ) -> int:
        """Take a slice of steps and return the status; `state` tells how many rows were written.

        `carried` is overwritten: the weights, the slope, the vector of the power method, and a
        memory; slope and memory are zero at the beginning of a run. `room` is for a row and a point
        for each step, and for the start in the first slice. With `landing` the run goes on from
        where its loss stops it until its limit is known, which is written there.

        Raises
        ------
        IntegrationError
            If an array is of the wrong length.
        """
        if carried.shape != (self.carried_size,):
            raise IntegrationError(f"the core needs {self.carried_size} entries")
        rows, points = room
        if not limits.capacity <= len(rows) == len(points) or points.shape[1] != self.size:
            raise IntegrationError(f"{limits.capacity} steps do not fit into {points.shape}")
        tail, limit = (None, None) if landing is None else landing
        if limit is not None and limit.shape != (self.size,):
            raise IntegrationError(f"the core needs room for a limit of {self.size} entries")
        return int(
            self._library.thalweg_run(
                self._handle,
                ctypes.byref(state),
                ctypes.byref(limits),
                _output(carried),
                _output(rows),
                _output(points),
                None if tail is None else ctypes.byref(tail),
                None if limit is None else _output(limit),
            )
        )


def _input(values: Array, size: int) -> bytes:
    """Return what the core reads, row by row; quicker than asking an array for its address."""
    if values.size != size:
        raise IntegrationError(f"got {values.size} entries, the network needs {size}")
    return np.asarray(values, dtype=np.float64).tobytes()


def address(values: Array) -> int:
    """Return where numbers begin; quicker than ``values.ctypes.data``."""
    return int(values.__array_interface__["data"][0])


def _output(values: Array | Table) -> Any:
    """Return where the core writes; arrays that are read-only or not contiguous are refused."""
    return ctypes.byref(Double.from_buffer(values.data))
