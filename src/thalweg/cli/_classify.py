"""`thalweg classify`: which critical point given weights are."""

from typing import Any

import click

from thalweg.cli._options import data_options, general_options, problem_options, weights_option
from thalweg.cli._output import tell, tell_json, tell_rows
from thalweg.cli._progress import Progress
from thalweg.cli._request import read_weights
from thalweg.cli._subject import load_subject
from thalweg.landscape import classify


@click.command("classify")
@data_options
@problem_options
@weights_option(required=True)
@click.option(
    "--polish", is_flag=True, help="Move to the critical point next to the weights first."
)
@general_options
def command(**options: Any) -> int:
    """Say which kind of critical point of DATA's loss given weights are, and why.

    DATA is given as for `thalweg analyze`; --widths must fit the weights. Each layer is a matrix
    of shape (outputs, inputs), without bias. Nothing in the file is run. Layers are W1, W2, ...
    or else all matrices by the numbers in their names.
    """
    with Progress(quiet=options["quiet"] or options["as_json"]) as progress:
        subject = load_subject(options, progress)
        problem = subject.problem
        found = read_weights(options["weights"], problem)
        verdict = classify(problem, found.weights, polish=options["polish"])
    if options["as_json"]:
        tell_json({**verdict.to_dict(), "weights": found.to_dict()})
        return 0
    tell(f"{subject.name}: layers {'-'.join(map(str, problem.dims))}")
    tell_rows([*found.summary_rows(), *verdict.summary_rows()])
    for pivot in verdict.pivots:
        state = {True: "tightened", False: "not tightened", None: "undecided"}[pivot.tightened]
        ranks = f"ranks {pivot.rank_between} and {pivot.rank_around}"
        tell(f"pivot {pivot.layers}: {ranks}, {state}")
    return 0
