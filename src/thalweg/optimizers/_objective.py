"""The loss that is trained: on all samples, on a minibatch, and in which coordinates."""

from typing import Any, Protocol

import numpy as np

from thalweg import network
from thalweg._core import (
    Array,
    DataError,
    DimensionError,
    ThalwegError,
    as_float_array,
    as_weights,
)
from thalweg.optimizers._laws import DiagonalLaw, Law, MatrixLaw
from thalweg.problem import Problem

LARGE = 1e30
"""Weights beyond this have left the range in which a problem has to know its loss."""


class Objective(Protocol):
    """What an optimizer needs to know of a problem."""

    law: Law
    n_samples: int
    exact: bool
    """Whether gradient steps keep the first order of the law, so that the drift is predicted."""
    start: list[Array]
    """The start in the coordinates of the optimizer."""

    def full(self, weights: list[Array]) -> tuple[float, list[Array]]:
        """Return the loss of all samples and its gradient."""

    def loss(self, weights: list[Array]) -> float:
        """Return the loss of all samples."""

    def batch(self, weights: list[Array], rows: Any) -> list[Array]:
        """Return the gradient of the loss of some samples, as an estimate of the whole."""

    def to_data(self, weights: list[Array]) -> list[Array]:
        """Map weights to the coordinates of the data."""


class LinearObjective:
    """A `Problem`: raw data in the user's coordinates, whitened data in those of its flow."""

    exact = True

    def __init__(self, p: Problem, w0: Any, *, batches: bool) -> None:
        self._problem = p
        self._given = as_weights(w0, p.dims, "w0")
        self.law: Law = MatrixLaw()
        self.n_samples = p.n_samples
        self._target, self._metric = p.flow_data()
        self._basis: Array | None = None if p.metric == "whitened" else p.input_basis
        self.start = p.reduce(self._given) if self._basis is None else self._given
        self._rows = _sample_rows(p) if batches else None

    def full(self, weights: list[Array]) -> tuple[float, list[Array]]:
        """Return the loss, irreducible part included, and its gradient."""
        inner = self._inner(weights)
        loss, slopes = network.loss_and_gradient(inner, self._target, self._metric)
        if self._basis is not None:
            slopes[0] = slopes[0] @ self._basis.T
        return loss + self._problem.irreducible_loss, slopes

    def loss(self, weights: list[Array]) -> float:
        """Return the loss, irreducible part included."""
        loss = network.loss(self._inner(weights), self._target, self._metric)
        return loss + self._problem.irreducible_loss

    def batch(self, weights: list[Array], rows: Any) -> list[Array]:
        """Return the gradient of a minibatch, scaled to estimate that of the whole loss.

        For ``loss="mean"`` it is that of the batch's mean, for ``"sum"`` that of ``m / b`` times
        the batch's sum.
        """
        assert self._rows is not None  # noqa: S101
        layers = [self._rows[0][rows]]
        for weight in weights:
            layers.append(layers[-1] @ weight.T)
        factor = self._problem.loss_scale * self.n_samples / len(rows)
        signal = factor * (layers[-1] - self._rows[1][rows])
        slopes: list[Array] = []
        for j in range(len(weights) - 1, -1, -1):
            slopes.append(signal.T @ layers[j])
            if j > 0:
                signal = signal @ weights[j]
        return slopes[::-1]

    def to_data(self, weights: list[Array]) -> list[Array]:
        """Map weights to the coordinates of the data."""
        if self._basis is None:
            return self._problem.lift(weights, like=self._given)
        return [weight.copy() for weight in weights]

    def _inner(self, weights: list[Array]) -> list[Array]:
        if self._basis is None:
            return weights
        return [weights[0] @ self._basis, *weights[1:]]


def _sample_rows(p: Problem) -> tuple[Array, Array]:
    """Return the samples in rows."""
    if p.metric == "whitened":
        raise DataError(
            "minibatches of whitened data would be whitened by all samples; whiten X yourself and "
            'use metric="raw", or use all samples at every step'
        )
    tables = p.tables()
    if tables is None:
        raise DataError(
            "this problem has not kept its table (more than 262144 numbers), so it has no "
            "minibatches; train on all samples, or watch a PyTorch training"
        )
    x, y = tables
    if x.shape[1] != p.n_samples:
        raise DataError(
            f"the table's {x.shape[1]} rows stand for {p.n_samples} samples, which are gone; "
            "minibatches need the samples themselves"
        )
    return np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)


class OtherObjective:
    """A problem that offers ``loss(w)`` and ``gradient(w)``, such as one with an activation.

    Minibatches need ``minibatch_gradient(w, samples)`` besides.

    If its ``activation`` says that it is ``homogeneous`` (ReLU and its kin) the exact diagonal law
    of Spec 6.3 is followed; otherwise ``invariants(w)`` is measured and nothing is predicted.
    """

    def __init__(self, p: Any, w0: Any, *, batches: bool) -> None:
        if batches and not callable(getattr(p, "minibatch_gradient", None)):
            raise DataError(
                f"a {type(p).__name__} has no minibatch_gradient(w, samples); leave batch_size out "
                'and use "gd", "momentum", "nesterov", "adam" or "adamw"'
            )
        self._problem = p
        self.start = [as_float_array(item, f"w0[{j}]") for j, item in enumerate(w0)]
        if len(self.start) != 2:
            raise DimensionError(f"w0 has {len(self.start)} arrays; [W_1, W_2] is needed")
        self.exact = bool(getattr(getattr(p, "activation", None), "homogeneous", False))
        self.law: Law = DiagonalLaw() if self.exact else _Measured(p)
        self.n_samples = int(getattr(p, "n_samples", 1))

    def full(self, weights: list[Array]) -> tuple[float, list[Array]]:
        """Return loss and gradient; an infinite loss where the problem refuses the weights."""
        loss = self.loss(weights)
        return loss, list(self._problem.gradient(weights)) if np.isfinite(loss) else []

    def loss(self, weights: list[Array]) -> float:
        """Return the loss."""
        try:
            return float(self._problem.loss(weights))
        except ThalwegError:
            if all(float(np.abs(weight).max()) < LARGE for weight in weights):
                raise
            return float("inf")

    def batch(self, weights: list[Array], rows: Any) -> list[Array]:
        """Return the gradient of a minibatch, as the problem scales it."""
        return list(self._problem.minibatch_gradient(weights, rows))

    def to_data(self, weights: list[Array]) -> list[Array]:
        """Return copies."""
        return [weight.copy() for weight in weights]


class _Measured(DiagonalLaw):
    """Whatever the problem says is conserved by its flow."""

    def __init__(self, p: Any) -> None:
        self._problem = p

    def form(self, weights: Any) -> list[Array]:
        """Return the problem's own invariants, NaN where they overflow."""
        try:
            return [np.asarray(self._problem.invariants(list(weights)), dtype=np.float64)]
        except ThalwegError:
            return [np.full(len(weights[0]), np.nan)]


def objective_of(p: Any, w0: Any, *, batches: bool) -> Objective:
    """Return the objective of a problem.

    Raises
    ------
    DataError
        If it is no problem.
    """
    if isinstance(p, Problem):
        return LinearObjective(p, w0, batches=batches)
    if not all(callable(getattr(p, name, None)) for name in ("loss", "gradient", "invariants")):
        raise DataError(
            f"p is a {type(p).__name__}; a Problem, or an object with loss, gradient and "
            "invariants, is needed"
        )
    return OtherObjective(p, w0, batches=batches)
