"""Checking a proof file again, independently of the program part that wrote it.

Exact integers and rationals from the standard library; no code and no library is shared with the
prover, and nothing is rounded.
"""

from thalweg.verify._verify import Verification as Verification, verify_proof as verify_proof
