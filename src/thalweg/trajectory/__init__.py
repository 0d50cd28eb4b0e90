"""Gradient flow trajectories; the public function is ``thalweg.flow``."""

from thalweg.trajectory._flow import flow as flow
from thalweg.trajectory._save import save_archive as save_archive
from thalweg.trajectory._trajectory import Trajectory as Trajectory
