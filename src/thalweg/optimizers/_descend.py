"""Training by steps of finite size, with an account of what the flow would have conserved."""

from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._core import RngLike, as_count
from thalweg.optimizers._batches import minibatches
from thalweg.optimizers._descent import Descent
from thalweg.optimizers._ledger import Ledger
from thalweg.optimizers._loop import BLOWN_UP, Outcome, take_steps
from thalweg.optimizers._objective import objective_of
from thalweg.optimizers._settings import Settings, checked


def descend(
    p: Any,
    w0: Any,
    *,
    method: str = "gd",
    lr: float = 1e-2,
    steps: int = 1000,
    momentum: float | None = None,
    weight_decay: float = 0.0,
    decay: str | None = None,
    batch_size: int | None = None,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    snapshots: int = 0,
    every: int = 1,
    progress: Callable[..., None] | None = None,
    rng: RngLike = 0,
) -> Descent:
    r"""Train with an optimizer and follow the conserved matrices step by step.

    Parameters
    ----------
    p
        The problem. ``metric="raw"`` trains the user's weights on the user's data, as PyTorch
        does; ``"whitened"`` trains the weights ``p.reduce(w)`` of the whitened problem. Instead of
        a `Problem`, an object with ``loss(w)``, ``gradient(w)`` and ``invariants(w)``.
    w0
        Start ``[W_1, ..., W_L]`` in the coordinates of the data.
    method
        ``"gd"``: gradient descent on all samples. ``"sgd"``: on minibatches, with `momentum` if it
        is given. ``"momentum"``: heavy ball. ``"nesterov"``, ``"adam"``, ``"adamw"``. Each means
        what the class of ``torch.optim`` means (dampening 0; Adam with bias correction).
    lr, steps
        Learning rate and number of steps.
    momentum
        Default 0.9 for ``"momentum"`` and ``"nesterov"``, else 0.
    weight_decay
        Coefficient :math:`\lambda`.
    decay
        ``"loss"``: :math:`\lambda W` is added to the gradient (default, as in ``torch.optim.SGD``
        and ``Adam``). ``"decoupled"``: weights are multiplied by :math:`1-\eta\lambda` before the
        step (default and only choice for ``"adamw"``). Without momentum and adaptivity the two are
        the same step.
    batch_size
        Samples of a minibatch; ``None`` takes all (for ``"sgd"``: 32). With ``loss="sum"`` a batch
        counts ``m / b`` times, so that `lr` means the same at every size.
    betas, eps
        Of Adam.
    snapshots
        How many weights to keep on the way, evenly spaced, besides start and end.
    every
        Measure the conserved matrices at every so many steps; between, their series hold NaN.
    progress
        Called now and then with the time, the step and the loss.
    rng
        Order of the samples.

    Returns
    -------
    Descent
        Losses, measured and predicted drift, residual of the identity, weights, limit.

    Raises
    ------
    DataError
        If a parameter is out of range, or there are no samples to draw minibatches from.
    DimensionError
        If `w0` does not fit.

    Notes
    -----
    Status: identities (Spec 8.1, 8.2; docs/optimizers.md), exact for each step up to rounding. For
    a step along the gradient of any samples the first-order change of every conserved matrix
    vanishes, so that :math:`\Delta C_j = \eta^2 (G_{j+1}^T G_{j+1} - G_j G_j^T)`. Ctrl-C returns
    what there is.

    Examples
    --------
    >>> import thalweg as tw
    >>> p = tw.Problem.from_target([3.0, 1.0], dims=(3, 2, 2))
    >>> d = tw.descend(p, tw.init.gaussian(p, scale=0.3, rng=0), lr=0.05, steps=400)
    >>> d.status, d.limit.verdict.kind, bool(d.residual.max() < 1e-14)
    ('done', 'global_minimum', True)
    """
    settings = checked(
        method,
        lr=lr,
        steps=steps,
        momentum=momentum,
        weight_decay=weight_decay,
        decay=decay,
        betas=betas,
        eps=eps,
        batch_size=batch_size,
        n_samples=int(getattr(p, "n_samples", 1)),
    )
    count = as_count(snapshots + 1, "snapshots + 1") - 1
    stride = as_count(every, "every")
    objective = objective_of(p, w0, batches=settings.batch_size is not None)
    start = [weight.copy() for weight in objective.start]
    batches = None
    if settings.batch_size is not None:
        batches = minibatches(objective.n_samples, settings.batch_size, rng)
    ledger = Ledger(
        objective.law,
        settings,
        start,
        every=stride,
        predict=objective.exact and not settings.adaptive,
    )
    kept = np.linspace(0, settings.steps, count + 2)[1:-1].round().astype(int)
    outcome = take_steps(
        objective,
        settings,
        ledger,
        batches=batches,
        keep=frozenset(kept.tolist()),
        progress=progress,
    )
    rows = outcome.done + 1
    return Descent(
        problem=p,
        start=tuple(objective.to_data(start)),
        settings=settings,
        seed=rng if batches is not None and isinstance(rng, int) else None,
        t=settings.time_per_step * np.arange(rows, dtype=np.float64),
        loss=outcome.losses,
        drift=ledger.drift[:rows].copy(),
        predicted_drift=ledger.predicted[:rows].copy(),
        residual=ledger.residual[:rows].copy(),
        weights=tuple(objective.to_data(outcome.weights)),
        snapshots=tuple((row, tuple(objective.to_data(item))) for row, item in outcome.kept),
        invariants=tuple(ledger.latest),
        predicted_invariants=None if ledger.prediction is None else tuple(ledger.prediction.total),
        status=outcome.status,
        message=_message(settings, outcome, predicted=ledger.prediction is not None),
        stats={"steps": outcome.done, "seconds": outcome.seconds},
    )


def _message(settings: Settings, outcome: Outcome, *, predicted: bool) -> str:
    """Say how it ended and what is not predicted."""
    text = {
        "done": f"all {settings.steps} steps taken",
        "interrupted": f"interrupted after {outcome.done} of {settings.steps} steps",
        "diverged": (
            f"step {outcome.done + 1} raised the loss above {BLOWN_UP:g} times that of the start "
            f"or left the numbers; lr = {settings.lr:g} is too large, try a third of it"
        ),
    }[outcome.status]
    if settings.adaptive:
        text += (
            "; Adam scales each entry by itself, so no closed form says what it does to the "
            "conserved matrices: measured only"
        )
    elif not predicted:
        text += "; the flow's law is no quadratic form here, so its drift is measured only"
    return text
