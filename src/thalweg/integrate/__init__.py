"""Integrates gradient flow: explicit stabilized and linearly implicit steps, conserved matrices."""

from thalweg.integrate._batch import BatchSolution as BatchSolution, solve_batch as solve_batch
from thalweg.integrate._modes import MOST_MODES as MOST_MODES
from thalweg.integrate._project import project as project
from thalweg.integrate._solution import Solution as Solution
from thalweg.integrate._solve import (
    available_engines as available_engines,
    engine_name as engine_name,
    solve as solve,
)
from thalweg.integrate._status import Status as Status
