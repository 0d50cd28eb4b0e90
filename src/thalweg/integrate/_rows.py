"""What is known of every start of a batch: structures as in ``lane_start.hpp``."""

import dataclasses

import numpy as np
import numpy.typing as npt

from thalweg._core import Array
from thalweg.integrate._modes import Modes

UNFINISHED = -1
ROW = np.dtype(
    [
        *((name, "f8") for name in ("t", "loss", "gradient_norm")),
        *((name, "f8") for name in ("basin_time", "drift", "repaired", "least_gradient")),
        *((name, "i8") for name in ("status", "steps", "rejected", "stages")),
        *((name, "i8") for name in ("basin_steps", "basin_stages", "plateau_count")),
    ]
)
EVENT = np.dtype([("learned", "i8"), *((x, "f8") for x in ("t_enter", "t_exit", "closest"))])
"""A plateau; bit i of `learned` says whether direction i is."""
Rows = npt.NDArray[np.void]


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
    """End points, rows, plateaus (none without `modes`) of all starts."""

    ends: Array
    rows: Rows
    events: Rows
    modes: Modes | None


def no_events(count: int, room: int) -> Rows:
    """Return empty rows."""
    events = np.zeros((count, room), dtype=EVENT)
    events["learned"] = -1
    return events
