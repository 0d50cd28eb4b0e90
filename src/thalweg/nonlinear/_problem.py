"""One hidden layer with activations on given data (Spec 6.1; paper Eq. 28)."""

from collections.abc import Callable
from typing import Any

from thalweg._core import as_count, as_scalar, as_weights
from thalweg.nonlinear._flow import integrate
from thalweg.nonlinear._network import ShallowNetwork
from thalweg.nonlinear._trajectory import ShallowTrajectory


class ShallowProblem(ShallowNetwork):
    """The loss ``0.5 ||Y - sigma_2(W_2 sigma_1(W_1 X))||_F^2`` of one hidden layer.

    Parameters
    ----------
    X
        Features, shape ``(n_samples, d_x)``.
    Y
        Targets, shape ``(n_samples, d_y)``; 1-D is one column.
    hidden
        Width of the hidden layer.
    activation
        ``sigma_1``: ``"tanh"``, ``"arctan"``, ``"logistic"`` (centred: minus one half),
        ``"softsign"``, ``"erf"``, ``"relu"``, ``"leaky_relu"``, ``"identity"``, or a pair of
        callables ``(sigma, sigma')``, optionally with ``sigma''``, that satisfy Definition 2.
    output_activation
        ``sigma_2``, likewise but without a kink; ``None`` for none.
    samples
        ``"rows"`` or ``"columns"``.
    loss
        ``"sum"`` over samples or ``"mean"``, which only rescales time.
    negative_slope
        Of ``"leaky_relu"``, at least 0 and below 1.

    Raises
    ------
    DataError
        If numbers or names cannot be used, or a callable violates Definition 2.
    DimensionError
        If `X` and `Y` have different numbers of samples.

    Notes
    -----
    Weights are ``[W_1, W_2]`` of shapes ``(hidden, d_x)`` and ``(d_y, hidden)``. At a kink the
    slope is the one on its left, as in PyTorch: ``relu'(0) = 0``; the flow itself takes the element
    of the Clarke subdifferential along which it can go on.

    Examples
    --------
    >>> import numpy as np, thalweg as tw
    >>> net = tw.nonlinear.ShallowProblem(np.eye(3), [1.0, 0.0, -1.0], hidden=2)
    >>> net.law.holds
    True
    """

    def flow(
        self,
        w0: Any,
        t_end: float | None = None,
        *,
        rtol: float = 1e-8,
        max_steps: int = 20_000,
        progress: Callable[..., None] | None = None,
    ) -> ShallowTrajectory:
        """Integrate ``dW/dt = -grad L`` from `w0` and say where it ends.

        Parameters
        ----------
        w0
            Start ``[W_1, W_2]``.
        t_end
            Time to stop at. ``None`` integrates until the gradient has vanished and what is left
            of the way is estimated to be negligible.
        rtol
            Tolerance of the integration, relative to the size of the weights.
        max_steps
            Budget of steps; when it is used up the status is ``"horizon"``.
        progress
            Called now and then during the integration.

        Returns
        -------
        ShallowTrajectory
            Times, losses, weights at any time, drift of `invariants`, limit.

        Raises
        ------
        DimensionError
            If `w0` does not fit.
        DataError
            If a parameter is out of range.

        Notes
        -----
        Boundedness is not proved for these networks (Spec 6.5), so a limit is an observation with
        its numbers, not a theorem. Where the law holds, weights are put right onto it.
        """
        start = as_weights(w0, self.dims, "w0")
        rtol = as_scalar(rtol, "rtol", low=1e-13, high=1e-1)
        if t_end is not None:
            t_end = as_scalar(t_end, "t_end", low=0.0)
        budget = as_count(max_steps, "max_steps")
        return integrate(self, start, t_end, rtol=rtol, max_steps=budget, progress=progress)
