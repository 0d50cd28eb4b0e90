"""What can be proved: norm bounds, basins, rates, step sizes."""

from thalweg.certificate._basin import Levels as Levels, levels as levels
from thalweg.certificate._certificate import Certificate as Certificate
from thalweg.certificate._certify import certify as certify, certify_reduced as certify_reduced
from thalweg.certificate._floors import floors as floors
from thalweg.certificate._hypothesis import Hypothesis as Hypothesis
from thalweg.certificate._initial_rate import pivots as pivots
from thalweg.certificate._norm_bounds import norm_bounds as norm_bounds
from thalweg.certificate._share import Share as Share, certified_share as certified_share
from thalweg.certificate._step_size import curvature_bound as curvature_bound
