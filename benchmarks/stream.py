"""Reduces a Parquet table of five million rows and sixty columns; prints time and memory.

The table is written first, in row groups, so that neither step holds it in memory. A part of the
rows is reduced in memory as well, to compare.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from thalweg.data import read_table, reduce_table

COLUMNS, TARGETS, GROUP = 60, 2, 100_000


def write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(COLUMNS - TARGETS)] + [f"y{i}" for i in range(TARGETS)]
    mix = rng.normal(size=(COLUMNS - TARGETS, TARGETS))
    schema = pa.schema([(name, pa.float64()) for name in names])
    with parquet.ParquetWriter(path, schema, compression="none") as file:
        for begin in range(0, rows, GROUP):
            count = min(GROUP, rows - begin)
            X = rng.normal(size=(count, COLUMNS - TARGETS))
            Y = X @ mix + rng.normal(size=(count, TARGETS))
            columns = [*X.T, *Y.T]
            file.write_table(pa.table(dict(zip(names, columns, strict=True)), schema=schema))


def peak() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def told(done: int, total: int | None) -> None:
    print(f"\r{done} of {total} rows", end="", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path, default=None, help="where to write the table")
    options = parser.parse_args()
    targets = [f"y{i}" for i in range(TARGETS)]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path, part = Path(folder) / "table.parquet", Path(folder) / "part.parquet"
        write(path, options.rows)
        write(part, 50_000)
        small, whole = reduce_table(part, target=targets), read_table(part, target=targets)
        one, two = (np.concatenate([t.X.T @ t.X, t.X.T @ t.Y], axis=1) for t in (small, whole))
        gap = np.abs(one - two).max() / np.abs(two).max()
        print(f"50000 rows, in batches against in memory: relative difference {gap:.1e}")
        before = peak()
        began = time.perf_counter()
        table = reduce_table(path, target=targets, progress=told)
        seconds = time.perf_counter() - began
        print(file=sys.stderr)
        print(
            f"{table.n_samples} rows x {COLUMNS} columns ({path.stat().st_size / 2**20:.0f} MB) "
            f"reduced to {len(table.X)} rows in {seconds:.1f} s; "
            f"peak memory {peak():.0f} MB, {before:.0f} MB before"
        )
    return int(peak() > 1024)


if __name__ == "__main__":
    sys.exit(main())
