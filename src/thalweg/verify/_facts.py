"""Checking the facts of a proof exactly: counting signs of eigenvalues of integer matrices."""

from collections.abc import Iterator
from fractions import Fraction

from thalweg.verify._exact import (
    Exact,
    bordered,
    inertia,
    rank,
    shifted,
    trace_of_fit,
)
from thalweg.verify._read import Proof


class Setting:
    """The exact matrices of a proof, without the inputs that never occur."""

    def __init__(self, proof: Proof) -> None:
        seen = [any(value != 0.0 for value in row) for row in proof.x]
        first, *rest = proof.weights
        kept = [[v for v, use in zip(row, seen, strict=True) if use] for row in first]
        self.frozen = sum(
            (
                Fraction(v) ** 2
                for row in first
                for v, use in zip(row, seen, strict=True)
                if not use
            ),
            Fraction(0),
        )
        x = Exact.of([row for row, use in zip(proof.x, seen, strict=True) if use])
        self.dims = (len(x.rows), *(len(weight) for weight in proof.weights))
        self.divisor = proof.divisor
        self.raw = proof.metric == "raw"
        self.weights = [Exact.of(kept), *map(Exact.of, rest)]
        self.second = x @ x.transposed
        self.cross = Exact.of(proof.y) @ x.transposed
        product = self.weights[0]
        for weight in self.weights[1:]:
            product = weight @ product
        self.excess = product @ self.second - self.cross

    def conserved(self) -> Iterator[Exact]:
        """Yield ``C_1, ..., C_H`` of the flow."""
        for j, (before, after) in enumerate(zip(self.weights, self.weights[1:], strict=False)):
            inner = before @ self.second if j == 0 and not self.raw else before
            yield after.transposed @ after - inner @ before.transposed


def wrong_facts(proof: Proof, setting: Setting) -> Iterator[str]:
    """Yield every fact of the proof that is not true."""
    known, k, d_y = proof.facts, setting.dims[0], setting.dims[-1]
    if known["dims"] != list(setting.dims):
        yield "the sizes are not those of the weights"
        return
    yield from _metric(proof, setting)
    square = trace_of_fit(setting.second, setting.excess)
    if square is None:
        yield "an input direction is not independent of the others"
        return
    square /= setting.divisor
    if known["error_low"] < 0 or Fraction(known["error_low"]) ** 2 > square:
        yield "error_low is too large"
    if not (known["error_high"] >= 0 and square <= Fraction(known["error_high"]) ** 2):
        yield "error_high is too small"
    if known["target_rank"] != rank(setting.cross):
        yield "target_rank is not the rank"
    if not all(len(known[name]) == min(d_y, k) for name in ("sigma_low", "sigma_high")):
        yield "there must be one bound for each singular value"
        return
    for q in range(min(d_y, k)):
        low, high = known["sigma_low"][q], known["sigma_high"][q]
        # More than q eigenvalues of the fitted square are at least low^2.
        if not (low >= 0 and (low == 0 or _below(setting, low) <= d_y - q - 1)):
            yield f"sigma_low[{q}] is too large"
        if not (high >= 0 and _above(setting, high) <= q):
            yield f"sigma_high[{q}] is too small"
    yield from _imbalance(proof, setting)


def _metric(proof: Proof, setting: Setting) -> Iterator[str]:
    known, k = proof.facts, setting.dims[0]
    low, high = (Fraction(known[name]) * setting.divisor for name in ("metric_low", "metric_high"))
    if setting.raw:
        if low <= 0 or inertia(shifted(setting.second, low))[0] > 0:
            yield "metric_low is not a positive lower bound"
        if inertia(shifted(setting.second, high))[2] > 0:
            yield "metric_high is too small"
        if known["whitening_low"] != 1.0:
            yield "whitening_low must be 1 for a raw flow"
    else:
        if not 0 < low <= 1 <= high:
            yield "metric_low or metric_high is wrong"
        below = Fraction(known["whitening_low"])
        if below < 0 or inertia(shifted(setting.second, below))[0] > 0:
            yield "whitening_low is too large"
    if k < 1 or known["frozen_high"] < 0 or Fraction(known["frozen_high"]) ** 2 < setting.frozen:
        yield "frozen_high is too small"


def _fit(setting: Setting, bound: float) -> tuple[int, int, int]:
    """Return the inertia of ``bound^2 divisor I - G S^-1 G^T``.

    That is the Schur complement of the positive definite ``S`` in a bordered matrix, so the
    inertia is the bordered matrix's less one positive sign for each input (Haynsworth).
    """
    corner = Fraction(bound) ** 2 * setting.divisor
    negative, zero, positive = inertia(bordered(setting.second, setting.cross, corner))
    return negative, zero, positive - setting.dims[0]


def _above(setting: Setting, bound: float) -> int:
    """Count singular values of the target above a bound."""
    return _fit(setting, bound)[0]


def _below(setting: Setting, bound: float) -> int:
    """Count eigenvalues of the fitted square below the square of a bound."""
    return _fit(setting, bound)[2]


def _imbalance(proof: Proof, setting: Setting) -> Iterator[str]:
    lows, highs = proof.facts["imbalance_low"], proof.facts["imbalance_high"]
    hidden = setting.dims[1:-1]
    if [len(item) for item in lows] != list(hidden) or [len(i) for i in highs] != list(hidden):
        yield "there must be one bound for each eigenvalue of each conserved matrix"
        return
    for j, matrix in enumerate(setting.conserved()):
        order = len(matrix.rows)
        for k, (low, high) in enumerate(zip(lows[j], highs[j], strict=True)):
            if inertia(shifted(matrix, Fraction(low)))[0] > k:
                yield f"imbalance_low[{j}][{k}] is too large"
            if inertia(shifted(matrix, Fraction(high)))[2] > order - 1 - k:
                yield f"imbalance_high[{j}][{k}] is too small"
