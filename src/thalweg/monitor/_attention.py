"""Attention: within a head, queries and keys meet in a product, values and outputs in another.

Logits depend on ``A_Q^T A_K`` and outputs on ``W_O A_V`` with ``A = [W b]``: biases transform with
their weights, so per head ``A_Q A_Q^T - A_K A_K^T`` and ``W_O^T W_O - A_V A_V^T`` are conserved.
"""

from typing import Any

from torch import nn

from thalweg.monitor._laws import (
    Law,
    Term,
    View,
    head_outputs,
    incoming,
    outgoing,
    part,
    query_heads,
    shared_head_outputs,
)

NAMES = (
    ("q_proj", "k_proj", "v_proj", "o_proj"),
    ("q_proj", "k_proj", "v_proj", "out_proj"),
    ("q_lin", "k_lin", "v_lin", "out_lin"),
    ("query", "key", "value", "output"),
    ("query", "key", "value", "dense"),
    ("query", "key", "value", "out"),
    ("query", "key", "value", "proj"),
    ("to_q", "to_k", "to_v", "to_out"),
    ("wq", "wk", "wv", "wo"),
    ("q", "k", "v", "o"),
    ("query", "key", "value", ""),
)
"""What the four projections are called in well-known models."""
HEADS = ("num_heads", "num_attention_heads", "n_heads", "n_head", "nhead", "heads")
QUERY_KEY = "W_Q W_Qᵀ − W_K W_Kᵀ per head"
VALUE_OUTPUT = "W_Oᵀ W_O − W_V W_Vᵀ per head"
WITH_BIAS = ", W = [W b]"


def multihead_laws(name: str, module: nn.MultiheadAttention) -> list[Law]:
    """Return the two laws of an ``nn.MultiheadAttention``.

    Parameters
    ----------
    name
        Of the module.
    module
        The module; with ``bias_k`` there is no law, as the extra key is not transformed.

    Returns
    -------
    list of Law
        Empty if there is none.
    """
    if module.bias_k is not None:
        return []
    size, heads = module.embed_dim, module.num_heads
    at = f"{name}." if name else ""

    def projection(index: int, letter: str, sign: float) -> list[Term]:
        rows = part(index * size, (index + 1) * size, incoming(heads))
        if module.in_proj_weight is not None:
            terms = [Term(parameter=f"{at}in_proj_weight", sign=sign, view=rows)]
        else:
            weight = f"{at}{letter}_proj_weight"
            terms = [Term(parameter=weight, sign=sign, view=incoming(heads))]
        if module.in_proj_bias is not None:
            terms.append(Term(parameter=f"{at}in_proj_bias", sign=sign, view=rows))
        return terms

    bias = WITH_BIAS if module.in_proj_bias is not None else ""
    output = Term(parameter=f"{at}out_proj.weight", sign=1.0, view=head_outputs(heads))
    label = name or "attention"
    return [
        Law(
            name=f"{label}: queries, keys",
            kind="matrix",
            formula=QUERY_KEY + bias,
            terms=(*projection(0, "q", 1.0), *projection(1, "k", -1.0)),
        ),
        Law(
            name=f"{label}: values, outputs",
            kind="matrix",
            formula=VALUE_OUTPUT + bias,
            terms=(output, *projection(2, "v", -1.0)),
        ),
    ]


def _terms(name: str, module: Any, sign: float, view: View) -> tuple[Term, ...]:
    weight = Term(parameter=f"{name}.weight", sign=sign, view=view)
    if module.bias is None:
        return (weight,)
    return weight, Term(parameter=f"{name}.bias", sign=sign, view=view)


def query_key_law(names: tuple[str, str], layers: tuple[Any, Any], heads: int) -> Law:
    """Return the law of two ``nn.Linear`` whose outputs meet in the logits of so many heads."""
    (query, key), (q, k) = names, layers
    head = q.out_features // heads
    key_heads = k.out_features // head
    seen: View = query_heads(key_heads, heads // key_heads)
    return Law(
        name=f"{query}, {key}",
        kind="matrix",
        formula=QUERY_KEY + (WITH_BIAS if q.bias is not None or k.bias is not None else ""),
        terms=(*_terms(query, q, 1.0, seen), *_terms(key, k, -1.0, incoming(key_heads))),
    )


def value_output_law(names: tuple[str, str], layers: tuple[Any, Any], heads: int) -> Law:
    """Return the law of the ``nn.Linear`` of values and the one that reads all heads."""
    (value, output), (v, o) = names, layers
    head = o.in_features // heads
    value_heads = v.out_features // head
    seen: View = shared_head_outputs(value_heads, heads // value_heads)
    if value_heads == heads == 1:
        seen = outgoing(v.out_features)
    return Law(
        name=f"{value}, {output}",
        kind="matrix",
        formula=VALUE_OUTPUT + (WITH_BIAS if v.bias is not None else ""),
        terms=(
            Term(parameter=f"{output}.weight", sign=1.0, view=seen),
            *_terms(value, v, -1.0, incoming(value_heads)),
        ),
    )


def _first(module: Any, names: tuple[str, ...]) -> int | None:
    found = (getattr(module, name, None) for name in names)
    return next((item for item in found if isinstance(item, int) and item > 0), None)


def named_laws(name: str, module: Any) -> tuple[list[Law], list[str], list[tuple[str, str]]]:
    """Recognize attention that is written with four ``nn.Linear``, by their names.

    Parameters
    ----------
    name, module
        A module and its qualified name.

    Returns
    -------
    list of Law
        Candidates; what a rotary embedding or a normalization breaks is dropped by the check.
    list of str
        Names of the layers that are accounted for.
    list of (str, str)
        What has no law, and why.
    """
    at = f"{name}." if name else ""
    children = dict(module.named_children())
    for query, key, value, output in NAMES:
        if not all(isinstance(children.get(item), nn.Linear) for item in (query, key, value)):
            continue
        q, k, v = children[query], children[key], children[value]
        heads = _first(module, HEADS)
        if heads is None and (config := getattr(module, "config", None)) is not None:
            heads = _first(config, HEADS)
        covered = [f"{at}{item}" for item in (query, key, value)]
        if heads is None or q.out_features % heads:
            return [], covered, [(name, "attention with an unknown number of heads; give pairs=")]
        head = q.out_features // heads
        if k.out_features % head or heads % (k.out_features // head):
            return [], covered, [(name, "sizes of queries and keys do not fit the heads")]
        laws = [query_key_law((covered[0], covered[1]), (q, k), heads)]
        last = children.get(output)
        if isinstance(last, nn.Sequential) and len(last) and isinstance(last[0], nn.Linear):
            output, last = f"{output}.0", last[0]
        if isinstance(last, nn.Linear) and last.in_features % heads == 0:
            laws.append(value_output_law((covered[2], f"{at}{output}"), (v, last), heads))
            return laws, covered, []
        return laws, covered, [(covered[2], "the layer that reads the values was not recognized")]
    return [], [], []
