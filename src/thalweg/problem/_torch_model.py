"""Reading the sizes of a PyTorch model without importing PyTorch."""

from typing import Any

from thalweg._core import DimensionError


def linear_dims(model: Any) -> tuple[int, ...]:
    """Return ``(d_0, ..., d_L)`` of an ``nn.Sequential`` of bias-free ``nn.Linear``.

    Parameters
    ----------
    model
        Any iterable of layers that look like ``nn.Linear``; a single layer will do.

    Returns
    -------
    tuple of int
        Layer sizes.

    Raises
    ------
    DimensionError
        If a layer is something else or has a bias.
    """
    layers = [model] if type(model).__name__ == "Linear" else list(model)
    dims: list[int] = []
    for position, layer in enumerate(layers):
        kind = type(layer).__name__
        if kind == "Identity":
            continue
        if kind != "Linear":
            raise DimensionError(
                f"layer {position} is {kind}; a chain of bias-free nn.Linear is needed"
            )
        if layer.bias is not None:
            raise DimensionError(
                f"layer {position} has a bias; use nn.Linear(..., bias=False) and, if an offset is "
                "wanted, append a constant feature to X"
            )
        if dims and dims[-1] != layer.in_features:
            raise DimensionError(
                f"layer {position} takes {layer.in_features} inputs but the one before it gives "
                f"{dims[-1]}"
            )
        if not dims:
            dims.append(int(layer.in_features))
        dims.append(int(layer.out_features))
    if len(dims) < 2:
        raise DimensionError("the model has no nn.Linear layer")
    return tuple(dims)
