"""The loss on a plane through two critical points, and runs projected onto it."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from thalweg._core import Array, DataError, Result, as_count, as_scalar, as_weights
from thalweg.landscape._classify import classify
from thalweg.landscape._verdict import Verdict
from thalweg.network import end_to_end, pack, unpack
from thalweg.problem import Problem

AT_ONCE = 2_000_000
"""Numbers that the weights of one batch of grid points may have together."""
PARALLEL = 1e-6
"""Part of a direction that must be left off the first axis to span a plane with it."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Projection(Result):
    """Points projected onto a plane, in the coordinates of the flow.

    Attributes
    ----------
    x, y
        Coordinates in the plane.
    distance
        How far each point is from the plane.
    t
        Flow times of the points, where they are those of a run.
    """

    x: Array
    y: Array
    distance: Array
    t: Array | None = None


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Slice(Result):
    """The loss on a plane of weights.

    Lengths are those of the flow's coordinates (`Problem.reduce`); weights against inputs that
    never occur play no part.

    Attributes
    ----------
    problem
        The problem.
    x, y
        Coordinates of the grid along the two axes.
    reducible_loss
        On the grid, shape ``(len(y), len(x))``.
    marks
        Where the given points are: the origin `a`, then `b`, the third point, further ones.
    verdicts
        What each of them is.
    """

    problem: Problem
    x: Array
    y: Array
    reducible_loss: Array
    marks: Projection
    verdicts: tuple[Verdict, ...]
    _origin: Array
    _axes: Array

    @property
    def loss(self) -> Array:
        """The loss of the data on the grid, irreducible part included."""
        return self.reducible_loss + self.problem.irreducible_loss

    def weights_at(self, x: float, y: float) -> list[Array]:
        """Return the weights at a point of the plane, in the coordinates of the data."""
        flat = self._origin + np.array([x, y]) @ self._axes
        return self.problem.lift(unpack(flat, self.problem.reduced.dims))

    def project(self, points: Iterable[Any]) -> Projection:
        """Project weights onto the plane.

        Parameters
        ----------
        points
            Weights in the coordinates of the data, one after another, for example
            ``[run.weights_at(t) for t in run.t]``.

        Returns
        -------
        Projection
            Coordinates and distance of each.

        Raises
        ------
        DimensionError
            If weights do not fit the problem.
        """
        return _projected(self.problem, points, self._origin, self._axes)

    def trace(self, run: Any, max_points: int = 200) -> Projection:
        """Project a run, or at most so many of its computed points, both ends among them.

        Parameters
        ----------
        run
            A `Trajectory` of the same problem.
        max_points
            Longer runs are thinned evenly to so many points.

        Returns
        -------
        Projection
            With the times.

        Raises
        ------
        DimensionError
            If the run is of another network.
        """
        last = len(run.t) - 1
        kept = run.t[
            np.unique(np.linspace(0, last, as_count(max_points, "max_points")).astype(int))
        ]
        path = self.project(run.weights_at(float(t)) for t in kept)
        return dataclasses.replace(path, t=kept)

    def to_dict(self) -> dict[str, Any]:
        """Return grid, losses and marked points as JSON types."""
        return {**Result.to_dict(self), "loss": self.loss.tolist()}

    def _key_figure(self) -> Any:
        return self.plot()

    def summary_rows(self) -> list[tuple[str, str]]:
        """Rows of ``repr``: extent, losses, marked points."""
        low, high = float(self.reducible_loss.min()), float(self.reducible_loss.max())
        rows = [
            ("x", f"{len(self.x)} values, {self.x[0]:.4g} to {self.x[-1]:.4g}"),
            ("y", f"{len(self.y)} values, {self.y[0]:.4g} to {self.y[-1]:.4g}"),
            ("reducible loss", f"{low:.6g} to {high:.6g}"),
        ]
        places = zip(self.marks.x, self.marks.y, self.verdicts, strict=True)
        return rows + [
            (f"({x:.4g}, {y:.4g})", f"{v.kind.replace('_', ' ')}, learned {v.learned}")
            for x, y, v in places
        ]


