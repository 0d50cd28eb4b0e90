"""Families of starts: by name from `thalweg.init`, or any function ``(p, *, rng, ...)``."""

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thalweg import init
from thalweg._core import Array, DataError, as_scalar, as_weights
from thalweg.basins.plan._streams import generator, normals
from thalweg.init import start_dims
from thalweg.problem import Problem

NAMES = (
    *("gaussian", "orthogonal", "balanced", "lambda_balanced", "exponential"),
    "with_imbalance",
)
GIVEN = "given"
"""The family of starts that were handed over as arrays."""
STRUCTURE = {
    "orthogonal": "all singular values of a layer are equal",
    "balanced": "every C_j is zero",
    "lambda_balanced": "every C_j is a multiple of the identity",
    "exponential": "the C_j are prescribed",
    "with_imbalance": "the C_j are prescribed",
}
"""What is exact in the families that fill no open set."""


@dataclasses.dataclass(frozen=True)
class Family:
    """How starts are drawn.

    Attributes
    ----------
    name
        A function of `thalweg.init`, ``"given"``, or the qualified name of a user's function.
    function
        The user's function, ``None`` for the others.
    """

    name: str
    function: Callable[..., Any] | None = None

    @classmethod
    def of(cls, given: Any) -> "Family":
        """Recognize a family.

        Raises
        ------
        DataError
            If it is neither a known name nor a function with a parameter ``rng``.
        """
        if isinstance(given, str) and given in NAMES:
            return cls(given)
        for name in NAMES:
            if given is getattr(init, name):
                return cls(name)
        if not callable(given):
            raise DataError(
                f"init must be one of {', '.join(NAMES)} or a function (p, *, rng, ...) that "
                f"returns weights, got {given!r}"
            )
        _require_rng(given)
        name = getattr(given, "__qualname__", type(given).__qualname__)
        return cls(f"{getattr(given, '__module__', '?')}:{name}", given)

    @classmethod
    def named(cls, name: str) -> "Family":
        """Find the family of a plan that was read from a file.

        Raises
        ------
        DataError
            If it is a function that cannot be imported here.
        """
        if name in NAMES or name == GIVEN:
            return cls(name)
        module, _, path = name.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in path.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError, ValueError):
            raise DataError(
                f"the starts of this plan come from {name}, which cannot be imported here; "
                "put the function into a module and run where it can be imported"
            ) from None
        return cls(name, found)

    @property
    def vectorized(self) -> bool:
        """Whether a chunk of starts is drawn at once."""
        return self.name in {"gaussian", GIVEN}

    def note(self, parameters: Mapping[str, Any]) -> str:
        """Say which measure a fraction of these starts estimates; "" if it has a density."""
        if self.name in STRUCTURE:
            return (
                f"the measure is that of tw.init.{self.name}, not Lebesgue measure: "
                f"{STRUCTURE[self.name]}, so the starts lie on a set of lower dimension"
            )
        if self.name == "gaussian":
            return ""
        return f"the measure is that of {self.name}; whether it has a density is not known"

    def draw(self, p: Problem, parameters: Mapping[str, Any], seed: int, index: int) -> list[Array]:
        """Draw one start, in the coordinates of the data."""
        make = self.function or getattr(init, self.name)
        drawn = make(p, rng=generator(seed, index), **parameters)
        return as_weights(drawn, p.dims, f"start {index} of {self.name}")


def gaussian_stack(p: Problem, scales: Array, seed: int, first: int, stop: int) -> list[Array]:
    """Draw Gaussian starts in the coordinates of `start_dims`.

    Parameters
    ----------
    p
        The problem.
    scales
        Standard deviations, shape ``(stop - first, L)``.
    seed, first, stop
        Which starts.

    Returns
    -------
    list of ndarray
        One stack ``(stop - first, d_j, d_{j-1})`` for each layer.
    """
    dims = start_dims(p)
    count = sum(dims[j] * dims[j + 1] for j in range(len(dims) - 1))
    numbers = normals(seed, first, stop, count)
    out, begin = [], 0
    for j in range(len(dims) - 1):
        end = begin + dims[j] * dims[j + 1]
        part = numbers[:, begin:end].reshape(-1, dims[j + 1], dims[j])
        out.append(part * scales[:, j, np.newaxis, np.newaxis])
        begin = end
    return out


def gaussian_scales(p: Problem, parameters: Mapping[str, Any]) -> list[float]:
    """Return the standard deviation of every layer.

    Raises
    ------
    DataError
        If parameters are unknown or do not fit.
    """
    unknown = set(parameters) - {"scale"}
    if unknown:
        raise DataError(f"gaussian starts have the parameter scale, not {', '.join(unknown)}")
    scale = parameters.get("scale", 0.1)
    scales = list(scale) if isinstance(scale, tuple) else [scale] * p.depth
    if len(scales) != p.depth:
        raise DataError(
            f"scale has {len(scales)} values for {p.depth} layers; give one number, or a tuple "
            "with one for each layer (a list spans a grid)"
        )
    return [as_scalar(item, "scale", low=0.0) for item in scales]


def _require_rng(function: Callable[..., Any]) -> None:
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    if "rng" in known or any(item.kind is item.VAR_KEYWORD for item in known.values()):
        return
    raise DataError(
        f"{getattr(function, '__name__', function)} has no parameter rng, so its starts are not "
        "random; draw from rng, or pass the starts to tw.basins.from_starts"
    )
