"""Follows the training of a real PyTorch model: which laws it has, and what breaks them.

Only `watch` and the adapters need PyTorch; records are read, drawn and reported without it.
"""

from thalweg.monitor._adapters import (
    hugging_face_callback as hugging_face_callback,
    lightning_callback as lightning_callback,
)
from thalweg.monitor._parts import CAUSES as CAUSES, PARTS as PARTS
from thalweg.monitor._record import LawSummary as LawSummary, Record as Record, read as read
from thalweg.monitor._watch import watch as watch
