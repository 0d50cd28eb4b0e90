"""Gradient flow trajectories; the public function is ``thalweg.flow``."""

from thalweg.trajectory._decide import GRADIENT_FLOOR as GRADIENT_FLOOR
from thalweg.trajectory._flow import flow as flow
from thalweg.trajectory._trajectory import Trajectory as Trajectory
