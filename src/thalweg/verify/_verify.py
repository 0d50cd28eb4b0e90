"""The verdict on a proof file."""

import dataclasses
import os
from collections.abc import Iterator

from thalweg._core import Result
from thalweg.verify._claims import wrong_claims
from thalweg.verify._facts import Setting, wrong_facts
from thalweg.verify._read import Proof, read_proof
from thalweg.verify._tube import wrong_tube


@dataclasses.dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Verification(Result):
    """Whether a proof file holds.

    Attributes
    ----------
    verified : bool
        Every fact is true of the recorded doubles, and every claim follows.
    reason : str
        What is wrong; empty if nothing is.
    source : str
        ``"data"`` or ``"reduced"``: what the doubles are.
    claims : tuple of str
        What is proved, in words.
    """

    verified: bool
    reason: str
    source: str
    claims: tuple[str, ...]


def verify_proof(path: str | os.PathLike[str]) -> Verification:
    """Check a proof file in exact arithmetic, independently of the prover.

    Parameters
    ----------
    path
        Written by ``certificate.save_proof``.

    Returns
    -------
    Verification
        With the first thing that is wrong, if anything is.

    Raises
    ------
    DataError
        If the file is not a proof: unreadable, not JSON, another schema, too large.

    Notes
    -----
    Status: exact. Every eigenvalue bound is decided by the inertia of an integer matrix
    (Sylvester), every other claim in rational arithmetic; a tube is integrated again, step by
    step. Cost: the cube of the widths for each eigenvalue, with long integers.
    """
    proof = read_proof(path)
    reason = next(_wrong(proof), "")
    return Verification(
        verified=not reason,
        reason=reason,
        source=proof.source,
        claims=() if reason else tuple(_words(proof)),
    )


def _wrong(proof: Proof) -> Iterator[str]:
    if not proof.sealed:
        yield "the file was changed after it was written (a checksum does not fit)"
    try:
        setting = Setting(proof)
        yield from wrong_facts(proof, setting)
        yield from wrong_claims(proof)
        if proof.tube is not None:
            yield from wrong_tube(proof, setting)
        elif "entered" in proof.claims:
            yield "a tube is claimed but not recorded"
    except (ArithmeticError, LookupError, TypeError, ValueError, AssertionError) as error:
        yield f"a number is missing or has no meaning ({type(error).__name__}: {str(error)[:80]})"


def _words(proof: Proof) -> Iterator[str]:
    claims, tube = proof.claims, proof.tube
    norms = ", ".join(f"{value:.6g}" for value in claims["norm_bounds"])
    yield f"layer norms stay at most {norms}"
    rate = max(claims["rate_remark_2"], claims["rate_anytime"], claims["rate_bottleneck"])
    if rate > 0.0:
        above = f" above {claims['least_loss']:.6g}" if claims["rate_bottleneck"] > 0.0 else ""
        yield f"the loss{above} decays at least like exp(-2 x {rate:.6g} t)"
    if tube is not None and tube["entered"]:
        yield (
            f"the trajectory from the start is in the basin of the global minima by "
            f"t = {tube['time']:.6g}, within {tube['radius']:.3g} of the last recorded point"
        )
    if claims["converges_to_global"] or (tube is not None and tube["entered"]):
        yield "the limit is a global minimum"
    elif claims["guaranteed"]:
        yield f"the first {claims['guaranteed']} directions are learned in the limit"
