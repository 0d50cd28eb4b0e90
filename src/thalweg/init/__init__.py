"""Starts: random, orthogonal, balanced, lambda-balanced, with prescribed conserved matrices."""

from thalweg.init._prescribed import (
    balanced as balanced,
    lambda_balanced as lambda_balanced,
    with_imbalance as with_imbalance,
)
from thalweg.init._random_starts import gaussian as gaussian, orthogonal as orthogonal
