"""What a law is: a sum of signed Gram matrices of views of parameters, or of their diagonals.

Every law of this package has the form ``C = sum_i s_i A_i A_i^T``, where ``A_i`` is a parameter
seen as matrices of shape ``(blocks, units, rest)``: incoming weights of a hidden unit with
sign -1, outgoing ones with sign +1 (Spec 2.2), of which only the diagonal is conserved where an
activation acts on units one by one (Spec 6.3).
"""

import dataclasses
from collections.abc import Callable
from typing import Any

View = Callable[[Any], Any]
"""Parameter -> tensor of shape ``(blocks, units, rest)``; linear, and a view where possible."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Term:
    """One parameter in a law.

    Attributes
    ----------
    parameter
        Qualified name.
    sign
        +1 for outgoing weights, -1 for incoming ones.
    view
        How the parameter is seen.
    """

    parameter: str
    sign: float
    view: View


@dataclasses.dataclass(frozen=True, kw_only=True)
class Law:
    """A candidate: it becomes a law when a gradient has been seen to obey it.

    Attributes
    ----------
    name
        The layers, ``"fc1 -> fc2"``.
    kind
        ``"matrix"``: all of C is conserved. ``"diagonal"``: its diagonal, one number for each
        unit. ``"scale"``: squared norms of weights that a normalization makes scale invariant.
    formula
        C in signs.
    terms
        The parameters.
    exact
        False if the law holds up to the epsilon of a normalization.
    """

    name: str
    kind: str
    formula: str
    terms: tuple[Term, ...]
    exact: bool = True


def incoming(blocks: int = 1) -> View:
    """See the first axis as units (in so many blocks), the others as what comes in."""
    return lambda w: w.reshape(blocks, w.shape[0] // blocks, -1)


def outgoing(units: int, *, last: bool = False) -> View:
    """See the second axis as units, perhaps next to positions that were flattened with them.

    Parameters
    ----------
    units
        How many units the hidden layer has.
    last
        Whether units vary faster than positions in the flattened axis.

    Returns
    -------
    View
        Of a weight of shape ``(outputs, units * positions, ...)``.
    """
    if last:
        return lambda w: w.reshape(-1, units).T[None]
    return lambda w: w.reshape(w.shape[0], units, -1).transpose(0, 1).reshape(1, units, -1)


def outgoing_grouped(units: int, groups: int) -> View:
    """See the inputs of a grouped convolution as units, group after group."""

    def view(w: Any) -> Any:
        split = w.reshape(groups, w.shape[0] // groups, units // groups, -1)
        return split.transpose(1, 2).reshape(1, units, -1)

    return view


def transposed(w: Any) -> Any:
    """See the second axis as units, the others as what comes in (transposed convolution)."""
    return w.transpose(0, 1).reshape(1, w.shape[1], -1)


def whole(groups: int = 1) -> View:
    """See the parameter as so many units, each with everything that belongs to it."""
    return lambda w: w.reshape(1, groups, -1)


def part(begin: int, end: int, view: View) -> View:
    """See rows ``begin`` to ``end`` of a parameter."""
    return lambda w: view(w[begin:end])


def head_outputs(heads: int) -> View:
    """See the columns of an output projection as units of heads."""
    return lambda w: w.reshape(w.shape[0], heads, -1).permute(1, 2, 0)


def query_heads(key_heads: int, repeats: int) -> View:
    """See query rows as units of key heads, the queries that share a head side by side."""

    def view(w: Any) -> Any:
        size = w.shape[0] // (key_heads * repeats)
        split = w.reshape(key_heads, repeats, size, -1).transpose(1, 2)
        return split.reshape(key_heads, size, -1)

    return view


def shared_head_outputs(value_heads: int, repeats: int) -> View:
    """See output columns as units of value heads, each read by several query heads."""

    def view(w: Any) -> Any:
        size = w.shape[1] // (value_heads * repeats)
        split = w.reshape(w.shape[0], value_heads, repeats, size).permute(1, 3, 0, 2)
        return split.reshape(value_heads, size, -1)

    return view
