"""Sweeps over many starts: how likely is each ending, at scale, and nothing lost."""

from thalweg.basins._notice import SweepWarning as SweepWarning
from thalweg.basins._result import Sweep as Sweep
from thalweg.basins._run import (
    open_plan as open_plan,
    open_sweep as open_sweep,
    run_plan as run_plan,
)
from thalweg.basins._stop import StoppedError as StoppedError, check_stop as check_stop
from thalweg.basins._sweep import (
    from_starts as from_starts,
    make_plan as make_plan,
    sweep as sweep,
)
from thalweg.basins.executors import (
    ChunksFailedError as ChunksFailedError,
    Outcome as Outcome,
    connect_dask as connect_dask,
    ended_by_signals as ended_by_signals,
    run_chunks as run_chunks,
    watch_parent as watch_parent,
)
from thalweg.basins.plan import Plan as Plan
from thalweg.basins.rows import COLUMNS as COLUMNS, compute as compute
from thalweg.basins.statistics import (
    Defect as Defect,
    Fraction as Fraction,
    Fractions as Fractions,
    Theorem as Theorem,
    Times as Times,
    anytime_interval as anytime_interval,
    certificate_times as certificate_times,
    clopper_pearson as clopper_pearson,
    plotted_axes as plotted_axes,
    quantile_interval as quantile_interval,
    staircase as staircase,
    time_range as time_range,
)
from thalweg.basins.store import (
    WHOLE as WHOLE,
    Shard as Shard,
    Store as Store,
    StoreLockedError as StoreLockedError,
)
