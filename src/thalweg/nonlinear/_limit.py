"""What is at the end of a run: loss, gradient, curvature; observed, not proved (Spec 6.5)."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, Result, number
from thalweg.limit import Arrival, arrival
from thalweg.network import unpack
from thalweg.nonlinear._field import Mode, ShallowField

LARGEST_SPECTRUM = 1500
"""Number of weights up to which all eigenvalues of the Hessian are computed."""
TOUCHING = 1e-6
"""Pre-activation, relative to norms, that counts as on its kink."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ShallowLimit(Result):
    """The end of a run, as far as numbers can tell.

    Attributes
    ----------
    decided
        Whether the gradient has vanished and the estimated rest of the way is negligible. Not a
        theorem: neither boundedness nor a rate is proved for these networks.
    kind
        By the Hessian's inertia: ``"strict_minimum"`` (positive definite), ``"no_descent"`` (no
        negative eigenvalue, some zero: a minimum or a degenerate saddle), ``"strict_saddle"``,
        or ``"unknown"``.
    loss, gradient_norm
        At the end.
    relative_gradient
        Gradient norm over the size that the gradient's terms have before they cancel.
    inertia
        Eigenvalues ``(negative, zero, positive)`` of the Hessian of the smooth piece, along its
        ``dimension`` directions; ``None`` where the network is too large.
    zero
        Absolute value below which an eigenvalue counts as zero.
    dimension
        Number of weights less that of directions across kinks that hold the trajectory.
    rest
        Estimated length of the rest of the way, infinite if unknown.
    touching
        Number of pre-activations on a kink, held ones included. With any, the inertia speaks of
        one side only.
    message
        All this in words.
    """

    decided: bool
    kind: str
    loss: float
    gradient_norm: float
    relative_gradient: float
    inertia: tuple[int, int, int] | None
    zero: float | None
    dimension: int
    rest: float
    touching: int
    message: str


def limit_at(field: ShallowField, y: Array, *, floor: float, least: float = 0.0) -> ShallowLimit:
    """Look at the end of a run; `floor` is the relative gradient that counts as vanished.

    `least` is a lower bound of the size to which it is relative.
    """
    loss, slope = field.rhs(y)
    norm = float(np.linalg.norm(slope))
    natural = max(field.natural_gradient(y), least)
    relative = norm / natural if natural > 0.0 else 0.0
    dimension = field.size - (0 if field.mode is None else field.mode.rank)
    touching = _touching(field, y)
    found = _arrival(field, y, slope, natural)
    vanished = relative <= floor or norm == 0.0
    leaving = found is not None and norm > 0.0 and found.leaving
    rest = 0.0 if norm == 0.0 else np.inf if found is None else found.rest
    decided = norm == 0.0 or (vanished and found is not None and found.near)
    kind = _kind(found.inertia) if vanished and found is not None else "unknown"
    message = _words(kind, norm, (rest, vanished, leaving), touching, decided=decided)
    return ShallowLimit(
        decided=decided,
        kind=kind,
        loss=loss,
        gradient_norm=norm,
        relative_gradient=relative,
        inertia=None if found is None else found.inertia,
        zero=None if found is None else found.zero,
        dimension=dimension,
        rest=rest,
        touching=touching,
        message=message,
    )


def _arrival(field: ShallowField, y: Array, slope: Array, natural: float) -> Arrival | None:
    if field.size > LARGEST_SPECTRUM:
        return None
    hessian = field.hessian(y)
    if field.mode is not None and field.mode.rank:
        basis = _moving(field, field.mode)
        hessian, slope = basis.T @ hessian @ basis, basis.T @ slope
    size = float(np.linalg.norm(y))
    return arrival(hessian, -slope, size, rounding=64 * EPS * natural)


def _moving(field: ShallowField, mode: Mode) -> Array:
    """Return an orthonormal basis of the directions along which held kinks stay held."""
    inputs, width = field.dims[0], field.dims[1]
    blocks = [np.eye(inputs) for _ in range(width)]
    for unit, across in zip(mode.units, mode.across, strict=True):
        values, vectors = np.linalg.eigh(across)
        blocks[unit] = vectors[:, values < 0.5]
    out = np.zeros((field.size, field.size - mode.rank))
    row = column = 0
    for block in [*blocks, np.eye(field.size - inputs * width)]:
        out[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    return out


def _touching(field: ShallowField, y: Array) -> int:
    if not field.inner.in_pieces:
        return 0
    first, _ = unpack(y, field.dims)
    norms = np.linalg.norm(field.x, axis=0)
    close = TOUCHING * np.outer(np.linalg.norm(first, axis=1), norms)
    return int(np.sum((np.abs(first @ field.x) <= close) & (norms > 0.0)))


def _kind(inertia: tuple[int, int, int]) -> str:
    if inertia[0] > 0:
        return "strict_saddle"
    return "no_descent" if inertia[1] > 0 else "strict_minimum"


NAMES = {
    "strict_minimum": "a strict local minimum",
    "no_descent": "a critical point without negative curvature",
    "strict_saddle": "a strict saddle",
    "unknown": "a critical point of unknown kind",
}


def _words(
    kind: str, norm: float, state: tuple[float, bool, bool], touching: int, *, decided: bool
) -> str:
    rest, vanished, leaving = state
    kinks = f"; {touching} pre-activations are on a kink" if touching else ""
    if decided:
        return (
            f"the gradient fell to {number(norm)} at {NAMES[kind]}, the rest of the way is "
            f"estimated at {number(rest)}{kinks}"
        )
    if leaving and vanished:
        return f"the gradient is {number(norm)} next to a saddle that is being left{kinks}"
    if vanished:
        return (
            f"the gradient is {number(norm)}, but the rest of the way is not known to be short "
            f"(estimate {number(rest)}){kinks}"
        )
    return f"the gradient is still {number(norm)}{kinks}"
