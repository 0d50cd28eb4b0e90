"""From the fields of the page to a problem and a start, with every bound checked."""

import dataclasses
import itertools
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg import init
from thalweg._core import Array, DataError
from thalweg.data import inert
from thalweg.datasets import load_data
from thalweg.explorer.tasks._breadth import check_columns, named_columns
from thalweg.problem import Problem

Arguments = Mapping[str, Any]
STARTS = {
    "gaussian": "scale",
    "orthogonal": "scale",
    "balanced": "scale",
    "lambda_balanced": "lam",
    "exponential": "rate",
}
"""Families of starts with the name of the number that each takes."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A problem with the words that make it again.

    Attributes
    ----------
    problem, name
        The problem and what the data are called.
    python
        Lines that build it, as ``p``.
    flags
        Words that name it on the command line.
    notes
        What was done to the data.
    """

    problem: Problem
    name: str
    python: str
    flags: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def command(self, name: str, *words: str) -> str:
        """Return a line for the terminal: a command of thalweg on this problem."""
        return shlex.join(["thalweg", name, *self.flags, *words])


def source(arguments: Arguments) -> Source:
    """Build the problem.

    Raises
    ------
    DataError
        If a field is missing, out of its bounds, or names nothing.
    """
    given = arguments.get("source")
    if not isinstance(given, Mapping):
        raise DataError("say what to learn: a data set, a table, or singular values")
    bounds = arguments.get("limits", {})
    return _target(given, bounds) if "sigma" in given else _table(given, bounds)


def _target(given: Arguments, bounds: Arguments) -> Source:
    sigma = numbers(given.get("sigma"), "singular values", most=64)
    dims = widths(given.get("dims"), bounds, "dims")
    if len(dims) < 2:
        raise DataError("dims needs at least two sizes like 4,3,2")
    if sigma.min() < 0.0:
        raise DataError(f"singular values are not negative, got {sigma.min():g}")
    _affordable(dims, bounds)
    problem = Problem.from_target(sigma, dims=dims)
    values, sizes = [exact(value) for value in sigma], "-".join(map(str, dims))
    python = f"p = tw.Problem.from_target([{', '.join(values)}], dims={dims})"
    flags = ("--sigma", ",".join(values), "--dims", sizes.replace("-", ","))
    return Source(problem, sizes, python, flags)


def _table(given: Arguments, bounds: Arguments) -> Source:
    hidden = widths(given.get("widths", []), bounds, "widths")
    metric, loss = str(given.get("metric", "raw")), str(given.get("loss", "sum"))
    standardize, center = (bool(given.get(key, False)) for key in ("standardize", "center"))
    changes = {"standardize": standardize, "center": center}
    path, name = given.get("path"), str(given.get("data", ""))
    target = [str(item) for item in given.get("target", [])]
    if path is None and ("/" in name or "\\" in name or "." in name):
        raise DataError(f"{inert(name)} is no bundled data set; hand a file over instead")
    if path is not None:
        named_columns(path, bounds)
    data = load_data(
        path or name, target=target, onehot="auto", standardize=standardize, center=center
    )
    dims = (data.X.shape[1], *hidden, data.Y.shape[1])
    check_columns(dims[0] + dims[-1], bounds)
    _affordable(dims, bounds)
    problem = data.problem(hidden or None, metric=metric, loss=loss)
    _affordable(problem.dims, bounds)
    shown = str(given.get("name", "table")) if path else name
    options = "".join(f", {key}=True" for key, value in changes.items() if value)
    wanted = f", target={target!r}" if path else ""
    width_text = f"widths={tuple(problem.dims[1:-1])}, metric={metric!r}, loss={loss!r}"
    loader = f"tw.datasets.load_data({shown!r}{wanted}, onehot='auto'{options})"
    # A name that begins like an option would be read as one.
    flags = [
        f"./{shown}" if shown.startswith("-") else shown,
        "--widths",
        ",".join(map(str, problem.dims[1:-1])),
    ]
    flags += ["--metric", metric, "--loss", loss]
    flags += ["--target", ",".join(target)] if target else []
    flags += [f"--{key}" for key, value in changes.items() if value]
    python = f"p = {loader}.problem({width_text})"
    return Source(problem, shown, python, tuple(flags), tuple(data.notes))


def start(arguments: Arguments, made: Source) -> tuple[list[Array], str, tuple[str, ...]]:
    """Make the start; return it with a Python line and the arguments of the command line."""
    given = arguments.get("start", {})
    if not isinstance(given, Mapping):
        raise DataError("the start must be an object with kind, value and seed")
    kind = str(given.get("kind", "gaussian"))
    if kind not in STARTS:
        raise DataError(f"start {inert(kind)!r} is unknown; use one of {', '.join(STARTS)}")
    value = number(given.get("value", 0.1), "the number of the start")
    seed = whole(given.get("seed", 0), "seed", 0, 2**63)
    weights = getattr(init, kind)(made.problem, value, rng=seed)
    python = f"w0 = tw.init.{kind}(p, {STARTS[kind]}={exact(value)}, rng={seed})"
    return weights, python, ("--init", f"{kind}:{exact(value)}", "--seed", str(seed))


def widths(value: Any, bounds: Arguments, name: str) -> tuple[int, ...]:
    """Return sizes of layers, inside the bounds."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise DataError(f"{name} must be a list of whole numbers")
    layers = int(bounds.get("layers", 12))
    if len(value) > layers:
        raise DataError(f"{name} has {len(value)} entries; at most {layers} are allowed here")
    widest = int(bounds.get("width", 256))
    return tuple(whole(item, name, 1, widest) for item in value)


def _affordable(dims: tuple[int, ...], bounds: Arguments) -> None:
    count = sum(a * b for a, b in itertools.pairwise(dims))
    most = int(bounds.get("parameters", 200_000))
    if count > most:
        raise DataError(f"{count} weights are too many for this page (at most {most}); use Python")


def whole(value: Any, name: str, low: int, high: int) -> int:
    """Return a whole number inside its bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DataError(f"{name} must be a whole number from {low} to {high}, got {inert(value)}")
    return value


def number(value: Any, name: str) -> float:
    """Return a finite number."""
    # Whole numbers beyond the range of floats raise if they are asked whether they are finite.
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise DataError(f"{name} is too large: floats end at {sys.float_info.max:.3g}")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise DataError(f"{name} must be a number, got {inert(value)}")
    return float(value)


def exact(value: float) -> str:
    """Write a number so that reading it gives the same number, and briefly where that is enough."""
    brief = f"{value:g}"
    return brief if float(brief) == value else repr(float(value))


def numbers(value: Any, name: str, most: int) -> Array:
    """Return a short list of finite numbers."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= most:
        raise DataError(f"{name} must be a list of 1 to {most} numbers")
    return np.array([number(item, name) for item in value])


def learned_set(value: Any) -> tuple[int, ...]:
    """Return a set of directions."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > 64:
        raise DataError("learned must be a list of directions like [0, 1]")
    return tuple(whole(item, "a direction", 0, 10**6) for item in value)
