"""One hidden layer with an activation: its flow and what that conserves (Spec 6; paper §5)."""

from thalweg.nonlinear._activation import Activation as Activation
from thalweg.nonlinear._law import Law as Law
from thalweg.nonlinear._limit import ShallowLimit as ShallowLimit
from thalweg.nonlinear._problem import ShallowProblem as ShallowProblem
from thalweg.nonlinear._trajectory import ShallowTrajectory as ShallowTrajectory
