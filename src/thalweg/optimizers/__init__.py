"""Optimizers with steps of finite size, and exactly what they do to what the flow conserves."""

from thalweg.optimizers._comparison import Comparison as Comparison
from thalweg.optimizers._descend import descend as descend
from thalweg.optimizers._descent import (
    Descent as Descent,
    largest as largest,
    method_words as method_words,
)
from thalweg.optimizers._settings import METHODS as METHODS, Settings as Settings
from thalweg.optimizers._step_sweep import (
    DriftCurve as DriftCurve,
    drift_against_step as drift_against_step,
)
