"""The regression problem: data, assumptions, reductions, loss and its derivatives."""

from typing import TYPE_CHECKING, Any

from thalweg.problem._assumptions import Assumption as Assumption, Assumptions as Assumptions
from thalweg.problem._compression import (
    Compression as Compression,
    compress as compress,
)
from thalweg.problem._coordinates import reduce_weights as reduce_weights
from thalweg.problem._problem import Problem as Problem
from thalweg.problem._reduction import Moments as Moments

if TYPE_CHECKING:
    from thalweg.problem._hessian_operator import HessianOperator as HessianOperator


def __getattr__(name: str) -> Any:
    """Import what needs ``scipy.sparse`` when it is first used."""
    if name == "HessianOperator":
        from thalweg.problem._hessian_operator import HessianOperator

        return HessianOperator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
