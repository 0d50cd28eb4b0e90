"""Chunks in a folder, or in memory: nothing lost, nothing half written."""

from thalweg.basins.store._lock import StoreLockedError as StoreLockedError
from thalweg.basins.store._memory import MemoryStore as MemoryStore
from thalweg.basins.store._shard import WHOLE as WHOLE, Shard as Shard
from thalweg.basins.store._store import Store as Store
