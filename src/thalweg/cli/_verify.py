"""`thalweg verify`: check a proof file again, independently of what wrote it."""

from typing import Any

import click

from thalweg.cli._options import general_options
from thalweg.cli._output import tell, tell_json
from thalweg.verify import verify_proof

ABOUT = {
    "data": "about the table and the weights recorded in the file",
    "reduced": "about the reduced problem recorded in the file (rounded once from the data)",
}


@click.command("verify")
@click.argument("proof", metavar="PROOF.json")
@general_options
def command(**options: Any) -> int:
    """Check the proof that `thalweg certify --rigorous --out DIR` wrote.

    Exact integers and rationals, no code shared with the prover. Exit code 0 if every statement
    holds, 1 if one does not, 2 if the file is no proof.
    """
    found = verify_proof(options["proof"])
    if options["as_json"]:
        tell_json(found.to_dict())
        return 0 if found.verified else 1
    if not found.verified:
        tell(f"not verified: {found.reason}")
        return 1
    tell(f"verified, {ABOUT.get(found.source, 'about the numbers recorded in the file')}")
    for claim in found.claims:
        tell(f"  {claim}")
    return 0
