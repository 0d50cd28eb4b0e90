"""Who computes the chunks: threads, processes, Dask."""

from thalweg.basins.executors._dask import connect_dask as connect_dask
from thalweg.basins.executors._execute import (
    ChunksFailedError as ChunksFailedError,
    Outcome as Outcome,
    run_chunks as run_chunks,
)
from thalweg.basins.executors._signals import ended_by_signals as ended_by_signals
from thalweg.basins.executors._worker import watch_parent as watch_parent