def plane_slice(
    p: Problem,
    a: Any,
    b: Any,
    *,
    toward: Any = None,
    along: Any = None,
    marks: Sequence[Any] = (),
    margin: float = 0.4,
    resolution: int = 121,
) -> Slice:
    """Evaluate the loss on the plane through two critical points.

    Parameters
    ----------
    p
        The problem.
    a, b
        Weights. The origin is at `a`, the first axis leads to `b`.
    toward, along
        What the second axis leads to, made orthogonal to the first: weights, or a direction shaped
        like weights. By default the direction in which the loss falls at `a`, else at `b`: a
        strict saddle's witness or a non-strict one's descent curve.
    marks
        Further weights to mark; their projections, if they are not in the plane.
    margin
        How far the grid goes beyond the points, as a part of their extent.
    resolution
        Grid points along each axis.

    Returns
    -------
    Slice
        Losses, points and the way to project runs.

    Raises
    ------
    DataError
        If the points do not span a plane, or an option is out of range.
    DimensionError
        If weights do not fit the problem.

    Notes
    -----
    Every value is the loss at that point of the grid, computed from the product of its layers.

    Examples
    --------
    >>> import numpy as np, thalweg as tw
    >>> from thalweg.landscape import plane_slice
    >>> p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    >>> mode = np.diag([1.0, 0.0])
    >>> plane = plane_slice(p, 2 * [0 * mode], 2 * [2**0.5 * mode], toward=2 * [np.eye(2)])
    >>> [verdict.kind for verdict in plane.verdicts]
    ['strict_saddle', 'strict_saddle', 'not_critical']
    """
    margin = as_scalar(margin, "margin", low=0.0, high=100.0)
    count = as_count(resolution, "resolution")
    if count < 2:
        raise DataError(f"resolution must be at least 2, got {count}")
    if toward is not None and along is not None:
        raise DataError("toward and along were both given; the second axis needs one of them")
    third = [] if toward is None else [as_weights(toward, p.dims, "toward")]
    given = [as_weights(a, p.dims, "a"), as_weights(b, p.dims, "b"), *third]
    given += [as_weights(mark, p.dims, f"marks[{i}]") for i, mark in enumerate(marks)]
    verdicts = tuple(classify(p, point) for point in given)
    origin, end = (pack(p.reduce(point)) for point in given[:2])
    first = end - origin
    if not np.linalg.norm(first) > PARALLEL * max(1e-300, float(np.linalg.norm(origin))):
        raise DataError("a and b are the same point; two different ones are needed for an axis")
    first = first / np.linalg.norm(first)
    if third:
        leads = [pack(p.reduce(third[0])) - origin]
    elif along is not None:
        leads = [pack(p.reduce(as_weights(along, p.dims, "along")))]
    else:
        leads = [pack(p.reduce(list(w))) for v in verdicts[:2] if (w := v.falling) is not None]
    axes = np.stack([first, _second(leads, first, given=bool(third) or along is not None)])
    places = _projected(p, given, origin, axes)
    x, y = _grid(places, margin, count)
    return Slice(
        x=x,
        y=y,
        reducible_loss=_losses(p, (origin, axes), x, y),
        marks=places,
        verdicts=verdicts,
        problem=p,
        _origin=origin,
        _axes=axes,
    )


def _second(leads: list[Array], first: Array, *, given: bool) -> Array:
    """Return the unit direction of the second axis: the first lead off the first axis."""
    for lead in leads:
        rest = lead - (lead @ first) * first
        rest = rest - (rest @ first) * first
        if np.linalg.norm(rest) > PARALLEL * np.linalg.norm(lead):
            out: Array = rest / np.linalg.norm(rest)
            return out
    if given:
        raise DataError(
            "the second axis is parallel to the line from a to b; give toward= or along= another "
            "point or direction"
        )
    raise DataError(
        "neither a nor b has a witness off the line between them; give toward= a third point or "
        "along= a direction"
    )


def _projected(p: Problem, points: Iterable[Any], origin: Array, axes: Array) -> Projection:
    flat = [pack(p.reduce(point)) - origin for point in points]
    gaps = np.array(flat).reshape(-1, len(origin))
    places = gaps @ axes.T
    off = gaps - places @ axes
    return Projection(
        x=places[:, 0].copy(), y=places[:, 1].copy(), distance=np.linalg.norm(off, axis=1)
    )


def _grid(places: Projection, margin: float, count: int) -> tuple[Array, Array]:
    """Return grid coordinates around the points; neither axis shorter than the longer extent."""
    ends = [(float(v.min()), float(v.max())) for v in (places.x, places.y)]
    widest = max(high - low for low, high in ends)
    out = []
    for low, high in ends:
        half = 0.5 * max((1.0 + 2.0 * margin) * (high - low), widest)
        out.append(np.linspace(0.5 * (low + high) - half, 0.5 * (low + high) + half, count))
    return out[0], out[1]


def _losses(p: Problem, plane: tuple[Array, Array], x: Array, y: Array) -> Array:
    """Return the reducible loss on the grid, a batch of points at a time."""
    origin, axes = plane
    target, metric = p.flow_data()
    dims = p.reduced.dims
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    batch = max(1, AT_ONCE // len(origin))
    out = np.empty(len(points))
    for begin in range(0, len(points), batch):
        flat = origin + points[begin : begin + batch] @ axes
        product = end_to_end(unpack(flat, dims))
        error = target - product * metric
        out[begin : begin + batch] = 0.5 * np.sum(error**2, axis=(-2, -1))
    return out.reshape(len(y), len(x))
