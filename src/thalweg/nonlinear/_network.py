"""One hidden layer with activations on given data (Spec 6.1; paper Eq. 28)."""

import functools
import html
from typing import Any

import numpy as np

from thalweg._core import (
    Array,
    DataError,
    DimensionError,
    RngLike,
    as_count,
    as_generator,
    as_matrix,
    as_scalar,
    as_weights,
)
from thalweg.network import pack, unpack
from thalweg.nonlinear._activation import Activation, named_activation
from thalweg.nonlinear._custom import custom_activation
from thalweg.nonlinear._field import ShallowField
from thalweg.nonlinear._hessian import ShallowHessian
from thalweg.nonlinear._law import Conserved, Law, law_of


class ShallowNetwork:
    """The loss ``0.5 ||Y - sigma_2(W_2 sigma_1(W_1 X))||_F^2`` of one hidden layer.

    Everything but the flow: derivatives, invariants, law; see `ShallowProblem`.
    """

    def __init__(
        self,
        X: Any,
        Y: Any,
        hidden: int = 16,
        activation: Any = "tanh",
        output_activation: Any = None,
        *,
        samples: str = "rows",
        loss: str = "sum",
        negative_slope: float = 0.01,
    ) -> None:
        if samples not in {"rows", "columns"}:
            raise DataError(f"samples must be rows or columns, got {samples!r}")
        if loss not in {"sum", "mean"}:
            raise DataError(f"loss must be sum or mean, got {loss!r}")
        x, y = as_matrix(X, "X"), as_matrix(Y, "Y")
        if samples == "columns":
            y = y.T if np.ndim(Y) == 1 else y
        else:
            x, y = x.T, y.T
        if x.shape[1] != y.shape[1]:
            raise DimensionError(
                f"X has {x.shape[1]} samples and Y has {y.shape[1]}; one target for each sample is "
                'needed (samples="columns" if samples are columns)'
            )
        left = as_scalar(negative_slope, "negative_slope", low=0.0, high=1.0)
        if left == 1.0:
            raise DataError('negative_slope must be below 1; with slope 1 use "identity"')
        self.hidden = as_count(hidden, "hidden")
        self.activation = _activation(activation, left)
        self.output_activation = _output(output_activation, left)
        self.loss_name = loss
        self._x, self._y = np.ascontiguousarray(x), np.ascontiguousarray(y)
        self._scale = 1.0 if loss == "sum" else 1.0 / x.shape[1]

    @property
    def dims(self) -> tuple[int, int, int]:
        """Layer sizes ``(d_x, hidden, d_y)``."""
        return len(self._x), self.hidden, len(self._y)

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return int(self._x.shape[1])

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return self.hidden * (len(self._x) + len(self._y))

    @functools.cached_property
    def law(self) -> Law:
        """Whether `invariants` are conserved on these data, and why."""
        return law_of(self.activation, self._x)

    @functools.cached_property
    def field(self) -> ShallowField:
        """Loss and gradient on packed weights, with the slope left of kinks."""
        activations = self.activation, self.output_activation
        return ShallowField((self._x, self._y), self.hidden, activations, self._scale)

    @functools.cached_property
    def conserved(self) -> Conserved:
        """The quantities of the law on stacks of weights."""
        return Conserved(self.activation, self._x)

    def _packed(self, w: Any, name: str = "w") -> Array:
        return pack(as_weights(w, self.dims, name))

    def loss(self, w: Any) -> float:
        """Return the loss at `w`."""
        return self.field.rhs(self._packed(w))[0]

    def gradient(self, w: Any) -> list[Array]:
        """Return the gradient at `w` (paper Eqs. 29, 30), at kinks that of the left."""
        return [-item for item in unpack(self.field.rhs(self._packed(w))[1], self.dims)]

    def minibatch_gradient(self, w: Any, samples: Any) -> list[Array]:
        """Return the gradient of the loss of some samples, scaled to estimate that of all.

        Parameters
        ----------
        w
            Weights.
        samples
            Their indices, shape ``(b,)``. For ``loss="mean"`` the result is the gradient of their
            mean, for ``"sum"`` that of ``m / b`` times their sum.
        """
        rows = np.asarray(samples, dtype=np.intp)
        field = ShallowField(
            (self._x[:, rows], self._y[:, rows]),
            self.hidden,
            (self.activation, self.output_activation),
            self._scale * self.n_samples / rows.size,
        )
        return [-item for item in unpack(field.rhs(self._packed(w))[1], self.dims)]

    def hessian(self, w: Any) -> ShallowHessian:
        """Return the Hessian at `w` as a linear operator; its `message` names kinks at `w`."""
        return ShallowHessian(self.field, self._packed(w))

    def predict(self, w: Any) -> Array:
        """Return the outputs of the network, one row for each sample."""
        out = self.field.passed(self._packed(w)).out
        return (out if self.output_activation is None else self.output_activation.value(out)).T

    def invariants(self, w: Any) -> Array:
        """Return ``q``, shape ``(hidden,)`` (Spec 6.2, 6.3); `law` says whether it is conserved.

        Raises
        ------
        DataError
            If a pre-activation is so large that ``Sigma`` overflows.
        """
        outward, inward = self.conserved.terms(*unpack(self._packed(w), self.dims))
        return outward - inward

    def start(self, scale: float = 0.1, *, rng: RngLike = None) -> list[Array]:
        """Draw a start with independent normal entries of standard deviation `scale`."""
        scale = as_scalar(scale, "scale", low=0.0)
        drawn = as_generator(rng).standard_normal(self.n_parameters)
        return unpack(scale * drawn, self.dims)

    def to_dict(self) -> dict[str, Any]:
        """Return the problem as JSON types, without its data."""
        return {"type": "ShallowProblem"} | dict(self._rows()) | {"law": self.law.to_dict()}

    def _rows(self) -> list[tuple[str, Any]]:
        outer = None if self.output_activation is None else self.output_activation.name
        return [
            ("dims", list(self.dims)),
            ("n_samples", self.n_samples),
            ("n_parameters", self.n_parameters),
            ("activation", self.activation.name),
            ("output_activation", outer),
            ("loss", self.loss_name),
            ("sigma_integral", self.activation.note),
        ]

    def _text(self) -> list[tuple[str, str]]:
        word = "holds" if self.law.holds else "does not hold"
        return [(k, str(v)) for k, v in self._rows()] + [("law", f"{word}: {self.law.message}")]

    def __repr__(self) -> str:
        return "\n".join(["ShallowProblem", *(f"  {a:<18}{b}" for a, b in self._text())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(a)}</th>"
            f"<td style='text-align:left'>{html.escape(b)}</td></tr>"
            for a, b in self._text()
        )
        return f"<table><caption>ShallowProblem</caption>{rows}</table>"


def _activation(given: Any, left: float) -> Activation:
    return named_activation(given, left) if isinstance(given, str) else custom_activation(given)


def _output(given: Any, left: float) -> Activation | None:
    if given is None:
        return None
    out = _activation(given, left)
    if out.left is not None:
        raise DataError(
            f"output_activation {out.name!r} has a kink, which is followed in the hidden layer "
            "only; choose a smooth one, or None"
        )
    return out
