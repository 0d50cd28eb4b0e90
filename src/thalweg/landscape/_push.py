"""Off a saddle, the way the loss falls (Spec 4.4, 4.5)."""

from typing import Any

from thalweg._core import Array, DataError, DimensionError, as_scalar, as_weights
from thalweg.landscape._verdict import Verdict


def push_off(w: Any, verdict: Verdict, step: float = 1e-3) -> list[Array]:
    """Return a saddle's weights moved along the direction in which the loss is known to fall.

    Parameters
    ----------
    w
        The saddle, in the coordinates of the data.
    verdict
        What `classify` says of it.
    step
        How far to go along `Verdict.falling`, positive.

    Returns
    -------
    list of ndarray
        Weights to start a flow from.

    Raises
    ------
    DataError
        If nothing leads down from there, or the step is not positive.
    DimensionError
        If the verdict is about weights of other shapes.

    Notes
    -----
    The direction is proved to be one of descent; whether a given step is short enough for the loss
    to be lower there, `Verdict.line` or `Problem.line` says.

    Examples
    --------
    >>> import thalweg as tw
    >>> from thalweg.landscape import push_off
    >>> p = tw.Problem.from_target([2.0, 1.0], dims=(2, 2, 2))
    >>> w = tw.critical_point(p, learned=1, rng=0)
    >>> run = tw.flow(p, push_off(w, tw.classify(p, w)))
    >>> run.limit.verdict.kind
    'global_minimum'
    """
    direction = verdict.falling
    if direction is None:
        kind = verdict.kind.replace("_", " ")
        raise DataError(f"nothing is known to lead down from here ({kind}); choose a saddle")
    far = as_scalar(step, "step")
    if far <= 0.0:
        raise DataError(f"step must be positive, got {far:g}; it is measured the way down")
    weights = as_weights(w)
    if [item.shape for item in weights] != [item.shape for item in direction]:
        raise DimensionError("the verdict is about weights of other shapes; classify these first")
    return [point + far * down for point, down in zip(weights, direction, strict=True)]
