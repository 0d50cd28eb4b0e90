"""Where the gradient flow of a deep linear network ends, how fast and why.

>>> import thalweg as tw
>>> problem = tw.Problem.from_target([3.0, 1.0], dims=(2, 2, 2))
>>> problem.dims
(2, 2, 2)

Names are imported when they are first used; ``import thalweg`` costs as much as NumPy, which
everything needs, so that the first flow does not pay for it.
"""

import importlib
from typing import TYPE_CHECKING, Any

import numpy.random as _random

if TYPE_CHECKING:
    from thalweg import (
        basins as basins,
        counterexamples as counterexamples,
        datasets as datasets,
        init as init,
        monitor as monitor,
        nonlinear as nonlinear,
        optimizers as optimizers,
    )
    from thalweg._core import (
        AssumptionError as AssumptionError,
        DataError as DataError,
        DimensionError as DimensionError,
        IntegrationError as IntegrationError,
        MissingExtraError as MissingExtraError,
        StoreError as StoreError,
        ThalwegError as ThalwegError,
        Tolerance as Tolerance,
    )
    from thalweg.basins import (
        sweep as sweep,
    )
    from thalweg.certificate import (
        certify as certify,
    )
    from thalweg.conserved import (
        invariants as invariants,
    )
    from thalweg.counterexamples import (
        gradient_flow as gradient_flow,
    )
    from thalweg.integrate import (
        available_engines as available_engines,
        engine_name as engine_name,
    )
    from thalweg.landscape import (
        atlas as atlas,
        classify as classify,
        critical_point as critical_point,
        excluded as excluded,
    )
    from thalweg.optimizers import (
        descend as descend,
    )
    from thalweg.problem import (
        Problem as Problem,
    )
    from thalweg.trajectory import (
        flow as flow,
    )

__version__: str

_HOME = {
    "AssumptionError": "_core",
    "DataError": "_core",
    "DimensionError": "_core",
    "IntegrationError": "_core",
    "MissingExtraError": "_core",
    "StoreError": "_core",
    "ThalwegError": "_core",
    "Tolerance": "_core",
    "available_engines": "integrate",
    "engine_name": "integrate",
    "Problem": "problem",
    "invariants": "conserved",
    "atlas": "landscape",
    "classify": "landscape",
    "critical_point": "landscape",
    "excluded": "landscape",
    "certify": "certificate",
    "flow": "trajectory",
    "descend": "optimizers",
    "gradient_flow": "counterexamples",
    "sweep": "basins",
}
"""Public name -> the stage that defines it."""

_STAGES = ("basins", "counterexamples", "datasets", "init", "monitor", "nonlinear", "optimizers")
"""Stages that are public as a whole."""

__all__ = [
    "AssumptionError",
    "DataError",
    "DimensionError",
    "IntegrationError",
    "MissingExtraError",
    "Problem",
    "StoreError",
    "ThalwegError",
    "Tolerance",
    "__version__",
    "atlas",
    "available_engines",
    "basins",
    "certify",
    "classify",
    "counterexamples",
    "critical_point",
    "datasets",
    "descend",
    "engine_name",
    "excluded",
    "flow",
    "gradient_flow",
    "init",
    "invariants",
    "monitor",
    "nonlinear",
    "optimizers",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in _STAGES:
        return importlib.import_module(f"thalweg.{name}")
    if name == "__version__":
        return importlib.import_module("thalweg._core").VERSION
    if name in _HOME:
        value = getattr(importlib.import_module(f"thalweg.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'thalweg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
