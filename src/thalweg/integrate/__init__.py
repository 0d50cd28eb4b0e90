"""Integrates gradient flow: explicit stabilized and linearly implicit steps, conserved matrices."""

from thalweg.integrate._achieved import achieved_error as achieved_error
from thalweg.integrate._batch import BatchSolution as BatchSolution, solve_batch as solve_batch
from thalweg.integrate._crossing import Guard as Guard
from thalweg.integrate._driver import Limits as Limits
from thalweg.integrate._general import GeneralField as GeneralField, PieceDriver as PieceDriver
from thalweg.integrate._landing import land as land, landable as landable
from thalweg.integrate._modes import MOST_MODES as MOST_MODES
from thalweg.integrate._project import project as project
from thalweg.integrate._project_large import project_large as project_large
from thalweg.integrate._slices import LARGEST as LARGEST
from thalweg.integrate._solution import Solution as Solution
from thalweg.integrate._solve import (
    available_engines as available_engines,
    engine_name as engine_name,
    packed as packed,
    solve as solve,
)
from thalweg.integrate._status import Status as Status
from thalweg.integrate._tail import Landing as Landing, Tail as Tail
