"""CVODE driven wholly from C: right-hand side, Jacobian and loop of `cvode_peer.c`.

The wheel of scikit-sundae bundles SUNDIALS as shared libraries without headers; the C file brings
its own prototypes, is compiled by gcc for this processor on first use, and is linked to them.
"""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from problems import FlowProblem

SOURCE = Path(__file__).with_name("cvode_peer.c")
FLAGS = ("-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-Wall", "-Wextra")
NAMES = ("cvode", "core", "nvecserial", "sunmatrixdense", "sunlinsoldense", "sunlinsollapackdense")
Run = Callable[[float, float], np.ndarray]


@functools.cache
def library() -> ctypes.CDLL | None:
    """Compile and load the peer; ``None`` without a compiler or without the libraries."""
    import sksundae.cvode  # noqa: F401  loads the libraries that come with it

    folder = Path(sksundae.__file__).parents[1] / "scikit_sundae.libs"
    found = [next(iter(folder.glob(f"libsundials_{name}-*.so*")), None) for name in NAMES]
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not all(found):
        return None
    place = Path(tempfile.mkdtemp(prefix="thalweg-bench-"))
    output = place / "cvode_peer.so"
    command = [compiler, *FLAGS, str(SOURCE), "-o", str(output), *map(str, found)]
    subprocess.run([*command, f"-Wl,-rpath,{folder}"], check=True)
    loaded = ctypes.CDLL(str(output))
    loaded.cvode_flow.restype = ctypes.c_int
    shutil.rmtree(place)  # the file is mapped
    return loaded


def cvode_c_run(
    problem: FlowProblem,
    *,
    lapack: bool = True,
    analytic: bool = True,
    loss_stop: float = -1.0,
    budget: int = 200_000,
) -> Run:
    """Return the solver ``(rtol, atol) -> end point``, stopped by time or by the loss."""
    core = library()
    assert core is not None, "no compiler, or SUNDIALS is not bundled"
    dims = np.array(problem.dims, dtype=np.int32)
    target, metric = np.ascontiguousarray(problem.target), np.ascontiguousarray(problem.metric)

    def run(rtol: float, atol: float) -> np.ndarray:
        y, counts = problem.start.copy(), (ctypes.c_long * 2)()
        flag = core.cvode_flow(
            len(dims) - 1,
            *(ctypes.c_void_p(item.ctypes.data) for item in (dims, target, metric, y)),
            *(ctypes.c_double(item) for item in (problem.t_end, loss_stop, rtol, atol)),
            ctypes.c_long(budget),
            int(lapack),
            int(analytic),
            counts,
        )
        assert flag == 0, f"CVODE stopped with code {flag} after {counts[0]} steps"
        return y

    return run
