"""The regression problem that a linear network is trained on."""

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from thalweg import network
from thalweg._core import (
    SMALLEST,
    Array,
    DataError,
    DimensionError,
    Tolerance,
    Weights,
    as_dims,
    as_weights,
)
from thalweg.problem._clock import flow_time
from thalweg.problem._coordinates import lift_weights, reduce_weights, reduced_data, reduced_moments
from thalweg.problem._facts import ProblemFacts
from thalweg.problem._reduction import reduce_data
from thalweg.problem._tables import kept_tables, paired_tables, target_tables
from thalweg.problem._torch_model import linear_dims

if TYPE_CHECKING:
    from thalweg.problem._hessian_operator import HessianOperator

METRICS = ("raw", "whitened")
LOSSES = ("sum", "mean")


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Problem(ProblemFacts):
    """Least squares with a linear network: ``0.5 * ||Y - W_L ... W_1 X||_F**2`` (Spec 1; Eq. 2).

    Build one with `from_data`, `from_target` or `from_torch`. Weights are always given in the
    coordinates of the data, ``W_j`` of shape ``(d_j, d_{j-1})``, and `loss`, `gradient` and
    `hessian` are those of the data as given, whatever the metric. The metric decides which flow
    is meant: ``raw`` is gradient descent on the data; ``whitened`` is the paper's reduced flow
    (Eqs. 3-4), gradient descent after whitening the inputs. The two share their critical points
    and nothing else (Spec 1.4).
    """

    @classmethod
    def from_data(
        cls,
        X: Any,
        Y: Any,
        widths: Any = None,
        *,
        metric: str = "raw",
        loss: str = "sum",
        samples: str = "rows",
        n_samples: int | None = None,
        tolerance: Tolerance | None = None,
    ) -> Self:
        """Build a problem from a table.

        Parameters
        ----------
        X, Y
            Shapes ``(n_samples, n_features)`` and ``(n_samples, n_targets)``, or transposed with
            ``samples="columns"``. A 1-D ``Y`` is one column.
        widths
            Sizes of the hidden layers. Default: one of width ``max(d_y, min(32, d_x))``. An empty
            sequence is the network without hidden layer.
        metric
            ``"raw"``: the flow on the data as they are; ``"whitened"``: the paper's.
        loss
            ``"sum"`` or ``"mean"`` over samples; it rescales the loss and time.
        samples
            ``"rows"`` or ``"columns"``.
        n_samples
            How many samples the rows stand for, when they are a reduction of a larger table.
        tolerance
            Thresholds for ranks and ties.

        Returns
        -------
        Problem
            Immutable; keeps the reduction, and the data only if they are small.

        Raises
        ------
        DataError
            If numbers are not finite or not real, or ``X`` is zero.
        DimensionError
            If the numbers of samples differ or a width is not a positive integer.
        """
        _choice(metric, METRICS, "metric")
        _choice(loss, LOSSES, "loss")
        x, y = paired_tables(X, Y, samples)
        d_x, d_y = x.shape[0], y.shape[0]
        hidden = (max(d_y, min(32, d_x)),) if widths is None else as_dims(widths, "widths")
        if n_samples is not None:
            (n_samples,) = as_dims(n_samples, "n_samples")
        return cls(
            dims=(d_x, *hidden, d_y),
            metric=metric,
            loss_name=loss,
            n_samples=x.shape[1] if n_samples is None else n_samples,
            tolerance=tolerance or Tolerance(),
            _moments=reduce_data(x, y),
            _tables=kept_tables(x, y),
        )

    @classmethod
    def from_target(
        cls,
        T: Any,
        dims: Any,
        D: Any = None,
        *,
        loss: str = "sum",
        n_samples: int | None = None,
        tolerance: Tolerance | None = None,
    ) -> Self:
        """Build a problem from a target map, without data.

        Parameters
        ----------
        T
            Matrix ``(d_y, k)``, or its singular values (1-D, for a rectangular diagonal target).
        dims
            ``(d_x, d_1, ..., d_y)``.
        D
            What stands for the data ``X``: ``None`` is the identity (the paper's whitened case),
            1-D a positive diagonal, otherwise a matrix ``(d_x, k)``.
        loss, n_samples, tolerance
            As in `from_data`; ``n_samples`` defaults to the number of columns ``k``.

        Returns
        -------
        Problem
            With loss ``0.5 * ||T - W_L ... W_1 D||_F**2``.

        Raises
        ------
        DimensionError
            If the shapes do not fit `dims`.
        DataError
            If the diagonal is not positive.
        """
        dims = as_dims(dims)
        factor, target = target_tables(T, dims, D)
        return cls.from_data(
            factor,
            target,
            dims[1:-1],
            loss=loss,
            samples="columns",
            n_samples=n_samples,
            tolerance=tolerance,
        )

    @classmethod
    def from_torch(cls, model: Any, X: Any, Y: Any, **options: Any) -> Self:
        """Build the problem of training an ``nn.Sequential`` of bias-free ``nn.Linear``.

        Parameters
        ----------
        model
            The network; its sizes become `dims`. Its weights are not kept: pass
            ``[layer.weight for layer in model]`` wherever weights are asked for.
        X, Y
            Tensors or arrays, samples in rows.
        **options
            ``metric``, ``loss``, … as in `from_data`. ``nn.MSELoss`` runs on another clock: see
            `flow_time`.

        Returns
        -------
        Problem
            With the model's sizes.

        Raises
        ------
        DimensionError
            If the model is not such a chain, or does not fit the data.
        """
        dims = linear_dims(model)
        problem = cls.from_data(X, Y, dims[1:-1], **options)
        if problem.dims != dims:
            raise DimensionError(
                f"the model maps {dims[0]} features to {dims[-1]} targets, the data have "
                f"{problem.dims[0]} and {problem.dims[-1]}"
            )
        return problem

    # --- functions of weights ------------------------------------------------------------
    def loss(self, w: Any) -> float:
        """Return the loss of the data as given, irreducible part included."""
        return self.reducible_loss(w) + self.irreducible_loss

    def reducible_loss(self, w: Any) -> float:
        """Return the loss above `irreducible_loss`; critical values speak of this one."""
        weights = self._isometric(as_weights(w, self.dims))
        return self.loss_scale * network.loss(weights, self._moments.target, self._moments.scale)

    def gradient(self, w: Any) -> list[Array]:
        """Return the partial derivatives of `loss`, shaped like the weights (paper Eq. 6)."""
        weights = self._isometric(as_weights(w, self.dims))
        slopes = network.gradient(weights, self._moments.target, self._moments.scale)
        slopes[0] = slopes[0] @ self._moments.basis.T
        return [self.loss_scale * slope for slope in slopes]

    def hessian(self, w: Any) -> "HessianOperator":
        """Return the second derivatives of `loss` at `w` as an operator on packed weights."""
        from thalweg.problem._hessian_operator import hessian_of  # slow to import

        return hessian_of(
            self._isometric(as_weights(w, self.dims)), self._moments, self.dims, self.loss_scale
        )

    def line(self, w: Any, v: Any) -> Array:
        """Return the coefficients of ``t -> loss(w + t v)``, lowest power first, degree ``2L``."""
        weights = self._isometric(as_weights(w, self.dims))
        direction = self._isometric(as_weights(v, self.dims, "v"))
        out = self.loss_scale * network.line_polynomial(
            weights, direction, self._moments.target, self._moments.scale
        )
        out[0] += self.irreducible_loss
        return out

    def flow_time(self, lr: float, steps: int = 1, loss: str = "torch.mse") -> float:
        """Return how much flow time so many gradient descent steps are.

        Parameters
        ----------
        lr, steps
            Learning rate and number of steps.
        loss
            The loss that is trained: ``"torch.mse"`` (``nn.MSELoss``, mean over samples and
            targets), ``"torch.mse_sum"``, ``"sum"`` (half the sum of squares) or ``"mean"``.

        Returns
        -------
        float
            Time on the clock of this problem's flow.
        """
        return flow_time(lr, steps, loss, (self.n_samples, self.dims[-1], self.loss_scale))

    # --- reduction (Spec 1.3, 1.4) -------------------------------------------------------
    def _isometric(self, weights: Weights) -> list[Array]:
        return [weights[0] @ self._moments.basis, *weights[1:]]

    @functools.cached_property
    def reduced(self) -> "Problem":
        """The problem in the coordinates in which its flow is integrated.

        ``raw``: the isometric reduction, target ``T`` and diagonal ``D``. ``whitened``: the
        paper's, target ``Sigma_Y`` and ``D = I``. Same flow as this problem's, up to `reduce` and
        `lift`; its irreducible loss is zero.
        """
        dims, moments = (self.rank, *self.dims[1:]), reduced_moments(self._moments, self.metric)
        return dataclasses.replace(self, dims=dims, metric="raw", _moments=moments, _tables=None)

    def reduce(self, w: Any) -> list[Array]:
        """Map weights to the coordinates of `reduced`; what never moves is left out."""
        return reduce_weights(as_weights(w, self.dims), self._moments, self.metric)

    def lift(self, w_reduced: Any, like: Any = None) -> list[Array]:
        """Undo `reduce`.

        Parameters
        ----------
        w_reduced
            Weights in the coordinates of `reduced`.
        like
            Weights whose frozen part (the rows of ``W_1`` against directions that never occur in
            ``X``) is put back; ``None`` puts zeros.

        Returns
        -------
        list of ndarray
            Weights in the coordinates of the data.
        """
        # What has decayed below the smallest accepted size comes back as zero.
        kept = [
            np.where(np.abs(item) < SMALLEST, 0.0, item) if isinstance(item, np.ndarray) else item
            for item in w_reduced
        ]
        dims = (self.rank, *self.dims[1:])  # `reduced` itself holds large unit matrices
        out = as_weights(kept, dims, "w_reduced")
        frozen = None if like is None else as_weights(like, self.dims, "like")
        return lift_weights(out, self._moments, self.metric, frozen)

    def flow_data(self) -> tuple[Array, Array]:
        """Return ``(T, D)`` of the reduced problem with the factor of ``loss="mean"`` absorbed."""
        root = np.sqrt(self.loss_scale)
        target, scale = reduced_data(self._moments, self.metric)
        return root * target, root * scale


def _choice(value: Any, allowed: tuple[str, ...], name: str) -> None:
    if value not in allowed:
        raise DataError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
