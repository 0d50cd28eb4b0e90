"""`thalweg landscape`: the critical values of a problem."""

import itertools
from pathlib import Path
from typing import Any

import click

from thalweg._core import DataError, learned_words
from thalweg.cli._options import (
    data_options,
    general_options,
    problem_options,
    start_options,
    weights_option,
)
from thalweg.cli._output import tell, tell_json, tell_rows
from thalweg.cli._points import KINDS, Point, parse_learned
from thalweg.cli._progress import Progress
from thalweg.cli._request import Request, build
from thalweg.cli._subject import load_subject
from thalweg.data import write_weights
from thalweg.landscape import Level, atlas, classify, excluded
from thalweg.problem import Problem

SEARCHED = 1000
"""Levels that are searched for one where a kind occurs."""
SHALLOW = "they need two hidden layers or more, for example --widths 8,8"
SHOWN = 20
"""Excluded strata that are printed; JSON has them all."""


@click.command("landscape")
@data_options
@problem_options
@click.option(
    "--lowest", type=click.IntRange(min=1), default=10, show_default=True, help="Levels to list."
)
@click.option(
    "--sample",
    metavar="KIND",
    type=click.Choice(KINDS),
    help="Construct a critical point of this kind, on the lowest level where it occurs.",
)
@click.option(
    "--learned",
    metavar="I[,I...]|none",
    help="... or on the level where just these directions, counted from 0, are learned.",
)
@click.option(
    "--out",
    metavar="DIR|FILE",
    type=click.Path(path_type=Path),
    help="Where to keep it: a .npz or .safetensors file, or a folder for critical.npz.",
)
@click.option(
    "--excluded", is_flag=True, help="List where a flow from --init or --weights cannot end."
)
@start_options
@weights_option()
@general_options
def command(**options: Any) -> int:
    """List the critical values of DATA, lowest first, with what has been learned there.

    DATA is given as for `thalweg analyze`. Each kind of critical point comes with its number of
    strata (patterns of the ranks of all products of layers) and the dimension of the largest.
    """
    _check(options)
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        request = build(options, progress) if options["excluded"] else None
        subject = load_subject(options, progress) if request is None else request.subject
        problem = subject.problem
        found = atlas(problem)
        levels = found.lowest(options["lowest"])
        document: dict[str, Any] = {
            "type": "Atlas",
            "n_levels": found.n_levels,
            "complete": found.complete,
            "levels": [item.to_dict() for item in levels],
        }
        blocks = [
            [(f"{item.loss + problem.irreducible_loss:.8g}", _words(item)) for item in levels]
        ]
        if options["sample"]:
            blocks.append(_sample(problem, options, document))
        if request is not None:
            blocks.append(_excluded(request, document))
    if options["as_json"]:
        tell_json(document)
        return 0
    network = "-".join(map(str, problem.dims))
    rest = f", each with the {problem.irreducible_loss:.8g} that no linear map removes"
    tell(f"{subject.name}: layers {network}, {found.n_levels} critical values of the loss{rest}")
    if not found.complete:
        tell("some singular values are tied or zero: further maps share these values")
    tell_rows(blocks[0])
    for block in blocks[1:]:
        tell("")
        tell_rows(block)
    return 0


def _check(options: dict[str, Any]) -> None:
    if options["weights"] and not options["excluded"]:
        raise DataError("--weights names a start, which only --excluded uses; add --excluded")
    for name, what in (("out", "keeps a constructed point"), ("learned", "says what it learned")):
        if options[name] is not None and not options["sample"]:
            raise DataError(f"--{name} {what}; add --sample KIND")


def _words(level: Level) -> str:
    kinds = zip(level.kinds, level.n_strata, level.dimensions, strict=True)
    parts = [kind.replace("_", " ") + _extent(count, size) for kind, count, size in kinds]
    return f"{learned_words(level.learned)}: {', '.join(parts)}"


def _extent(count: int | None, size: int | None) -> str:
    """Return the number of strata and their largest dimension, as far as they are known."""
    many = count is not None and count > 1
    words = [] if count is None else [f"{count} strat{'a' if many else 'um'}"]
    if size is not None:
        words.append(f"dimension {'<= ' if many else ''}{size}")
    return f" ({', '.join(words)})" if words else ""


def _sample(
    problem: Problem, options: dict[str, Any], document: dict[str, Any]
) -> list[tuple[str, str]]:
    """Construct a critical point, keep it if asked to, and return it in words."""
    kind, out = options["sample"], options["out"]
    if options["learned"] is None:
        learned = _lowest(problem, kind)
    else:
        learned = parse_learned(options["learned"], "--learned")
    weights = Point(learned, kind, options["seed"]).weights(problem)
    verdict = classify(problem, weights)
    document["sample"] = verdict.to_dict()
    rows = verdict.summary_rows()
    if out is not None:
        path = out if out.suffix in {".npz", ".safetensors"} else out / "critical.npz"
        document["file"] = str(write_weights(path, weights))
        rows.append(("kept", document["file"]))
    return rows


def _lowest(problem: Problem, kind: str) -> tuple[int, ...]:
    """Return what was learned on the lowest level where a kind occurs."""
    levels = itertools.islice(atlas(problem), SEARCHED)
    level = next((item for item in levels if kind in item.kinds), None)
    if level is None:
        why = f"; {SHALLOW}" if kind == "non_strict_saddle" and problem.depth <= 2 else ""
        count = min(SEARCHED, atlas(problem).n_levels)
        raise DataError(f"no {kind} occurs among the lowest {count} levels of this network{why}")
    return level.learned


def _excluded(request: Request, document: dict[str, Any]) -> list[tuple[str, str]]:
    """Find where the flow from a start cannot end, and return it in words."""
    found = excluded(request.problem, request.start)
    document["start"] = request.start_document
    document["excluded"] = [item.to_dict() for item in found]
    sets = f"{len(found)} set{'' if len(found) == 1 else 's'} of critical points"
    rows = [*request.start_rows, ("excluded", f"{sets}, where no flow from this start ends")]
    rows += [(learned_words(item.learned), item.message) for item in found[:SHOWN]]
    if len(found) > SHOWN:
        rows.append(("...", f"{len(found) - SHOWN} more; --json lists them all"))
    return rows
