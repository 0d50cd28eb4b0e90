"""`thalweg datasets`: what is bundled."""

import click

from thalweg.cli._options import general_options
from thalweg.cli._output import tell, tell_json
from thalweg.datasets import load, names


@click.command("datasets")
@general_options
def command(*, as_json: bool, quiet: bool) -> int:
    """List the bundled data sets with licence and source."""
    found = [load(name) for name in names()]
    if as_json:
        tell_json({"datasets": [item.to_dict() for item in found]})
        return 0
    for item in found:
        shape = f"{item.n_samples} x {item.X.shape[1]} -> {item.Y.shape[1]}"
        tell(f"{item.name:<10} {shape:<17} {item.description}")
        if not quiet:
            tell(f"{'':<28} {item.licence}; {item.source}")
    return 0
