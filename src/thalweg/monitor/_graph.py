"""Pairs of layers in a traced graph: from a layer forward until its hidden units are read."""

import dataclasses
from typing import Any

from torch import fx, nn

from thalweg._core import LOWER
from thalweg.monitor._laws import (
    Law,
    Term,
    View,
    incoming,
    outgoing,
    outgoing_grouped,
    transposed,
    whole,
)
from thalweg.monitor._operations import effect, name_of, reads_no_values, reason

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
WHOLE_NORMS = (nn.LayerNorm, nn.RMSNorm)
NORMS = (*BATCH_NORMS, *INSTANCE_NORMS, *WHOLE_NORMS, nn.GroupNorm)


class NoLawError(Exception):
    """A path has ended; the message is the reason."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A layer whose units are followed: how many, where they are, what comes in."""

    name: str
    units: int
    layout: str
    matrix: bool
    terms: tuple[Term, ...]
    formula: str


@dataclasses.dataclass
class Path:
    """What is left of the symmetry on the way, and who reads the units."""

    matrix: bool
    direct: bool = True
    readers: list[tuple[str, Term]] = dataclasses.field(default_factory=list)
    norms: list[tuple[str, Any]] = dataclasses.field(default_factory=list)


def source_of(name: str, module: Any) -> Source | None:
    """Return a layer as the beginning of a pair, or None if it is none."""
    if isinstance(module, nn.Linear):
        return _source(name, module, module.out_features, "last", incoming(), matrix=True)
    if isinstance(module, CONVOLUTIONS):
        alone = module.groups == 1
        return _source(name, module, module.out_channels, "channels", incoming(), matrix=alone)
    if isinstance(module, TRANSPOSED) and module.groups == 1:
        return _source(name, module, module.out_channels, "channels", transposed, matrix=True)
    if isinstance(module, NORMS) and getattr(module, "weight", None) is not None:
        if isinstance(module, WHOLE_NORMS) and module.weight.ndim != 1:
            return None
        layout = "last" if isinstance(module, WHOLE_NORMS) else "channels"
        layout = "either" if isinstance(module, nn.BatchNorm1d) else layout
        return _source(name, module, module.weight.shape[0], layout, incoming(), matrix=False)
    return None


def _source(name: str, module: Any, units: int, layout: str, view: View, *, matrix: bool) -> Source:
    terms = [Term(parameter=f"{name}.weight", sign=-1.0, view=view)]
    if getattr(module, "bias", None) is not None:
        terms.append(Term(parameter=f"{name}.bias", sign=-1.0, view=incoming()))
    formula = " − W₁W₁ᵀ" + (" − b₁b₁ᵀ" if len(terms) == 2 else "")
    return Source(name, units, layout, matrix, tuple(terms), formula)


def reader_of(name: str, module: Any, units: int, layout: str) -> tuple[Term, bool] | None:
    """Return how a layer reads units, and whether it reads them as a matrix."""
    view: View | None = None
    whole_matrix = True
    if isinstance(module, nn.Linear) and layout in {"last", "either", "flat", "flat last"}:
        if module.in_features == units or (
            layout.startswith("flat") and module.in_features % units == 0
        ):
            view = outgoing(units, last=layout == "flat last")
    elif layout in {"channels", "either"}:
        if isinstance(module, CONVOLUTIONS) and module.in_channels == units:
            alone = module.groups == 1
            view = outgoing(units) if alone else outgoing_grouped(units, module.groups)
            whole_matrix = alone
        elif isinstance(module, TRANSPOSED) and module.in_channels == units:
            view, whole_matrix = incoming(), module.groups == 1
    if view is None:
        return None
    return Term(parameter=f"{name}.weight", sign=1.0, view=view), whole_matrix


def follow(node: fx.Node, source: Source, layout: str, path: Path, modules: Any) -> None:
    """Walk from a node to everything that reads the units.

    Parameters
    ----------
    node
        Whose value carries the units.
    source
        Where the path began.
    layout
        Where the units are now.
    path
        Collects readers and what is left of the symmetry.
    modules
        By their names.

    Raises
    ------
    NoLawError
        If something reads the units in a way that leaves no law.
    """
    users = [user for user in node.users if not reads_no_values(user)]
    if not users:
        raise NoLawError(f"nothing reads {source.name}")
    for user in users:
        module = modules.get(str(user.target)) if user.op == "call_module" else None
        if isinstance(module, NORMS):
            path.norms.append((str(user.target), module))
            continue
        read = reader_of(str(user.target), module, source.units, layout) if module else None
        if read is not None:
            path.readers.append((str(user.target), read[0]))
            path.matrix &= read[1]
            continue
        found = effect(user, modules, layout)
        inputs = [item for item in user.all_input_nodes if not reads_no_values(item)]
        if found is None or (len(inputs) > 1 and name_of(user) != "prelu"):
            raise NoLawError(reason(user, modules, source.name))
        path.matrix &= found != "unit"
        path.direct = False
        after = layout
        if found == "flatten":
            after = {"last": "flat last", "channels": "flat", "either": "flat"}.get(layout, layout)
        follow(user, source, after, path, modules)


def pair_law(source: Source, path: Path) -> Law:
    """Return the law of a layer and of all who read its units.

    Parameters
    ----------
    source, path
        Where the units come from and who reads them.

    Returns
    -------
    Law
        A matrix law if nothing on the way acts on single units, otherwise its diagonal.
    """
    names = " + ".join(name for name, _ in path.readers)
    layers = (f"W{index + 2}".translate(LOWER) for index in range(len(path.readers)))
    formula = " + ".join(f"{layer}ᵀ{layer}" for layer in layers) + source.formula
    matrix = source.matrix and path.matrix
    return Law(
        name=f"{source.name} -> {names}",
        kind="matrix" if matrix else "diagonal",
        formula=formula if matrix else f"diag({formula})",
        terms=(*(term for _, term in path.readers), *source.terms),
    )


def scale_law(source: Source, path: Path) -> Law:
    """Return the law of weights that a normalization makes scale invariant.

    Parameters
    ----------
    source, path
        The layer and the normalization that reads it.

    Returns
    -------
    Law
        Squared norms, for each unit, group or as a whole.

    Raises
    ------
    NoLawError
        If something other than one normalization reads the layer.
    """
    if len(path.norms) != 1 or path.readers:
        raise NoLawError(f"{source.name} is read by a normalization and by something else")
    name, norm = path.norms[0]
    weight, *bias = source.terms
    if isinstance(norm, (*BATCH_NORMS, *INSTANCE_NORMS)):
        view = weight.view
        # The mean takes a constant out, unless something bends in between.
        bias = [] if path.direct else bias
    else:
        view = whole(norm.num_groups if isinstance(norm, nn.GroupNorm) else 1)
    terms = [dataclasses.replace(weight, sign=1.0, view=view)]
    terms += [dataclasses.replace(item, sign=1.0, view=view) for item in bias]
    words = " and ".join(["W", *("b" for _ in bias)])
    return Law(
        name=f"{source.name} | {name}",
        kind="scale",
        formula=f"squared norms of {words}, constant as the normalization forgets their scale",
        terms=tuple(terms),
        exact=False,
    )
