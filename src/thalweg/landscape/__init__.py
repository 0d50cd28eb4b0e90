"""Critical points: which directions are learned, which kind they are."""

from thalweg.landscape._atlas import Atlas as Atlas, Level as Level, atlas as atlas
from thalweg.landscape._classify import classify as classify, classify_reduced as classify_reduced
from thalweg.landscape._classify_level import (
    classify_level as classify_level,
    gradient_scale as gradient_scale,
    natural_gradient as natural_gradient,
)
from thalweg.landscape._construct import critical_point as critical_point, kinds_of as kinds_of
from thalweg.landscape._excluded import Exclusion as Exclusion, excluded as excluded
from thalweg.landscape._learned import Target as Target
from thalweg.landscape._pivots import Pivot as Pivot
from thalweg.landscape._polishing import Polished as Polished, polish_reduced as polish_reduced
from thalweg.landscape._push import push_off as push_off
from thalweg.landscape._slice import (
    Projection as Projection,
    Slice as Slice,
    plane_slice as plane_slice,
)
from thalweg.landscape._spectrum import (
    DENSE_LIMIT as DENSE_LIMIT,
    Spectrum as Spectrum,
    hessian_spectrum as hessian_spectrum,
)
from thalweg.landscape._verdict import KINDS as KINDS, Verdict as Verdict
from thalweg.landscape._witness import DescentCurve as DescentCurve
