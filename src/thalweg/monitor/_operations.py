"""What an operation on hidden units leaves of the symmetry that makes a law.

``"keep"``: linear in the units and the same for each, so that any change of basis of the units
passes through. ``"unit"``: only positive scaling of single units passes (Spec 6.3).
``"flatten"``: joins axes or averages over positions. Anything else ends the
path, and the reason is told.
"""

from typing import Any

from torch import fx, nn

UNIT_MODULES = (
    nn.ReLU,
    nn.LeakyReLU,
    nn.PReLU,
    nn.RReLU,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
)
POOL_MODULES = (
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.MaxPool3d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
)
MEAN_MODULES = (
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AvgPool3d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
    nn.Upsample,
    nn.ZeroPad2d,
)
UNIT_NAMES = {
    "relu",
    "relu_",
    "leaky_relu",
    "leaky_relu_",
    "prelu",
    "rrelu",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "abs",
}
POOL_NAMES = {
    f"{kind}max_pool{dimension}d" for kind in ("", "adaptive_") for dimension in (1, 2, 3)
}
MEAN_NAMES = {
    f"{kind}avg_pool{dimension}d" for kind in ("", "adaptive_") for dimension in (1, 2, 3)
}
KEEP_NAMES = {"contiguous", "clone", "neg", "identity", "checkpoint_name"}
SCALINGS = {"mul", "truediv", "div"}
NO_VALUES = {"size", "dim", "numel", "ndimension"}
"""Methods whose results are no function of the hidden values."""


def name_of(node: fx.Node) -> str:
    """Return the bare name of what a node calls."""
    if node.op == "call_method":
        return str(node.target)
    name = str(getattr(node.target, "__name__", node.target))
    return name.removeprefix("_") if name in {"_max_pool2d", "_max_pool1d"} else name


def reads_no_values(node: fx.Node) -> bool:
    """Whether a node asks for a shape only."""
    if node.op == "call_method":
        return str(node.target) in NO_VALUES
    return node.op == "call_function" and name_of(node) == "getattr" and node.args[1] == "shape"


def effect(node: fx.Node, modules: dict[str, Any], layout: str) -> str | None:
    """Classify one operation.

    Parameters
    ----------
    node
        Of the traced graph.
    modules
        By their names.
    layout
        Where the units are: ``"last"`` axis, ``"channels"`` (axis 1), or flattened.

    Returns
    -------
    str or None
        ``"keep"``, ``"unit"``, ``"flatten"`` or None.
    """
    if node.op == "call_module":
        return _module_effect(modules[str(node.target)], layout)
    if node.op not in {"call_function", "call_method"}:
        return None
    name = name_of(node)
    spatial = layout == "channels"
    if name in UNIT_NAMES or (spatial and name in POOL_NAMES):
        return "unit"
    if name in KEEP_NAMES or (name in SCALINGS and _by_number(node)):
        return "keep"
    if spatial and name in MEAN_NAMES:
        return "keep"
    joins = _flattens(node, name) or (spatial and name == "mean" and _over_positions(node))
    return "flatten" if joins else None


def _module_effect(module: Any, layout: str) -> str | None:
    spatial = layout == "channels"
    if isinstance(module, nn.Identity) or (spatial and isinstance(module, MEAN_MODULES)):
        return "keep"
    if isinstance(module, UNIT_MODULES) or (spatial and isinstance(module, POOL_MODULES)):
        return "unit"
    if isinstance(module, nn.Flatten) and module.start_dim == 1 and module.end_dim == -1:
        return "flatten"
    return None


def _by_number(node: fx.Node) -> bool:
    """Whether a product has a plain number as its other factor (and not as the numerator)."""
    return (
        len(node.args) == 2
        and isinstance(node.args[0], fx.Node)
        and isinstance(node.args[1], (int, float))
    ) or (
        name_of(node) == "mul"
        and len(node.args) == 2
        and isinstance(node.args[0], (int, float))
        and isinstance(node.args[1], fx.Node)
    )


def _over_positions(node: fx.Node) -> bool:
    """Whether a mean runs over the axes of positions alone."""
    axes = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    chosen = tuple(axes) if isinstance(axes, (list, tuple)) else (axes,)
    return chosen in {(2, 3), (-1, -2), (-2, -1), (2,), (-1,), (2, 3, 4), (-3, -2, -1)}


def _flattens(node: fx.Node, name: str) -> bool:
    if name == "flatten":
        start = node.args[1] if len(node.args) > 1 else node.kwargs.get("start_dim", 0)
        end = node.args[2] if len(node.args) > 2 else node.kwargs.get("end_dim", -1)
        return bool(start == 1 and end == -1)
    return name in {"view", "reshape"} and len(node.args) == 3 and node.args[2] == -1


def reason(node: fx.Node, modules: dict[str, Any], source: str) -> str:
    """Say why a path ends at a node.

    Parameters
    ----------
    node
        Where it ends.
    modules
        By their names.
    source
        Name of the layer where the path began.

    Returns
    -------
    str
        One sentence.
    """
    if node.op == "output":
        return f"{source} is an output of the model: nothing reads its units linearly"
    if node.op == "call_module":
        kind = type(modules[str(node.target)]).__name__
        return (
            f"{kind} ({node.target}) is not linear and does not commute with scaling single units"
        )
    name = name_of(node)
    if name in {"add", "iadd", "add_", "sub", "cat", "stack"}:
        return f"{name} joins {source} with another branch (residual connection)"
    if name in {"mul", "imul", "matmul", "bmm", "einsum"}:
        return f"{name} combines {source} with other values"
    return f"{name} does not commute with scaling single units, as far as is known"
