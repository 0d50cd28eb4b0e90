"""Pairs that the user names instead of having them found."""

from typing import Any

from thalweg._core import DataError
from thalweg.monitor._attention import query_key_law, value_output_law
from thalweg.monitor._graph import Path, pair_law, reader_of, source_of
from thalweg.monitor._laws import Law

LINEAR = {"linear", "identity", "none"}
BY_UNIT = {"relu", "leaky_relu", "prelu", "abs", "dropout", "max_pool"}


def given_law(model: Any, item: tuple[Any, ...], *, prefix: str = "") -> Law:
    """Build the law of a pair.

    Parameters
    ----------
    model
        Where the names are looked up.
    item
        ``(first, second, between)``, for attention with the number of heads.
    prefix
        Put before the names of parameters.

    Returns
    -------
    Law
        A candidate.

    Raises
    ------
    DataError
        If a name or the word for what is between is unknown, or the layers do not fit.
    """
    if len(item) not in {3, 4}:
        raise DataError(f"pairs take (first, second, between) or also heads, got {item!r}")
    first, second, between = (str(part) for part in item[:3])
    modules = dict(model.named_modules())
    for name in (first, second):
        if name not in modules:
            raise DataError(f"the model has no layer {name!r}; names are those of named_modules()")
    names, layers = (prefix + first, prefix + second), (modules[first], modules[second])
    if between in {"query_key", "value_output"}:
        if len(item) != 4:
            raise DataError(f"attention needs the number of heads, got {item!r}")
        make = query_key_law if between == "query_key" else value_output_law
        return make(names, layers, int(item[3]))
    if between not in LINEAR | BY_UNIT:
        raise DataError(
            f"between must be one of {', '.join(sorted(LINEAR | BY_UNIT))}, query_key or "
            f"value_output, got {between!r}"
        )
    source = source_of(names[0], layers[0])
    if source is None:
        raise DataError(f"{first} is a {type(layers[0]).__name__}; linear or convolution is needed")
    layout = source.layout
    if layout == "channels" and type(layers[1]).__name__ == "Linear":
        layout = "flat"
    read = reader_of(names[1], layers[1], source.units, layout)
    if read is None:
        raise DataError(f"{second} does not read the {source.units} units of {first}")
    path = Path(matrix=between in LINEAR and read[1], readers=[(names[1], read[0])])
    return pair_law(source, path)
