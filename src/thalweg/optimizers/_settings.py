"""What was asked of an optimizer, checked."""

import dataclasses
from typing import Any

from thalweg._core import DataError, as_count, as_scalar

METHODS = ("gd", "sgd", "momentum", "nesterov", "adam", "adamw")
"""Names of the methods."""
ADAPTIVE = ("adam", "adamw")
DECAYS = ("loss", "decoupled")
USUAL_MOMENTUM = 0.9
USUAL_BATCH = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Method and numbers of a descent; the names are those of ``torch.optim``.

    Attributes
    ----------
    method
        One of `METHODS`.
    lr, steps
        Learning rate ``eta`` and number of steps.
    momentum
        ``beta``; 0.0 for methods without.
    nesterov
        Whether the step looks ahead.
    weight_decay
        ``lambda``.
    decay
        ``"loss"``: added to the gradient, as ``torch.optim.SGD`` and ``Adam`` do; ``"decoupled"``:
        weights are multiplied by ``1 - eta lambda`` first, as ``AdamW`` does.
    betas, eps
        Of Adam.
    batch_size
        Samples in a minibatch, or ``None`` for all of them at every step.
    """

    method: str
    lr: float
    steps: int
    momentum: float
    nesterov: bool
    weight_decay: float
    decay: str
    betas: tuple[float, float]
    eps: float
    batch_size: int | None

    @property
    def adaptive(self) -> bool:
        """Whether steps are scaled entry by entry."""
        return self.method in ADAPTIVE

    @property
    def plain(self) -> bool:
        """Whether every step is one of full-batch gradient descent on the problem's loss."""
        return not (self.adaptive or self.batch_size or self.momentum or self.weight_decay)

    @property
    def time_per_step(self) -> float:
        """Flow time of a step: ``eta``, or ``eta / (1 - beta)`` where momentum sums gradients."""
        return self.lr / (1.0 - self.momentum)

    @property
    def loss_decay(self) -> float:
        """Coefficient of the weights that is added to the gradient."""
        return self.weight_decay if self.decay == "loss" else 0.0

    @property
    def shrink(self) -> float:
        """Factor of the weights before the step."""
        return 1.0 - self.lr * self.weight_decay if self.decay == "decoupled" else 1.0


def checked(
    method: Any,
    *,
    lr: Any,
    steps: Any,
    momentum: Any,
    weight_decay: Any,
    decay: Any,
    betas: Any,
    eps: Any,
    batch_size: Any,
    n_samples: int,
) -> Settings:
    """Check the arguments of `descend` and fill in what was left out.

    Raises
    ------
    DataError
        If one is out of range or belongs to another method.
    """
    if method not in METHODS:
        raise DataError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    rate = as_scalar(lr, "lr", low=0.0)
    if rate == 0.0:
        raise DataError("lr is 0, so nothing would move; a positive learning rate is needed")
    first, second = _betas(betas)
    return Settings(
        method=method,
        lr=rate,
        steps=as_count(steps, "steps"),
        momentum=_momentum(method, momentum),
        nesterov=method == "nesterov",
        weight_decay=as_scalar(weight_decay, "weight_decay", low=0.0),
        decay=_decay(method, decay),
        betas=(first, second),
        eps=as_scalar(eps, "eps", low=0.0),
        batch_size=_batch_size(method, batch_size, n_samples),
    )


def _momentum(method: str, momentum: Any) -> float:
    heavy = method in {"momentum", "nesterov"}
    if momentum is None:
        return USUAL_MOMENTUM if heavy else 0.0
    value = as_scalar(momentum, "momentum", low=0.0)
    if value >= 1.0:
        raise DataError(f"momentum must be below 1, got {value!r}; 0.9 is usual")
    if value > 0.0 and not (heavy or method == "sgd"):
        raise DataError(
            f"momentum = {value:g} does not belong to method {method!r}; "
            'use method="momentum" (heavy ball) or "nesterov"'
        )
    if value == 0.0 and method == "nesterov":
        raise DataError("nesterov needs a positive momentum; 0.9 is usual")
    return value


def _decay(method: str, decay: Any) -> str:
    usual = "decoupled" if method == "adamw" else "loss"
    if decay is None:
        return usual
    if decay not in DECAYS:
        raise DataError(f"decay must be one of {', '.join(DECAYS)}, got {decay!r}")
    if method == "adamw" and decay == "loss":
        raise DataError('adamw is Adam with decoupled decay; for decay="loss" use method="adam"')
    return str(decay)


def _betas(betas: Any) -> tuple[float, float]:
    try:
        first, second = betas
    except (TypeError, ValueError):
        raise DataError(f"betas must be two numbers in [0, 1), got {betas!r}") from None
    out = as_scalar(first, "betas[0]", low=0.0), as_scalar(second, "betas[1]", low=0.0)
    if max(out) >= 1.0:
        raise DataError(f"betas must be two numbers in [0, 1), got {betas!r}")
    return out


def _batch_size(method: str, batch_size: Any, n_samples: int) -> int | None:
    if batch_size is None:
        return min(USUAL_BATCH, n_samples) if method == "sgd" else None
    size = as_count(batch_size, "batch_size")
    if method == "gd":
        raise DataError(
            'gd takes all samples at every step; for minibatches use method="sgd", for heavy ball '
            'on minibatches "momentum"'
        )
    if size > n_samples:
        raise DataError(f"batch_size is {size}, but there are {n_samples} samples")
    return size
