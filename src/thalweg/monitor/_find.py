"""Candidates for laws: from traced graphs, from attention modules, or from the user."""

import collections
import dataclasses
from collections.abc import Sequence
from typing import Any

from torch import fx, nn

from thalweg.monitor._attention import multihead_laws, named_laws
from thalweg.monitor._graph import (
    NORMS,
    NoLawError,
    Path,
    Source,
    follow,
    pair_law,
    scale_law,
    source_of,
)
from thalweg.monitor._laws import Law
from thalweg.monitor._pairs import given_law
from thalweg.monitor._undisturbed import random_numbers_kept, structure


@dataclasses.dataclass
class Found:
    """Candidates, and what has no law with the reason."""

    laws: list[Law] = dataclasses.field(default_factory=list)
    without: list[tuple[str, str]] = dataclasses.field(default_factory=list)


def find(model: Any, pairs: Sequence[tuple[Any, ...]] | None) -> Found:
    """Look for candidates in an unwrapped model.

    Parameters
    ----------
    model
        An ``nn.Module``.
    pairs
        Of the user; then nothing else is looked at.

    Returns
    -------
    Found
        Laws whose parameters exist, are trained and belong to one place each.
    """
    if pairs is not None:
        return _kept(Found([given_law(model, item) for item in pairs]), model)
    found, covered = Found(), set()
    for name, module in model.named_modules():
        if isinstance(module, nn.MultiheadAttention):
            laws = multihead_laws(name, module)
            found.laws += laws
            if not laws:
                found.without.append((name, "an extra key (bias_k) is not transformed"))
            continue
        laws, names, why = named_laws(name, module)
        found.laws += laws
        found.without += why
        covered |= set(names)
        if isinstance(module, (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)):
            _feed_forward(name, module, found)
    with random_numbers_kept(model):
        try:
            copied = structure(model)
        except Exception as error:
            found.without.append(("model", f"cannot be copied for tracing: {_line(error)}"))
        else:
            _trace(copied, "", found, covered)
    found.without = [item for item in found.without if item[0] not in covered]
    return _kept(found, model)


class _Tracer(fx.Tracer):  # type: ignore[misc]
    """Takes attention that is known by its names, and on request every child, as one node."""

    def __init__(self, *, children_whole: bool = False) -> None:
        super().__init__()
        self._children_whole = children_whole

    def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
        if self._children_whole or named_laws("", m)[1]:
            return True
        return bool(super().is_leaf_module(m, module_qualified_name))


def _trace(module: Any, prefix: str, found: Found, covered: set[str]) -> None:
    """Trace a module, or if that fails its children one by one."""
    if type(module).__module__.startswith("torch.nn.modules") and not isinstance(
        module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    ):
        return
    if named_laws("", module)[1]:
        return
    try:
        graph = _Tracer().trace(module)
    except Exception as error:
        if isinstance(module, nn.Sequential):
            _read(_Tracer(children_whole=True).trace(module), module, prefix, found)
        elif not isinstance(module, (nn.ModuleList, nn.ModuleDict)):
            why = f"cannot be traced ({_line(error)}): its parts are looked at one by one"
            found.without.append((prefix or "model", why))
        for name, child in module.named_children():
            _trace(child, f"{prefix}.{name}" if prefix else name, found, covered)
        return
    _read(graph, module, prefix, found)


def _read(graph: fx.Graph, root: Any, prefix: str, found: Found) -> None:
    """Follow the units of every layer of a graph."""
    modules = dict(root.named_modules())
    calls = collections.Counter(str(n.target) for n in graph.nodes if n.op == "call_module")
    for node in graph.nodes:
        if node.op != "call_module":
            continue
        target = str(node.target)
        source = source_of(target, modules[target])
        if source is None:
            continue
        shown = f"{prefix}.{target}" if prefix else target
        try:
            if calls[target] > 1:
                raise NoLawError(f"{target} is used {calls[target]} times")
            law = _law_from(node, source, modules, calls)
        except NoLawError as why:
            found.without.append((shown, str(why)))
        else:
            found.laws.append(_prefixed(law, prefix))


def _law_from(node: Any, source: Source, modules: Any, calls: collections.Counter[str]) -> Law:
    path = Path(matrix=source.matrix)
    follow(node, source, source.layout, path, modules)
    if path.norms:
        if not source.terms[0].parameter.startswith(source.name) or _is_norm(modules, source):
            raise NoLawError(f"{source.name} is read by another normalization")
        return scale_law(source, path)
    again = [name for name, _ in path.readers if calls[name] > 1]
    if again:
        raise NoLawError(f"{again[0]} is used {calls[again[0]]} times")
    return pair_law(source, path)


def _is_norm(modules: Any, source: Source) -> bool:
    return isinstance(modules[source.name], NORMS)


def _prefixed(law: Law, prefix: str) -> Law:
    if not prefix:
        return law
    terms = tuple(
        dataclasses.replace(term, parameter=f"{prefix}.{term.parameter}") for term in law.terms
    )
    return dataclasses.replace(law, name=f"{prefix}: {law.name}", terms=terms)


def _feed_forward(name: str, module: Any, found: Found) -> None:
    """Add the two linear layers of PyTorch's own transformer layers."""
    at = f"{name}." if name else ""
    activation = getattr(module.activation, "__name__", type(module.activation).__name__).lower()
    if activation == "relu":
        found.laws.append(given_law(module, ("linear1", "linear2", "relu"), prefix=at))
    else:
        why = f"{activation} does not commute with scaling single units"
        found.without.append((f"{at}linear1", why))


def _kept(found: Found, model: Any) -> Found:
    """Drop laws whose parameters are shared, computed or frozen."""
    places = collections.defaultdict(list)
    named = dict(model.named_parameters(remove_duplicate=False))
    for name, parameter in named.items():
        places[id(parameter)].append(name)
    laws = []
    for law in found.laws:
        why = next(filter(None, (_trouble(t.parameter, named, places) for t in law.terms)), None)
        if why is None:
            laws.append(law)
        else:
            found.without.append((law.name, why))
    found.laws = laws
    return found


def _trouble(name: str, named: dict[str, Any], places: dict[int, list[str]]) -> str | None:
    parameter = named.get(name)
    if parameter is None:
        return f"{name} is no parameter of its own (weight norm or another parametrization)"
    if len(places[id(parameter)]) > 1:
        return f"{' and '.join(places[id(parameter)])} are the same parameter (tied weights)"
    if not parameter.requires_grad:
        return f"{name} is not trained (requires_grad=False)"
    if not parameter.is_floating_point():
        return f"{name} is not real"
    return None


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:120]
