"""Errors, tolerances, types, checks and the base of all results; knows no mathematics of nets."""

from thalweg._core._errors import (
    AssumptionError as AssumptionError,
    DataError as DataError,
    DimensionError as DimensionError,
    IntegrationError as IntegrationError,
    MissingExtraError as MissingExtraError,
    StoreError as StoreError,
    ThalwegError as ThalwegError,
)
from thalweg._core._files import write_whole as write_whole
from thalweg._core._median import median as median
from thalweg._core._random import as_generator as as_generator
from thalweg._core._result import Result as Result, jsonable as jsonable
from thalweg._core._tolerance import (
    EPS as EPS,
    Tolerance as Tolerance,
    lowered_least as lowered_least,
    numerical_rank as numerical_rank,
    rank_threshold as rank_threshold,
)
from thalweg._core._types import Array as Array, RngLike as RngLike, Weights as Weights
from thalweg._core._validate import (
    SMALLEST as SMALLEST,
    as_count as as_count,
    as_dims as as_dims,
    as_float_array as as_float_array,
    as_matrix as as_matrix,
    as_scalar as as_scalar,
    as_weights as as_weights,
)
from thalweg._core._version import VERSION as VERSION
from thalweg._core._words import (
    LOWER as LOWER,
    UPPER as UPPER,
    direction as direction,
    learned_words as learned_words,
    number as number,
    power_of_ten as power_of_ten,
)
