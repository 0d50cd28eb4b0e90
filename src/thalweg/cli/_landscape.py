"""`thalweg landscape`: the critical values of a problem."""

import io
import itertools
from pathlib import Path
from typing import Any

import click
import numpy as np

from thalweg._core import DataError, learned_words, write_whole
from thalweg.cli._options import data_options, general_options, problem_options
from thalweg.cli._output import tell, tell_json, tell_rows
from thalweg.cli._progress import Progress
from thalweg.cli._request import load_problem
from thalweg.landscape import atlas, classify, critical_point
from thalweg.problem import Problem

SEARCHED = 1000
"""Levels that are searched for one where a kind occurs."""


@click.command("landscape")
@data_options
@problem_options
@click.option(
    "--lowest", type=click.IntRange(min=1), default=10, show_default=True, help="Levels to list."
)
@click.option(
    "--sample",
    metavar="KIND",
    type=click.Choice(["global_minimum", "strict_saddle", "non_strict_saddle"]),
    help="Construct a critical point of this kind on the lowest level where it occurs.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of it.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for critical.npz.")
@general_options
def command(**options: Any) -> int:
    """List the critical values of DATA, lowest first, with what has been learned there.

    DATA is given as for `thalweg analyze`.
    """
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        data, problem = load_problem(options, progress)
        found = atlas(problem)
        document = found.to_dict()
        levels = found.lowest(options["lowest"])
        verdict = None
        document["levels"] = [item.to_dict() for item in levels]
        if options["sample"]:
            weights, verdict = _sample(problem, options["sample"], options["seed"])
            document["sample"] = verdict.to_dict()
            if options["out"]:
                document["file"] = str(_keep(weights, options["out"]))
    if options["as_json"]:
        tell_json(document)
        return 0
    network = "-".join(map(str, problem.dims))
    tell(f"{data.name}: layers {network}, {found.n_levels} critical values")
    if not found.complete:
        tell("some singular values are tied or zero: further maps share these values (Spec 4.7)")
    tell_rows(
        (f"{item.loss + problem.irreducible_loss:.8g}", _words(item.learned, item.kinds))
        for item in levels
    )
    if verdict is not None:
        tell("")
        tell_rows(verdict.summary_rows())
        if "file" in document:
            tell(document["file"])
    return 0


def _words(learned: tuple[int, ...], kinds: tuple[str, ...]) -> str:
    return f"{learned_words(learned)}: {', '.join(kinds).replace('_', ' ')}"


def _sample(problem: Problem, kind: str, seed: int) -> tuple[list[Any], Any]:
    levels = itertools.islice(atlas(problem), SEARCHED)
    level = next((item for item in levels if kind in item.kinds), None)
    if level is None:
        raise DataError(f"no {kind} occurs among the lowest {SEARCHED} levels of this network")
    weights = critical_point(problem, level.learned, kind, rng=seed)
    return weights, classify(problem, weights)


def _keep(weights: list[Any], folder: Path) -> Path:
    buffer = io.BytesIO()
    np.savez(buffer, **{f"W{j}": item for j, item in enumerate(weights, 1)})
    return write_whole(folder / "critical.npz", buffer.getvalue())
