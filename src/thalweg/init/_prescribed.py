"""Starts with prescribed conserved matrices: balanced, lambda-balanced, any."""

import itertools
from typing import Any

import numpy as np

from thalweg._core import (
    EPS,
    Array,
    DataError,
    DimensionError,
    RngLike,
    as_float_array,
    as_generator,
    as_scalar,
)
from thalweg.init._random_starts import from_start_coordinates, random_frame, start_dims
from thalweg.problem import Problem


def balanced(p: Problem, scale: float = 0.1, *, rng: RngLike = None) -> list[Array]:
    """Draw a start with every ``C_j = 0``.

    All layers share one set of singular values and neighbouring layers share singular vectors,
    which is what ``C_j = 0`` means. The common rank is ``min(dims)``.

    Parameters
    ----------
    p
        The problem.
    scale
        The singular values are those of a Gaussian ``min(dims)`` square matrix of this entrywise
        standard deviation.
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    list of ndarray
        Weights with ``C_j = 0`` to rounding.
    """
    scale = as_scalar(scale, "scale", low=0.0)
    generator = as_generator(rng)
    dims = start_dims(p)
    rank = min(dims)
    values = scale * np.linalg.svd(generator.standard_normal((rank, rank)), compute_uv=False)
    frames = [random_frame(generator, size, rank) for size in dims]
    weights = [(frames[j + 1] * values) @ frames[j].T for j in range(len(dims) - 1)]
    return from_start_coordinates(p, weights)


def lambda_balanced(
    p: Problem, lam: float = 1.0, scale: float = 0.1, *, rng: RngLike = None
) -> list[Array]:
    """Draw a start with ``C_j = lam * I`` for every ``j``.

    Parameters
    ----------
    p
        The problem. ``lam > 0`` needs widths that do not grow towards the output after the first
        layer, ``lam < 0`` widths that do not shrink towards it; ``lam = 0`` is `balanced`.
    lam
        Common imbalance.
    scale
        Size of the free layer: the narrow end's singular values are those of a Gaussian matrix of
        this entrywise standard deviation.
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    list of ndarray
        Weights with ``C_j = lam I`` to rounding.

    Raises
    ------
    DimensionError
        If no such weights exist for these widths.
    """
    lam = as_scalar(lam, "lam")
    if lam == 0.0:
        return balanced(p, scale, rng=rng)
    dims = start_dims(p)
    hidden = dims[1:-1]
    chain = dims[1:] if lam > 0 else dims[-2::-1]
    if any(one > two for one, two in itertools.pairwise(chain)):
        side = "W_{j+1}^T W_{j+1} = W_j W_j^T + lam I has rank d_j, so d_{j+1} >= d_j"
        if lam < 0:
            side = "W_j W_j^T = W_{j+1}^T W_{j+1} + |lam| I has rank d_j, so d_{j-1} >= d_j"
        raise DimensionError(
            f"lam = {lam:g} is impossible for sizes {dims}: "
            f"{side} is needed; change the sign of lam or the widths"
        )
    return with_imbalance(p, [lam * np.eye(size) for size in hidden], scale=scale, rng=rng)


def with_imbalance(p: Problem, C: Any, *, scale: float = 0.1, rng: RngLike = None) -> list[Array]:
    """Draw a start whose conserved matrices are the given ones.

    Starting from a random layer at one end, each next layer is a square root:
    ``W_{j+1}^T W_{j+1} = W_j W_j^T + C_j`` towards the output, or
    ``W_j W_j^T = W_{j+1}^T W_{j+1} - C_j`` towards the input. Both directions are tried, with the
    free layer at the given scale first and then larger where positivity asks for it.

    Parameters
    ----------
    p
        The problem.
    C
        ``H`` symmetric matrices, the j-th of shape ``(d_j, d_j)``.
    scale
        Entrywise standard deviation of the free layer.
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    list of ndarray
        Weights whose ``C_j`` are the given ones to rounding.

    Raises
    ------
    DimensionError
        If the shapes do not fit, or ranks make the matrices impossible.
    DataError
        If a matrix is not symmetric.
    """
    dims = start_dims(p)
    wanted = [as_float_array(item, f"C[{j}]") for j, item in enumerate(C)]
    hidden = dims[1:-1]
    if [item.shape for item in wanted] != [(size, size) for size in hidden]:
        raise DimensionError(
            f"C has shapes {[item.shape for item in wanted]}; {len(hidden)} square matrices of "
            f"sizes {list(hidden)} are needed"
        )
    for j, item in enumerate(wanted):
        skew = float(np.abs(item - item.T).max(initial=0.0))
        if skew > 1e-12 * max(float(np.abs(item).max(initial=0.0)), 1e-300):
            raise DataError(f"C[{j}] is not symmetric (largest difference {skew:.3g})")
    scale = as_scalar(scale, "scale", low=0.0)
    generator = as_generator(rng)
    backwards = [-item for item in reversed(wanted)]
    problems = []
    for attempt in range(12):
        size = scale * 2.0**attempt if scale > 0 else (0.0 if attempt == 0 else 0.1 * 2.0**attempt)
        for flipped in (False, True):
            shape = dims[::-1] if flipped else dims
            grown, reason = _grow(shape, backwards if flipped else wanted, size, generator)
            if grown is not None:
                if flipped:
                    grown = [np.ascontiguousarray(item.T) for item in reversed(grown)]
                return from_start_coordinates(p, grown)
            problems.append(reason)
    raise DimensionError(
        f"no start with these C found for sizes {dims}: {problems[0]} (from the input side), "
        f"{problems[1]} (from the output side); change C or widen the layer named"
    )


def _grow(
    dims: tuple[int, ...], wanted: list[Array], scale: float, generator: np.random.Generator
) -> tuple[list[Array] | None, str]:
    """Grow layers from the input side; return them, or ``None`` and the reason."""
    weights = [scale * generator.standard_normal((dims[1], dims[0]))]
    for j, c in enumerate(wanted):
        gram = weights[-1] @ weights[-1].T + c
        values, vectors = np.linalg.eigh(0.5 * (gram + gram.T))
        top = max(float(np.abs(values).max(initial=0.0)), float(np.abs(c).max(initial=0.0)))
        floor = 16 * len(values) * EPS * top
        if values[0] < -floor:
            return None, f"W_{j + 1} W_{j + 1}^T + C_{j + 1} has the eigenvalue {values[0]:.3g} < 0"
        rank = int(np.sum(values > floor))
        if rank > dims[j + 2]:
            return None, f"C_{j + 1} needs rank {rank} but layer {j + 2} has {dims[j + 2]} rows"
        root = (vectors[:, len(values) - rank :] * np.sqrt(values[len(values) - rank :])).T
        weights.append(random_frame(generator, dims[j + 2], rank) @ root)
    return weights, ""
