"""Sweeps over many starts: chunks that run anywhere, in a store that survives anything."""

from thalweg.basins._dask import connect_dask as connect_dask
from thalweg.basins._execute import (
    ChunksFailedError as ChunksFailedError,
    Outcome as Outcome,
    run_chunks as run_chunks,
)
from thalweg.basins._lock import StoreLockedError as StoreLockedError
from thalweg.basins._notice import SweepWarning as SweepWarning
from thalweg.basins._shard import WHOLE as WHOLE, Shard as Shard
from thalweg.basins._signals import ended_by_signals as ended_by_signals
from thalweg.basins._stop import StoppedError as StoppedError, check_stop as check_stop
from thalweg.basins._store import Store as Store
from thalweg.basins._worker import watch_parent as watch_parent
