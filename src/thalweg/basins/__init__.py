"""Sweeps over many starts: how likely is each ending, at scale, and nothing lost."""

from thalweg.basins._compute import compute as compute
from thalweg.basins._dask import connect_dask as connect_dask
from thalweg.basins._execute import (
    ChunksFailedError as ChunksFailedError,
    Outcome as Outcome,
    run_chunks as run_chunks,
)
from thalweg.basins._fractions import Fraction as Fraction, Fractions as Fractions
from thalweg.basins._intervals import (
    anytime_interval as anytime_interval,
    clopper_pearson as clopper_pearson,
    quantile_interval as quantile_interval,
)
from thalweg.basins._lock import StoreLockedError as StoreLockedError
from thalweg.basins._notice import SweepWarning as SweepWarning
from thalweg.basins._plan import Plan as Plan
from thalweg.basins._result import Sweep as Sweep
from thalweg.basins._run import open_sweep as open_sweep, run_plan as run_plan
from thalweg.basins._schema import COLUMNS as COLUMNS
from thalweg.basins._shard import WHOLE as WHOLE, Shard as Shard
from thalweg.basins._signals import ended_by_signals as ended_by_signals
from thalweg.basins._store import Store as Store
from thalweg.basins._sweep import from_starts as from_starts, sweep as sweep
from thalweg.basins._theorems import Defect as Defect, Theorem as Theorem
from thalweg.basins._times import Times as Times
from thalweg.basins._worker import watch_parent as watch_parent
