"""Critical points: which directions are learned, which kind they are."""

from thalweg.landscape._classify_level import (
    classify_level as classify_level,
    gradient_scale as gradient_scale,
)
from thalweg.landscape._learned import Target as Target
from thalweg.landscape._spectrum import (
    DENSE_LIMIT as DENSE_LIMIT,
    Spectrum as Spectrum,
    hessian_spectrum as hessian_spectrum,
)
from thalweg.landscape._verdict import KINDS as KINDS, Verdict as Verdict
