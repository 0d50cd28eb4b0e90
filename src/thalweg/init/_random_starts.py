"""Random starts: Gaussian and orthogonal."""

from collections.abc import Sequence

import numpy as np

from thalweg._core import Array, DimensionError, RngLike, as_generator, as_scalar
from thalweg.problem import Problem


def gaussian(
    p: Problem, scale: float | Sequence[float] = 0.1, *, rng: RngLike = None
) -> list[Array]:
    """Draw independent normal entries of standard deviation `scale`.

    For ``metric="whitened"`` they are drawn in the flow's own coordinates and lifted.

    Parameters
    ----------
    p
        The problem.
    scale
        Standard deviation, non-negative; or one for each layer (growing ones are more often
        certified from the start: `thalweg.certificate.certified_share`).
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    list of ndarray
        Weights ``[W_1, ..., W_L]``.

    Raises
    ------
    DimensionError
        If there are several scales, but not one for each layer.
    """
    scales = [scale] * p.depth if np.ndim(scale) == 0 else list(scale)  # type: ignore[arg-type]
    if len(scales) != p.depth:
        raise DimensionError(
            f"scale has {len(scales)} values for {p.depth} layers; give one number, or one for "
            "each layer"
        )
    scales = [as_scalar(item, "scale", low=0.0) for item in scales]
    generator = as_generator(rng)
    dims = start_dims(p)
    weights = [
        scales[j] * generator.standard_normal((dims[j + 1], dims[j])) for j in range(len(dims) - 1)
    ]
    return from_start_coordinates(p, weights)


def orthogonal(p: Problem, scale: float = 1.0, *, rng: RngLike = None) -> list[Array]:
    """Draw every layer as `scale` times a random matrix with orthonormal rows or columns.

    Parameters
    ----------
    p
        The problem.
    scale
        Common singular value of every layer, non-negative.
    rng
        Seed or generator; ``None`` is seed 0.

    Returns
    -------
    list of ndarray
        Weights; Haar distributed.
    """
    scale = as_scalar(scale, "scale", low=0.0)
    generator = as_generator(rng)
    dims = start_dims(p)
    weights = [scale * random_frame(generator, dims[j + 1], dims[j]) for j in range(len(dims) - 1)]
    return from_start_coordinates(p, weights)


def random_frame(generator: np.random.Generator, rows: int, columns: int) -> Array:
    """Return a Haar distributed matrix with orthonormal rows or columns, whichever are fewer."""
    tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return np.ascontiguousarray(q if rows >= columns else q.T)


def start_dims(p: Problem) -> tuple[int, ...]:
    """Sizes of the coordinates in which starts are drawn: the flow's own when whitened."""
    return p.dims if p.metric == "raw" else p.reduced.dims


def from_start_coordinates(p: Problem, weights: list[Array]) -> list[Array]:
    """Bring drawn weights to the coordinates of the data."""
    return weights if p.metric == "raw" else p.lift(weights)
