"""What can be proved: norm bounds, basins, rates."""

from thalweg.certificate._basin import Levels as Levels, levels as levels
from thalweg.certificate._certificate import (
    Certificate as Certificate,
    certify as certify,
    certify_reduced as certify_reduced,
)
from thalweg.certificate._norm_bounds import norm_bounds as norm_bounds
from thalweg.certificate._rates import Hypothesis as Hypothesis
