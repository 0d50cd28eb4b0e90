"""Starts: random, orthogonal, balanced, with prescribed conserved matrices or rate."""

from thalweg.init._exponential import exponential as exponential
from thalweg.init._prescribed import (
    balanced as balanced,
    lambda_balanced as lambda_balanced,
    with_imbalance as with_imbalance,
)
from thalweg.init._random_starts import (
    from_start_coordinates as from_start_coordinates,
    gaussian as gaussian,
    orthogonal as orthogonal,
    start_dims as start_dims,
)
