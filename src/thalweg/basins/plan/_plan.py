"""What a sweep computes, down to the last bit: the same plan gives the same table anywhere."""

import dataclasses
import functools
import hashlib
import json
from typing import Any

import numpy as np

from thalweg._core import VERSION, Array, DataError, DimensionError, as_count, as_scalar, as_weights
from thalweg.basins.plan._coordinates import Setting
from thalweg.basins.plan._cutting import refuse_many, usual_size
from thalweg.basins.plan._exact import (
    decoded,
    decoded_problem,
    encoded,
    encoded_problem,
    packed,
    unpacked,
)
from thalweg.basins.plan._family import GIVEN, Family, gaussian_scales, gaussian_stack
from thalweg.basins.plan._grid import Axes, decoded_axes, encoded_axes, points
from thalweg.init import from_start_coordinates
from thalweg.problem import Problem

FORMAT = 1


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A sweep before it runs. Start ``i`` belongs to the point ``i % G`` of a grid of ``G``.

    Attributes
    ----------
    problem
        The problem.
    family
        How starts are drawn.
    axes
        Names and values of the family's parameters.
    n
        Starts for each point of the grid; with `until_width` at most so many.
    seed
        Seed of the sweep, from 0 to ``2**63 - 1``.
    rtol, t_end, max_steps
        Tolerance, time and steps of the integration; ``t_end=None`` follows every start until its
        limit is decided.
    until_width
        Width of intervals at which the sweep may stop, or ``None``.
    size
        Starts of a chunk; rows do not depend on it.
    experiment
        Name of an experiment whose starts are chosen, not random; ``None`` for random ones.
    given
        The starts themselves for ``tw.basins.from_starts``: one stack for each layer.
    """

    problem: Problem
    family: Family
    axes: Axes = ()
    n: int
    seed: int = 0
    rtol: float = 1e-6
    t_end: float | None = None
    max_steps: int = 100_000
    until_width: float | None = None
    size: int = 0
    experiment: str | None = None
    given: tuple[Array, ...] | None = None

    def __post_init__(self) -> None:
        """Check the numbers and choose the size of chunks from the problem's sizes alone.

        Raises
        ------
        DataError
            If a number is out of range.
        """
        given: Any = self.problem
        if not isinstance(given, Problem):
            raise DataError(
                f"the problem must be a tw.Problem, got {type(given).__name__}; "
                "make one with tw.Problem.from_data or tw.Problem.from_target"
            )
        as_count(self.n, "n")
        if self.experiment is not None and not isinstance(self.experiment, str):
            raise DataError(f"experiment must be a name, got {self.experiment!r}")
        as_scalar(self.rtol, "rtol", low=1e-13, high=1e-1)
        as_count(self.max_steps, "max_steps")
        if self.t_end is not None and not as_scalar(self.t_end, "t_end", low=0.0) > 0.0:
            raise DataError("t_end must be positive")
        if not 0 <= self.seed < 2**63:
            raise DataError(f"the seed must lie between 0 and 2**63 - 1, got {self.seed}")
        if self.until_width is not None:
            as_scalar(self.until_width, "until_width", low=1e-6, high=1.0)
        if self.family.name == "gaussian":
            for point in self.points:
                gaussian_scales(self.problem, point)
        refuse_many(self.count, self.size)
        if self.size <= 0:
            size = usual_size(
                self.problem,
                self.setting,
                self.count,
                vectorized=self.family.vectorized,
                looks=self.until_width is not None,
            )
            object.__setattr__(self, "size", size)
            refuse_many(self.count, self.size)

    @functools.cached_property
    def points(self) -> list[dict[str, Any]]:
        """The grid of parameters."""
        return points(self.axes)

    @property
    def count(self) -> int:
        """Number of starts."""
        return self.n * len(self.points)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.count // self.size)

    def indices(self, k: int) -> range:
        """Return the indices of the starts of chunk `k`.

        Raises
        ------
        DataError
            If there is no such chunk.
        """
        if not 0 <= k < self.chunks:
            raise DataError(f"there is no chunk {k}: the plan has {self.chunks}, counted from 0")
        return range(k * self.size, min((k + 1) * self.size, self.count))

    @functools.cached_property
    def setting(self) -> Setting:
        """What all starts share in the coordinates of the flow."""
        return Setting.of(self.problem)

    @property
    def measure_note(self) -> str:
        """What the family's measure is, if not one with a density; "" otherwise."""
        return " ".join(dict.fromkeys(self.family.note(point) for point in self.points)).strip()

    # --- starts --------------------------------------------------------------------------
    def stacks(self, first: int, stop: int) -> list[Array]:
        """Return starts in the coordinates of the data, one stack for each layer."""
        p = self.problem
        if self.given is not None:
            return [item[first:stop] for item in self.given]
        if self.family.name == "gaussian":
            drawn = self._gaussian(first, stop)
            if p.metric == "raw":
                return drawn
            every = [from_start_coordinates(p, [w[i] for w in drawn]) for i in range(stop - first)]
        else:
            every = [
                self.family.draw(p, self.points[i % len(self.points)], self.seed, i)
                for i in range(first, stop)
            ]
        return [np.stack([start[j] for start in every]) for j in range(p.depth)]

    def flow_stacks(self, first: int, stop: int) -> list[Array]:
        """Return starts in reduced coordinates."""
        from thalweg.problem import reduce_weights

        p = self.problem
        if self.family.name == "gaussian" and p.metric == "whitened":
            return self._gaussian(first, stop)  # drawn in these coordinates
        return reduce_weights(self.stacks(first, stop), p.moments, p.metric)

    def _gaussian(self, first: int, stop: int) -> list[Array]:
        table = np.array([gaussian_scales(self.problem, point) for point in self.points])
        scales = table[np.arange(first, stop) % len(table)]
        return gaussian_stack(self.problem, scales, self.seed, first, stop)

    def start(self, index: int) -> list[Array]:
        """Return start `index` in the coordinates of the data.

        Raises
        ------
        DataError
            If there is no such start.
        """
        place: Any = index
        if not isinstance(place, (int, np.integer)) or not 0 <= place < self.count:
            raise DataError(f"there is no start {index}: the plan has {self.count}, counted from 0")
        return [item[0].copy() for item in self.stacks(index, index + 1)]

    # --- as a document -------------------------------------------------------------------
    def to_dict(self) -> dict[str, Any]:
        """Return JSON types from which `from_dict` rebuilds the plan, numbers exact."""
        return {
            "type": "Plan",
            "format": FORMAT,
            "thalweg": VERSION,
            "problem": encoded_problem(self.problem),
            "init": self.family.name,
            "parameters": encoded_axes(self.axes),
            "n": self.n,
            "seed": self.seed,
            "rtol": encoded(float(self.rtol)),
            "t_end": encoded(None if self.t_end is None else float(self.t_end)),
            "max_steps": self.max_steps,
            "until_width": encoded(None if self.until_width is None else float(self.until_width)),
            "size": self.size,
            "experiment": self.experiment,
            "given": None if self.given is None else [packed(item) for item in self.given],
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "Plan":
        """Rebuild a plan.

        Raises
        ------
        DataError
            If it was written by another version, or its family cannot be imported.
        """
        known = (document.get("format"), document.get("thalweg"))
        if known != (FORMAT, VERSION):
            raise DataError(
                f"this plan was written by thalweg {known[1]} (format {known[0]}), this is "
                f"{VERSION} (format {FORMAT}); rows of both cannot be mixed, use that "
                "version or another folder"
            )
        given = document["given"]
        return cls(
            problem=decoded_problem(document["problem"]),
            family=Family.named(document["init"]),
            axes=decoded_axes(document["parameters"]),
            n=int(document["n"]),
            seed=int(document["seed"]),
            rtol=decoded(document["rtol"]),
            t_end=decoded(document["t_end"]),
            max_steps=int(document["max_steps"]),
            until_width=decoded(document["until_width"]),
            size=int(document["size"]),
            experiment=document["experiment"],
            given=None if given is None else tuple(unpacked(item) for item in given),
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the plan and the version, in hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


def given_stacks(p: Problem, starts: Any) -> tuple[Array, ...]:
    """Return starts as one stack for each layer.

    Parameters
    ----------
    p
        The problem.
    starts
        A sequence of starts, or one stack ``(N, d_j, d_{j-1})`` for each layer.

    Raises
    ------
    DimensionError
        If they do not fit the problem.
    """
    problem: Any = p
    if not isinstance(problem, Problem) or not np.iterable(starts):
        raise DimensionError(
            f"a tw.Problem and a sequence of starts are needed, got {type(p).__name__} and "
            f"{type(starts).__name__}"
        )
    items = list(starts)
    if items and all(isinstance(item, np.ndarray) and item.ndim == 3 for item in items):
        if len({len(item) for item in items}) != 1 or len(items) != p.depth:
            raise DimensionError(
                f"stacks of shapes {[np.shape(item) for item in items]} are not {p.depth} layers "
                "of equally many starts"
            )
        items = [[item[i] for item in items] for i in range(len(items[0]))]
    if not items:
        raise DimensionError("no starts were given; at least one is needed")
    every = [as_weights(start, p.dims, f"start {i}") for i, start in enumerate(items)]
    return tuple(np.stack([start[j] for start in every]) for j in range(p.depth))


GIVEN_FAMILY = Family(GIVEN)
