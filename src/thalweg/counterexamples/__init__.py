"""Gradient flows of a few variables, bounded and unbounded (Spec 7; paper Eq. 1)."""

from thalweg.counterexamples._evidence import Evidence as Evidence, Level as Level
from thalweg.counterexamples._gradient_flow import gradient_flow as gradient_flow
from thalweg.counterexamples._run import GradientRun as GradientRun
from thalweg.counterexamples._systems import (
    GradientSystem as GradientSystem,
    bounded_eq1 as bounded_eq1,
    bounds_eq1 as bounds_eq1,
    unbounded as unbounded,
)
