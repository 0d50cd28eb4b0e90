"""What gradient flow conserves; the public function is ``thalweg.invariants``."""

from thalweg.conserved._imbalance import (
    drift as drift,
    drift_scales as drift_scales,
    imbalance as imbalance,
    invariants as invariants,
)
