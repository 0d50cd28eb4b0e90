"""The conserved quantities of one hidden layer (Spec 6.2, 6.3; paper Lemma 5 and Remark 4)."""

import dataclasses

import numpy as np

from thalweg._core import EPS, Array, Result
from thalweg.nonlinear._activation import Activation

SUM_OF_SIGMA = "q_l = (W_2^T W_2)_ll - 2 sum_k Sigma(z_lk) / |x_k|^2"
DIFFERENCE = "q_l = (W_2^T W_2)_ll - (W_1 W_1^T)_ll"
UNBOUNDED = (
    "boundedness of the weights is not proved: q only says that W_1 is bounded if and only if "
    "W_2 is"
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Law(Result):
    """Whether the ``hidden`` numbers ``q_l`` are conserved on these data, and why.

    Attributes
    ----------
    holds
        ``True``: a theorem says so. ``False``: generic weights change them.
    quantity
        The formula.
    message
        Why, with the number that decides it.
    largest_cosine
        Largest absolute cosine between two samples; ``None`` where it does not matter.
    threshold
        Cosine that counts as zero.
    samples
        The two samples of that cosine, counted from 0.
    boundedness
        What the law says about boundedness, and what not (Spec 6.5).
    """

    holds: bool
    quantity: str
    message: str
    largest_cosine: float | None
    threshold: float | None
    samples: tuple[int, int] | None
    boundedness: str = UNBOUNDED


def law_of(activation: Activation, x: Array) -> Law:
    """Decide whether the law holds for samples in columns, ``x`` of shape ``(d_x, m)``."""
    if activation.homogeneous:
        return Law(
            holds=True,
            quantity=DIFFERENCE,
            message=f"{activation.name} satisfies sigma(z) = z sigma'(z), so q is conserved on any "
            "data (paper Remark 4)",
            largest_cosine=None,
            threshold=None,
            samples=None,
        )
    threshold = 4 * max(x.shape) * EPS
    cosine, pair = largest_cosine(x)
    holds = cosine <= threshold
    size = f"the largest cosine between two samples is {cosine:.3g}"
    if holds:
        why = f"the samples are orthogonal ({size}), so q is conserved (paper Lemma 5)"
    else:
        why = (
            f"the samples are not orthogonal: {size} (samples {pair[0]} and {pair[1]}), so q is "
            "not conserved"
        )
    return Law(
        holds=holds,
        quantity=SUM_OF_SIGMA,
        message=why,
        largest_cosine=cosine,
        threshold=threshold,
        samples=pair if x.shape[1] > 1 else None,
    )


def largest_cosine(x: Array) -> tuple[float, tuple[int, int]]:
    """Return the largest absolute cosine between two columns, and which they are."""
    norms = np.linalg.norm(x, axis=0)
    unit = np.divide(x, norms, out=np.zeros_like(x), where=norms > 0.0)
    best, where = 0.0, (0, min(1, x.shape[1] - 1))
    block = 1024
    for begin in range(0, x.shape[1], block):
        part = np.abs(unit[:, begin : begin + block].T @ unit)
        rows = np.arange(len(part))
        part[rows, begin + rows] = 0.0
        at = int(np.argmax(part))
        if part.flat[at] > best:
            best = float(part.flat[at])
            i, j = divmod(at, x.shape[1])
            where = (min(begin + i, j), max(begin + i, j))
    return min(best, 1.0), where


@dataclasses.dataclass(frozen=True, eq=False)
class Conserved:
    """Computes ``q`` on stacks of weights, and puts it right where it is conserved."""

    activation: Activation
    x: Array

    def terms(self, first: Array, second: Array) -> tuple[Array, Array]:
        """Return both terms of ``q``, each ``(..., hidden)``.

        Raises
        ------
        DataError
            If ``Sigma`` overflows.
        """
        outward = np.sum(second**2, axis=-2)
        if self.activation.homogeneous:
            return outward, np.sum(first**2, axis=-1)
        sums = self.activation.checked_integral(first @ self.x)
        return outward, 2.0 * (sums @ self._inverse_squares)

    @property
    def _inverse_squares(self) -> Array:
        squares = np.sum(self.x**2, axis=0)
        out: Array = np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0.0)
        return out

    def project(self, first: Array, second: Array, wanted: Array) -> tuple[Array, Array]:
        """Return the nearest weights with the wanted ``q``, by minimum-norm Newton steps."""
        best = np.full(wanted.shape, np.inf)
        for _ in range(4):
            outward, inward = self.terms(first, second)
            off = outward - inward - wanted
            better = np.abs(off) < best
            if not np.any(better):
                break
            best = np.minimum(best, np.abs(off))
            if self.activation.homogeneous:
                pull = first
            else:
                ratio = self.activation.ratio(first @ self.x)
                pull = (ratio * self._inverse_squares) @ self.x.T
            square = np.sum(second**2, axis=-2) + np.sum(pull**2, axis=-1)
            part = np.divide(off, 2.0 * square, out=np.zeros_like(off), where=square > 0.0)
            part = np.where(better, part, 0.0)
            first = first + part[..., np.newaxis] * pull
            second = second * (1.0 - part[..., np.newaxis, :])
        return first, second
