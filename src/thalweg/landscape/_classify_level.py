"""Classification by loss level and Hessian (Spec 4.2, 4.3, 4.7)."""

import dataclasses
import math

import numpy as np

from thalweg._core import EPS, Array, Weights, median, numerical_rank
from thalweg.landscape._learned import Target
from thalweg.landscape._spectrum import Spectrum, hessian_spectrum
from thalweg.landscape._verdict import Verdict
from thalweg.network import end_to_end, gradient, prefix_products, suffix_products
from thalweg.problem import Problem

LEVEL = 1e-9
"""How close, relative to the loss at zero, a loss must be to a critical value."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examined:
    """A point in reduced coordinates with all that its classification looks at.

    Attributes
    ----------
    weights, plain, metric
        Point, target matrix and metric.
    target
        Singular vectors of the target; inside repeated values turned towards what was learned.
    product
        ``P D``.
    verdict
        What loss level, gradient and Hessian say.
    spectrum
        Of the Hessian, or ``None`` where the gradient already decided.
    """

    weights: Weights
    plain: Array
    metric: Array
    target: Target
    product: Array
    verdict: Verdict
    spectrum: Spectrum | None


def gradient_scale(target: Array, metric: Array, depth: int) -> float:
    """Return the size that gradients have away from critical points.

    Weights of a solution are of size ``(sigma_1 / D)^(1/L)``; the gradient there, per unit of
    relative error, is ``sigma_1 D w^(L-1)``.
    """
    return natural_gradient(float(np.linalg.norm(target, 2)), metric, depth)


def natural_gradient(top: float, metric: Array, depth: int) -> float:
    """`gradient_scale` of a target whose largest singular value is `top`."""
    size = median(metric)
    return top * size * (top / size) ** ((depth - 1) / depth) if top > 0 else size


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounding:
    """How far rounding of the weights, relative to each, may move what is computed from them.

    Attributes
    ----------
    product
        ``P D``, in norm and with room.
    gradient
        The gradient.
    """

    product: float
    gradient: float


def rounding(weights: Weights, error: Array, metric: Array) -> Rounding:
    """Bound to first order what rounding each layer does to the map and the gradient.

    Parameters
    ----------
    weights, metric
        The point.
    error
        ``M``.
    """
    after = [1.0 if item is None else _size(item) for item in suffix_products(weights)]
    before = [
        _size(metric) if item is None else _size(item * metric) for item in prefix_products(weights)
    ]
    reach = [above * below for above, below in zip(after[1:], before[:-1], strict=True)]
    moved = EPS * sum(one * _size(weight) for one, weight in zip(reach, weights, strict=True))
    slopes = math.hypot(*reach) * (moved + EPS * len(weights) * _size(error))
    return Rounding(product=256 * moved, gradient=64 * slopes)


def _size(matrix: Array) -> float:
    return float(np.linalg.norm(matrix))


def classify_level(p: Problem, weights: Weights) -> Verdict:
    """Classify a point that is critical to working accuracy by its loss and its Hessian.

    Parameters
    ----------
    p
        The problem.
    weights
        Weights in reduced coordinates (``p.reduce(w)``).

    Returns
    -------
    Verdict
        Kind, learned set, inertia; no witness.
    """
    return examine(p, weights).verdict


def examine(p: Problem, weights: Weights) -> Examined:
    """Look at a point; its verdict is that of `classify_level`.

    There is no spurious local minimum (Spec 4.3), so a critical point above the least critical
    value is a saddle: strict if the Hessian has a negative eigenvalue, otherwise non-strict.
    """
    plain, metric = p.flow_data()
    product = end_to_end(weights) * metric
    target = Target.of(plain).aligned(product, p.tolerance.gap)
    error = plain - product
    loss = 0.5 * float(np.vdot(error, error))
    slope = gradient(weights, plain, metric)
    norm = float(np.sqrt(sum(float(np.vdot(item, item)) for item in slope)))
    learned = target.learned(product)
    blur = rounding(weights, error, metric)
    noise = blur.product
    level = max(LEVEL * 0.5 * float(np.sum(plain**2)), 0.5 * noise**2)
    largest = max(float(target.sigma[0]), 1e6 * noise)
    rank = int(np.sum(np.linalg.svd(product, compute_uv=False) > 1e-6 * largest))
    wanted = min(p.max_rank, numerical_rank(target.sigma, plain.shape))
    least = 0.5 * float(np.sum(target.sigma[wanted:] ** 2))
    value = target.value(learned)
    scale = gradient_scale(plain, metric, p.depth)
    spectrum = None
    if norm > max(p.tolerance.critical * scale, blur.gradient):
        kind, rule = "not_critical", "gradient"
        text = f"gradient norm {norm:.3g} exceeds {p.tolerance.critical:g} x {scale:.3g}"
    else:
        spectrum = hessian_spectrum(weights, plain, metric, 1e-10)
        excess = f"loss {loss:.6g} is a critical value above the least one {least:.6g}"
        if noise > 1e-6 * target.sigma[0] > 0.0:
            kind, rule = "undecided", "rounding"
            text = f"rounding may move the map by {noise:.2g}, the target is {target.sigma[0]:.2g}"
        elif loss <= least + level and target.covers_largest(learned, wanted):
            kind, rule = "global_minimum", "least critical value"
            text = (
                f"reducible loss {loss:.6g} is the least critical value {least:.6g} to "
                f"{LEVEL:g} of the loss at zero weights"
            )
        elif abs(loss - value) > level or target.distance(product, learned) > 1e-4 * largest:
            kind, rule = "undecided", "level"
            text = f"the gradient is small, but the loss {loss:.6g} is not a critical value"
        elif spectrum.has_negative:
            kind, rule = "strict_saddle", "negative curvature"
            text = f"{excess}; Hessian eigenvalue {spectrum.values[0]:.3g}"
        elif spectrum.inertia is None:
            kind, rule = "undecided", "curvature"
            text = f"{excess}; no negative curvature found by Lanczos"
        else:
            kind, rule = "non_strict_saddle", "no negative curvature, not least"
            text = f"{excess}; the Hessian has no eigenvalue below {-spectrum.zero:.2g}"
    if kind not in {"not_critical", "undecided"}:
        rank = len(learned)
    verdict = Verdict(
        kind=kind,
        learned=learned,
        learned_values=tuple(float(p.singular_values[i]) for i in learned),
        choices=target.choices(learned),
        rank=rank,
        loss=loss,
        critical_value=value,
        gradient_norm=norm,
        inertia=None if spectrum is None else _whole(spectrum.inertia, p.n_parameters),
        smallest_eigenvalue=None if spectrum is None else float(spectrum.values[0]),
        eigenvalues=_eigenvalues(spectrum, p.n_parameters),
        rule=rule,
        message=text,
    )
    return Examined(
        weights=weights,
        plain=plain,
        metric=metric,
        target=target,
        product=product,
        verdict=verdict,
        spectrum=spectrum,
    )


def _whole(signs: tuple[int, int, int] | None, size: int) -> tuple[int, int, int] | None:
    """Count the directions that never see data among the zero eigenvalues."""
    if signs is None:
        return None
    return signs[0], size - signs[0] - signs[2], signs[2]


def _eigenvalues(spectrum: Spectrum | None, size: int) -> Array | None:
    if spectrum is None or not spectrum.complete:
        return None
    frozen = np.zeros(size - len(spectrum.values))
    return np.sort(np.concatenate([spectrum.values, frozen]))
