"""The regression problem: data, assumptions, reductions, loss and its derivatives."""

from thalweg.problem._assumptions import Assumption as Assumption, Assumptions as Assumptions
from thalweg.problem._compression import (
    Compression as Compression,
    compress as compress,
)
from thalweg.problem._hessian_operator import HessianOperator as HessianOperator
from thalweg.problem._problem import Problem as Problem
