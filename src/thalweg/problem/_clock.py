"""How much flow time a number of training steps is."""

from thalweg._core import DataError, as_scalar

CLOCKS = ("torch.mse", "torch.mse_sum", "sum", "mean")


def flow_time(lr: float, steps: int, loss: str, sizes: tuple[int, int, float]) -> float:
    """Convert ``steps`` gradient descent steps of rate ``lr`` into flow time.

    A step on ``c * 0.5 * ||Y - P X||**2`` is ``lr * c`` of the flow of the half sum of squares,
    hence ``lr * c / loss_scale`` of a flow whose loss carries the factor ``loss_scale``.

    Parameters
    ----------
    lr, steps
        Learning rate and number of steps.
    loss
        One of ``torch.mse``, ``torch.mse_sum``, ``sum``, ``mean``.
    sizes
        ``(n_samples, d_y, loss_scale)``.

    Returns
    -------
    float
        Flow time.

    Raises
    ------
    DataError
        If the name of the loss is unknown.
    """
    n_samples, d_y, scale = sizes
    factors = {
        "torch.mse": 2.0 / (n_samples * d_y),
        "torch.mse_sum": 2.0,
        "sum": 1.0,
        "mean": 1.0 / n_samples,
    }
    if loss not in factors:
        raise DataError(f"loss must be one of {', '.join(CLOCKS)}, got {loss!r}")
    rate, count = as_scalar(lr, "lr", low=0.0), as_scalar(steps, "steps", low=0.0)
    return rate * count * factors[loss] / scale
