"""Classification by loss level and Hessian (Spec 4.2, 4.3, 4.7)."""

import numpy as np

from thalweg._core import Array, Weights, numerical_rank
from thalweg.landscape._learned import Target
from thalweg.landscape._spectrum import Spectrum, hessian_spectrum
from thalweg.landscape._verdict import Verdict
from thalweg.network import end_to_end, gradient, unpack
from thalweg.problem import Problem

LEVEL = 1e-9
"""How close, relative to the loss at zero, a loss must be to a critical value."""


def gradient_scale(target: Array, metric: Array, depth: int) -> float:
    """Return the size that gradients have away from critical points.

    Weights of a solution are of size ``(sigma_1 / D)^(1/L)``; the gradient there, per unit of
    relative error, is ``sigma_1 D w^(L-1)``.
    """
    top = float(np.linalg.norm(target, 2))
    size = float(np.median(metric))
    return top * size * (top / size) ** ((depth - 1) / depth) if top > 0 else size


def classify_level(p: Problem, weights: Weights) -> Verdict:
    """Classify a point that is critical to working accuracy.

    There is no spurious local minimum (Spec 4.3), so a critical point above the least critical
    value is a saddle: strict if the Hessian has a negative eigenvalue, otherwise non-strict.

    Parameters
    ----------
    p
        The problem.
    weights
        Weights in reduced coordinates (``p.reduce(w)``).

    Returns
    -------
    Verdict
        Kind, learned set, inertia, witness.
    """
    plain, metric = p.flow_data()
    target = Target.of(plain)
    product = end_to_end(weights) * metric
    error = plain - product
    loss = 0.5 * float(np.vdot(error, error))
    slope = gradient(weights, plain, metric)
    norm = float(np.sqrt(sum(float(np.vdot(item, item)) for item in slope)))
    learned = target.learned(product)
    value = target.value(learned)
    # What the product of the layers may err by in rounding, with room.
    noise = 1e-12 * float(np.prod([np.linalg.norm(weight) for weight in weights]) * metric.max())
    level = max(LEVEL * 0.5 * float(np.sum(plain**2)), 0.5 * noise**2)
    values = np.linalg.svd(product, compute_uv=False)
    largest = max(float(target.sigma[0]), 1e6 * noise)
    rank = int(np.sum(values > 1e-6 * largest))
    wanted = min(p.max_rank, numerical_rank(target.sigma, plain.shape))
    least = 0.5 * float(np.sum(target.sigma[wanted:] ** 2))

    def verdict(kind: str, rule: str, message: str, spectrum: Spectrum | None = None) -> Verdict:
        witness = None
        if kind == "strict_saddle" and spectrum is not None:
            inner = unpack(spectrum.lowest, p.reduced.dims)
            witness = tuple(p.lift(inner))
        inertia = None if spectrum is None else spectrum.inertia
        if inertia is not None:
            frozen = p.n_parameters - sum(inertia)
            inertia = (inertia[0], inertia[1] + frozen, inertia[2])
        eigenvalues = None
        if spectrum is not None and inertia is not None and p.metric == "raw":
            # Weights against inputs that never occur are flat directions.
            still = np.zeros(p.n_parameters - len(spectrum.values))
            eigenvalues = np.sort(np.concatenate([spectrum.values, still]))
        return Verdict(
            kind=kind,
            learned=learned,
            rank=rank,
            loss=loss,
            critical_value=value,
            gradient_norm=norm,
            inertia=inertia,
            smallest_eigenvalue=None if spectrum is None else float(spectrum.values[0]),
            witness=witness,
            rule=rule,
            message=message,
            eigenvalues=eigenvalues,
        )

    scale = gradient_scale(plain, metric, p.depth)
    if norm > p.tolerance.critical * scale:
        return verdict(
            "not_critical",
            "gradient",
            f"gradient norm {norm:.3g} exceeds {p.tolerance.critical:g} x {scale:.3g}",
        )
    spectrum = hessian_spectrum(weights, plain, metric, 1e-10)
    if loss <= least + level:
        return verdict(
            "global_minimum",
            "least critical value",
            f"reducible loss {loss:.6g} is the least critical value {least:.6g} to "
            f"{LEVEL:g} of the loss at zero weights",
            spectrum,
        )
    if abs(loss - value) > level or target.distance(product, learned) > 1e-4 * largest:
        return verdict(
            "undecided",
            "level",
            f"the gradient is small, but the loss {loss:.6g} is not a critical value",
            spectrum,
        )
    excess = f"loss {loss:.6g} is a critical value above the least one {least:.6g}"
    if spectrum.has_negative:
        return verdict(
            "strict_saddle",
            "negative curvature",
            f"{excess}; Hessian eigenvalue {spectrum.values[0]:.3g}",
            spectrum,
        )
    if not spectrum.complete:
        return verdict(
            "undecided",
            "curvature",
            f"{excess}; no negative curvature found by Lanczos",
            spectrum,
        )
    return verdict(
        "non_strict_saddle",
        "no negative curvature, not least",
        f"{excess}; the Hessian has no negative eigenvalue beyond {spectrum.zero:.2g}",
        spectrum,
    )
